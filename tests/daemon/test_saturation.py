# SPDX-License-Identifier: MIT
"""That pm.max_children is reached is counted as PHP-FPM does, and said only when a connection has to wait."""

import pytest

from lib.load import Load
from lib.scripts import HELLO, Running, hang
from lib.wait import wait_until

REACHED = "has reached pm.max_children = 2 and connections wait"
SPARE = {"dynamic": "min_spare_servers = 1; max_spare_servers = 1; ", "ondemand": ""}


@pytest.fixture(params=SPARE)
def pool(make_daemon, request):
    with make_daemon(f'pm = {{ mode = "{request.param}"; max_children = 2; {SPARE[request.param]}}};') as daemon:
        yield daemon


def busy(daemon, n):
    script = daemon.script("hang.php", hang(daemon.gate("hang")))
    running = [Running(daemon, script) for _ in range(n)]
    wait_until(lambda: daemon.status()["max-children-reached"] == 1, what="the count")
    return running


def test_nobody_waits(pool):
    """All are busy, for longer than two looks, and that is all."""
    running = busy(pool, 2)
    since = len(pool.notifications)
    pool.open_gate("hang")
    assert all(r.finish() for r in running)
    pool.wait_notified(lambda n: "0 active" in n.get("STATUS", ""), since)
    assert "has reached" not in pool.logged()


def test_a_connection_waits(pool):
    running = busy(pool, 2)
    assert "has reached" not in pool.logged()
    with pool.connect() as waiting:
        waiting.start(pool.script("hello.php", HELLO))
        wait_until(lambda: REACHED in pool.logged(), what="the record")
        pool.open_gate("hang")
        assert all(r.finish() for r in running) and waiting.response().text == "hello"
    assert pool.logged().count("has reached") == 1  # in a minute


def test_a_kept_connection_waits(pool):
    """It was parked, and says something while all are busy."""
    hello = pool.script("hello.php", HELLO)
    with pool.connect() as kept:
        assert kept.request(hello, keep=True).text == "hello"
        running = busy(pool, 2)
        wait_until(lambda: pool.status()["parked-connections"] == 1, what="it is parked")
        assert "has reached" not in pool.logged()
        kept.start(hello)
        wait_until(lambda: REACHED in pool.logged(), what="the record")
        pool.open_gate("hang")
        assert all(r.finish() for r in running) and kept.response().text == "hello"


def test_as_many_clients_as_workers_wake_nobody(pool):
    """The pool is full all the time, and nobody waits for long: that is looked at seldom."""
    script = pool.script("short.php", "<?php usleep(2000); echo 'done';")
    with Load(lambda: pool.get(script), clients=2) as load:
        load.wait_for(100)
        before = pool.switches()
        load.wait_for(600)
        woken = pool.switches() - before
    assert load.lost == []
    assert woken < 60, f"{woken} wake-ups for 600 requests"
