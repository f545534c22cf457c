# SPDX-License-Identifier: MIT
"""The watchdog of a real systemd: a pool that can serve nobody is started anew, and who waited is answered."""

from lib.messages import MESSAGE_ID
from lib.scripts import HELLO, LONG, Running, streaming
from lib.wait import wait_until

POOL = 'pm = { mode = "static"; max_children = 2; }; watchdog_stall = "1s";'
WATCHDOG = "[Service]\nWatchdogSec=2s\n"

# Never ends, whatever it is sent.
HANG = LONG.replace("sleep(2)", "0; while (true) sleep(1)")


def test_a_pool_that_hangs_is_restarted(machine):
    """Its queue is not lost, nor its kept connections; the reason stands in the journal and in STATUS=."""
    with machine.pool("www", POOL, WATCHDOG) as pool:
        hang, hello = pool.script("hang.php", HANG), pool.script("hello.php", HELLO)
        kept = [pool.connect() for _ in range(4)]
        for connection in kept:
            assert connection.request(hello, keep=True).text == "hello"
        manager = pool.manager
        hanging = [Running(pool, hang) for _ in range(2)]
        waiting = [pool.connect() for _ in range(5)]
        for connection in waiting:
            connection.start(hello)

        record = pool.logged(lambda r: True, f"MESSAGE_ID={MESSAGE_ID['PINGS_WITHHELD']}")
        assert "watchdog_stall" in record["MESSAGE"] and record["PRIORITY"] == "3"
        assert record["PHP_POOL"] == "www" and record["PHP_GENERATION"] == "1"
        status = wait_until(lambda: withheld(pool), what="the reason")
        assert "Status:" in status

        for connection in waiting:
            with connection:
                assert connection.response().text == "hello"
        assert pool.manager not in (0, manager)
        assert pool.show("NRestarts") == "1"
        wait_until(lambda: any("watchdog" in r["MESSAGE"] for r in pool.journal("_PID=1")), what="systemd's word")
        for connection in kept:
            with connection:
                assert connection.request(hello, keep=True).text == "hello"
        for running in hanging:
            running.connection.close()
        assert len(pool.journal(f"MESSAGE_ID={MESSAGE_ID['PINGS_WITHHELD']}")) == 1

        # Each end names its reason, and none another's.
        (stop,) = pool.journal(f"MESSAGE_ID={MESSAGE_ID['STOPPING']}")
        assert stop["MESSAGE"] == "Pool www stops: systemd's watchdog restarts it, since every request hangs."
        (killed,) = pool.journal(f"MESSAGE_ID={MESSAGE_ID['DRAIN_STALLED']}")
        assert "2 workers, 2 of them with a request" in killed["MESSAGE"] and "five seconds" in killed["MESSAGE"]
        assert pool.journal(f"MESSAGE_ID={MESSAGE_ID['DRAIN_TIMEOUT']}") == []
        obituaries = pool.journal(f"MESSAGE_ID={MESSAGE_ID['WORKER_DIED']}")
        assert len(obituaries) == 2 and all("SIGKILL (systemd's watchdog" in r["MESSAGE"] for r in obituaries)


def withheld(pool):
    """systemctl status while the reason is part of it, or None."""
    out = pool.machine.systemctl("status", "--no-pager", "--full", "--lines=0", pool.unit, check=False).stdout
    return out if "watchdog pings withheld: every worker is busy" in out else None


def test_a_busy_pool_is_left_alone(machine):
    """More requests than workers, for longer than the stall and the watchdog."""
    with machine.pool("www", POOL, WATCHDOG) as pool:
        script = pool.script("slow.php", "<?php usleep(700000); echo 'done';")
        connections = [pool.connect() for _ in range(12)]
        for connection in connections:
            connection.start(script)
        manager = wait_until(lambda: pool.manager, what="a manager")
        for connection in connections:
            with connection:
                assert connection.response().text == "done"
        assert pool.manager == manager and pool.show("NRestarts") == "0"
        assert pool.status()["max-listen-queue"] >= 9


def test_a_pool_that_streams_is_left_alone(machine):
    """Downloads on all workers and one client that waits, for longer than the stall and the watchdog together."""
    with machine.pool("www", POOL, WATCHDOG) as pool:
        script, hello = pool.script("stream.php", streaming(200000)), pool.script("hello.php", HELLO)
        pool.start()
        with pool.connect() as one, pool.connect() as two, pool.connect() as waiting:
            one.start(script)
            two.start(script)
            wait_until(lambda: pool.status()["active-processes"] == 2, what="two busy workers")
            manager = pool.manager
            waiting.start(hello)
            assert [len(connection.response().body) for connection in (one, two)] == [600000, 600000]
            assert waiting.response().text == "hello"
        assert pool.manager == manager and pool.show("NRestarts") == "0"


def test_queue_where_netlink_is_refused(machine):
    """It is said once and counted as 0; a pool that hangs is noticed all the same."""
    service = WATCHDOG + "RestrictAddressFamilies=\nRestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\n"
    with machine.pool("www", POOL, service) as pool:
        hang, hello = pool.script("hang.php", HANG), pool.script("hello.php", HELLO)
        hanging = [Running(pool, hang) for _ in range(2)]
        with pool.connect() as connection:
            connection.start(hello)
            for _ in range(3):
                assert pool.status()["listen-queue"] == 0
            assert len([r for r in pool.journal() if "sock_diag" in r["MESSAGE"]]) == 1
            assert connection.response().text == "hello"
        assert pool.show("NRestarts") == "1"
        for running in hanging:
            running.connection.close()


def test_queue_behind_the_sandbox(machine):
    """The unit as it is installed lets the manager ask."""
    with machine.pool("www", 'pm = { mode = "static"; max_children = 1; };',
                      socket_="[Socket]\nListenStream=127.0.0.1:9123\n") as pool:
        hello = pool.script("hello.php", HELLO)
        running = Running(pool, pool.script("long.php", LONG))
        waiting = [pool.connect() for _ in range(3)]
        tcp = [machine.tcp(9123) for _ in range(2)]
        assert pool.status()["listen-queue"] == 5
        assert "listen queue:" in pool.ctl("status", "www").stdout
        assert running.finish()
        for sock in tcp:
            sock.close()
        for connection in waiting:
            with connection:
                assert connection.request(hello).text == "hello"
        assert pool.journal("-p", "warning") == []
