# SPDX-License-Identifier: MIT
"""A pool without work exits, and its socket starts it again: nothing is lost, and nothing runs until used."""

import random
import threading

from lib.scripts import HELLO
from lib.wait import wait_until

EXITS = 100


def test_exits_lose_nothing(machine):
    """A trickle of requests, each of which may come before, while or after the pool exits."""
    pause = threading.Event()  # never set: a load has gaps
    with machine.pool("www", 'idle_exit = "30ms"; pm = { mode = "static"; max_children = 2; };') as pool:
        whose = pool.script("whose.php", "<?php echo posix_getppid();")
        managers = set()
        while len(managers) < EXITS:
            managers.add(int(pool.get(whose)))
            pause.wait(random.uniform(0.03, 0.08))
        assert pool.show("NRestarts") == "0" and pool.show("Result") == "success"


def test_an_idle_pool_has_no_process(machine):
    with machine.pool("www", 'idle_exit = "100ms";') as pool:
        assert pool.run(HELLO) == "hello"
        wait_until(lambda: pool.active == "inactive", what="no pool")
        assert pool.manager == 0 and pool.show("Result") == "success"
        assert pool.run(HELLO) == "hello"


def test_a_kept_connection_keeps_the_pool(machine):
    """An idle client costs its pool the workers, not the connection."""
    with machine.pool("www", 'idle_exit = "100ms";') as pool:
        script = pool.script("hello.php", HELLO)
        with pool.connect() as connection:
            assert connection.request(script, keep=True).text == "hello"
            wait_until(lambda: pool.status()["total-processes"] == 0, what="no worker")
            manager = pool.manager
            assert connection.request(script, keep=True).text == "hello"
            assert pool.manager == manager
        wait_until(lambda: pool.active == "inactive", what="no pool")
