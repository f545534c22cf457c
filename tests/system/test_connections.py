# SPDX-License-Identifier: MIT
"""Kept connections by the thousand, and through reloads and restarts, with the units as they are installed."""

import threading

import pytest

from lib.load import Load
from lib.scripts import HELLO
from lib.wait import wait_until

IDLE = 15000
BUSY = 64
FOUR = 'pm = { mode = "static"; max_children = 4; };\n'

pytestmark = pytest.mark.usefixtures("descriptors")


def memory(pool):
    """The manager's own memory, in bytes."""
    status = pool.machine.run("cat", f"/proc/{pool.manager}/status").stdout
    return int(next(line for line in status.splitlines() if line.startswith("RssAnon:")).split()[1]) * 1024


def test_idle_kept_connections(machine):
    """15,000 of them cost less than 1 KB each, others are served, and so are they; a restart keeps what it can."""
    with machine.pool("www", FOUR) as pool:
        script = pool.script("hello.php", HELLO)
        assert pool.get(script) == "hello"
        wait_until(lambda: pool.status()["idle-processes"] == 4, what="idle workers")
        before, kept = memory(pool), []
        try:
            for _ in range(IDLE):
                kept.append(pool.connect())
                assert kept[-1].request(script, keep=True).text == "hello"
            assert pool.get(script) == "hello"
            assert pool.status()["parked-connections"] > IDLE - 4
            assert memory(pool) - before < IDLE * 1024
            for connection in kept[::100]:
                assert connection.request(script, keep=True).text == "hello"

            machine.systemctl("restart", pool.unit)
            assert pool.get(script) == "hello"
            assert pool.status()["parked-connections"] >= 400
            assert pool.show("NRestarts") == "0"
        finally:
            for connection in kept:
                connection.close()
        wait_until(lambda: pool.status()["parked-connections"] == 0, what="no parked connection")


def busy_client(pool, script):
    """A function that sends one request on a thread's own connection, which it keeps for all."""
    local = threading.local()

    def send():
        if not hasattr(local, "connection"):
            local.connection = pool.connect()
        response = local.connection.request(script, keep=True)
        assert (response.status, response.app_status, response.text) == (200, 0, "hello"), response

    return send


def test_busy_kept_connections_through_reloads_and_restarts(machine):
    """No request is lost, and no connection is closed: the clients have no other to go on with."""
    with machine.pool("www", FOUR) as pool:
        script = pool.script("hello.php", HELLO)
        assert pool.get(script) == "hello"
        with Load(busy_client(pool, script), clients=BUSY, limit=10_000_000) as load:
            for verb, times in (("reload", 10), ("restart", 5)):
                for _ in range(times):
                    machine.systemctl(verb, pool.unit)
                    load.wait_for(2 * BUSY)
                assert load.lost == [], f"{verb}: {load}"
        assert load.lost == [], load
        assert pool.show("NRestarts") == "0"
