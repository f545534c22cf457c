# SPDX-License-Identifier: MIT
"""php-pool-status@.socket: the manager shows the status, whatever its workers do."""

import json

import pytest

from lib import fastcgi
from lib.scripts import HELLO, Running, hang

UNIT = "php-pool-status@www.socket"


@pytest.fixture
def enabled(pool):
    """A pool that runs, with its status socket enabled as the unit says."""
    pool.start()
    before = pool.manager
    try:
        pool.machine.systemctl("enable", UNIT)
        pool.machine.systemctl("restart", pool.unit)
        assert pool.machine.show(UNIT, "ActiveState") == "active" and pool.manager != before
        yield pool
    finally:
        pool.machine.systemctl("disable", UNIT, check=False)
        pool.machine.systemctl("stop", pool.socket_unit, UNIT, pool.unit, check=False)


def ask(pool, query="json&full"):
    with fastcgi.connect_unix(pool.machine.path("/run/php-pool/www.status.sock")) as connection:
        return connection.request("/status", query=query)


def test_it_answers_while_all_workers_are_busy(enabled):
    # As many as the pool may have.
    script = enabled.script("hang.php", hang(enabled.gate("hang")))
    running = [Running(enabled, script) for _ in range(16)]
    with enabled.connect() as waiting:
        waiting.start(enabled.script("hello.php", HELLO))
        status = json.loads(ask(enabled).text)
        assert (status["pool"], status["active processes"], status["idle processes"]) == ("www", 16, 0)
        assert [w["state"] for w in status["processes"]] == ["Running"] * 16
        enabled.open_gate("hang")
        assert all(r.finish() for r in running)
        assert waiting.response().text == "hello"


def test_the_socket(enabled):
    machine = enabled.machine
    assert machine.show(UNIT, "Triggers") == enabled.unit
    out = machine.run("stat", "-c", "%a %U %G", "/run/php-pool/www.status.sock").stdout
    assert out == machine.run("stat", "-c", "%a %U %G", "/run/php-pool/www.sock").stdout
    inside = machine.run("systemctl", "show", "-P", "FileDescriptorName", UNIT).stdout
    assert inside == "status\n"


def test_asking_starts_the_pool(enabled):
    enabled.machine.systemctl("stop", enabled.unit)
    assert enabled.machine.show(UNIT, "ActiveState") == "active"
    status = json.loads(ask(enabled, "json").text)
    assert status["pool"] == "www" and status["state"] in ("starting", "running")
    assert enabled.run(HELLO) == "hello"


def test_not_enabled_with_the_pool(pool):
    pool.start()
    assert pool.machine.show(UNIT, "ActiveState") == "inactive"
    assert "disabled" in pool.machine.systemctl("is-enabled", UNIT, check=False).stdout
    assert json.loads(_own(pool).text)["state"] == "running"


def _own(pool):
    with pool.connect() as connection:
        return connection.request("/srv/www/nothing", query="json", extra={"SCRIPT_NAME": "/status"})
