# SPDX-License-Identifier: MIT
"""Stop, restart, a killed or stopped manager: running requests finish, no connection is refused or lost."""

import re

from lib.load import Load
from lib.messages import MESSAGE_ID
from lib.scripts import HELLO, LONG, SHORT, Running, hang
from lib.wait import wait_until

STATIC = 'pm = { mode = "static"; max_children = 4; };'


def next_manager(pool, manager, timeout=10):
    """Waits until another one serves."""
    def serves():
        return pool.active == "active" and pool.manager not in (0, manager)

    wait_until(serves, timeout, "the next manager")


def test_stop_lets_a_running_request_finish(pool):
    running = Running(pool, pool.script("long.php", LONG))
    hello = pool.script("hello.php", HELLO)
    with pool.machine.start("systemctl", "stop", pool.unit) as stop:
        assert running.finish()
        assert stop.wait(30) == 0
    assert pool.show("Result") == "success"
    assert pool.get(hello) == "hello"  # the socket stayed, and starts it again
    assert pool.active == "active"


def test_restart_lets_a_running_request_finish_and_refuses_none(pool):
    running = Running(pool, pool.script("long.php", LONG))
    hello = pool.script("hello.php", HELLO)
    manager = pool.manager
    with pool.machine.start("systemctl", "restart", pool.unit) as restart:
        wait_until(lambda: pool.show("SubState") in ("stop", "stop-sigterm"), what="stopping")
        assert pool.get(hello) == "hello"  # waited in the backlog
        assert running.finish()
        assert restart.wait(30) == 0
    assert pool.manager not in (0, manager)


def test_restart_says_what_it_waits_for(pool):
    """A request that is slow: which one, since when, and until when; in the journal once, and in STATUS=."""
    script = pool.script("slow.php", hang(pool.gate("slow")))
    running = Running(pool, script, uri="/slow?a=1")
    with pool.machine.start("systemctl", "restart", pool.unit) as restart:
        record = pool.logged(lambda r: True, f"MESSAGE_ID={MESSAGE_ID['DRAIN_WAITS']}")
        text = rf"waits for worker \d+, which runs GET /slow\?a=1 \({script}\) since \S+, until \d\d:\d\d:\d\d"
        assert re.search(rf"Pool www stops, and its generation 1 {text}\.", record["MESSAGE"]), record
        assert (record["PHP_SCRIPT"], record["REQUEST_METHOD"], record["REQUEST_URI"]) == (script, "GET", "/slow?a=1")
        assert int(record["PHP_REQUEST_USEC"]) > 0 and record["PHP_WORKER_PID"] and record["PRIORITY"] == "5"
        wait_until(lambda: re.search(text, pool.show("StatusText")), what="STATUS=")
        pool.open_gate("slow")
        assert running.finish()
        assert restart.wait(30) == 0
    assert len(pool.journal(f"MESSAGE_ID={MESSAGE_ID['DRAIN_WAITS']}")) == 1
    why = pool.journal(f"MESSAGE_ID={MESSAGE_ID['STOPPING']}")
    assert [r["MESSAGE"] for r in why] == ["Pool www stops: it was told to."]


def test_killed_manager(pool):
    """Running requests finish, systemd starts the next one, and meanwhile the backlog waits."""
    running = Running(pool, pool.script("long.php", LONG))
    hello = pool.script("hello.php", HELLO)
    manager = pool.manager
    pool.machine.run("kill", "-KILL", manager)
    assert pool.get(hello) == "hello"
    assert running.finish(), running.text
    next_manager(pool, manager)
    assert pool.show("NRestarts") == "1"
    assert pool.get(hello) == "hello"


def test_killed_manager_leaves_no_worker_behind(pool):
    pool.start()
    manager, old = pool.manager, pool.children()
    pool.machine.run("kill", "-KILL", manager)
    next_manager(pool, manager)
    assert not old.keys() & {int(pid) for pid in pool.machine.run("ps", "-eo", "pid=").stdout.split()}


def test_watchdog_restarts_a_stopped_manager(machine):
    with machine.pool("www", service="[Service]\nWatchdogSec=2s\n") as pool:
        hello = pool.script("hello.php", HELLO)
        assert pool.get(hello) == "hello"
        manager = pool.manager
        machine.run("kill", "-STOP", manager)
        next_manager(pool, manager, timeout=60)
        assert pool.show("NRestarts") == "1"
        assert pool.get(hello) == "hello"


def test_watchdog_leaves_a_sound_pool_alone(machine):
    with machine.pool("www", service="[Service]\nWatchdogSec=1s\n") as pool:
        manager = None
        for _ in range(2):
            running = Running(pool, pool.script("long.php", LONG))
            manager = manager or pool.manager
            assert running.finish()
        assert pool.manager == manager and pool.show("NRestarts") == "0"


def kinds(descriptors):
    """The same descriptors by what they are, without the numbers that differ from one to the next."""
    return sorted(re.sub(r"\d+", "N", d) for d in descriptors)


def test_load_through_reloads_and_restarts(machine):
    """10 reloads and 5 restarts under load: no request is lost, no process or descriptor is left behind."""
    with machine.pool("www", STATIC) as pool:
        script = pool.script("short.php", SHORT)
        assert pool.get(script) == "done"
        wait_until(lambda: pool.status()["idle-processes"] == 4, what="idle workers")
        before, children = kinds(pool.descriptors()), len(pool.children())

        def send():
            with pool.connect() as connection:
                response = connection.request(script)
            assert (response.status, response.app_status, response.text) == (200, 0, "done"), response

        with Load(send, clients=8) as load:
            for _ in range(10):
                machine.systemctl("reload", pool.unit)
                load.wait_for(20)
        assert load.lost == [] and load.answered > 200, load
        assert pool.status()["generation"] == 11
        wait_until(lambda: len(pool.children()) == children, what="no more processes than before")
        wait_until(lambda: kinds(pool.descriptors()) == before, what="the same descriptors as before")

        with Load(send, clients=8) as load:
            for _ in range(5):
                machine.systemctl("restart", pool.unit)
                load.wait_for(20)
        assert load.lost == [] and load.answered > 100, load
        wait_until(lambda: pool.status()["idle-processes"] == 4, what="idle workers")
        wait_until(lambda: kinds(pool.descriptors()) == before, what="the same descriptors as before")
        wait_until(lambda: len(pool.children()) == children, what="no more processes than before")
        assert pool.show("NRestarts") == "0"


def test_kept_connections_survive_a_restart(pool):
    """They wait in systemd's descriptor store; what a client sends meanwhile is answered by the next manager."""
    script = pool.script("hello.php", HELLO)
    connections = [pool.connect() for _ in range(10)]
    for connection in connections:
        assert connection.request(script, keep=True).text == "hello"
    for _ in range(3):
        manager = pool.manager
        pool.machine.systemctl("restart", pool.unit)
        assert pool.manager not in (0, manager)
        for connection in connections:
            assert connection.request(script, keep=True).text == "hello"
    with pool.machine.start("systemctl", "restart", pool.unit) as restart:
        for connection in connections:
            connection.start(script, keep=True, method="POST")
        assert restart.wait(30) == 0
    for connection in connections:
        assert connection.response().text == "hello"
        connection.close()
