# SPDX-License-Identifier: MIT
"""A pool without work exits, and its socket starts it again: nothing is lost, and nothing runs until used."""

import random
import threading

from lib.messages import MESSAGE_ID
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


LEAVE = """<?php echo shell_exec('nohup sh -c "sleep 3; touch /srv/www/done" >/dev/null 2>&1 & echo $!');"""


def test_a_program_that_a_request_left_finishes(machine):
    """In the unit's own sandbox: the pool stays for it, says so, and exits when it has ended."""
    with machine.pool("www", 'idle_exit = "100ms";') as pool:
        machine.run("chown", "www-data", "/srv/www")
        pid = int(pool.run(LEAVE))
        record = pool.logged(lambda r: True, f"MESSAGE_ID={MESSAGE_ID['LEFT_RUNNING']}")
        assert record["PHP_LEFT_COUNT"] == "1" and record["PHP_LEFT_COMM"] == "sh" and record["PRIORITY"] == "5"
        assert int(record["PHP_LEFT_PID"]) == pid
        wait_until(lambda: "idle_exit waits for programs" in pool.show("StatusText"), what="STATUS=")
        wait_until(lambda: pool.active == "inactive", what="no pool")
        assert machine.path("/srv/www/done").exists()
        why = pool.logged(lambda r: True, f"MESSAGE_ID={MESSAGE_ID['STOPPING']}")
        assert why["MESSAGE"].endswith("it had nothing to do for idle_exit; its socket starts it again.")
        assert len(pool.journal(f"MESSAGE_ID={MESSAGE_ID['LEFT_RUNNING']}")) == 1


def test_stop_ends_a_program_that_a_request_left(machine):
    """As with PHP-FPM: the unit's processes end with it (KillMode=control-group)."""
    with machine.pool("www") as pool:
        pid = int(pool.run("<?php echo shell_exec('nohup sleep 1000 >/dev/null 2>&1 & echo $!');"))
        pool.machine.systemctl("reload", pool.unit)
        assert pool.machine.path(f"/proc/{pid}").exists()  # a reload leaves it alone
        pool.machine.systemctl("stop", pool.unit)
        assert not pool.machine.path(f"/proc/{pid}").exists()
        (record,) = pool.journal(f"MESSAGE_ID={MESSAGE_ID['LEFT_ENDED']}")
        assert record["MESSAGE"] == ("The pool ends, and with the service systemd ends programs that requests started "
                                     f"and left: process {pid} (sleep).")
        assert record["PHP_LEFT_PID"] == str(pid) and record["PRIORITY"] == "5"


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
