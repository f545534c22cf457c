# SPDX-License-Identifier: MIT
"""The access log under a real journald, stopped for a while, and in /var/log/php-pool, as the unit makes it."""

import contextlib
import itertools
import re

import pytest

from lib.load import Load
from lib.messages import MESSAGE_ID
from lib.scripts import HELLO, SHORT
from lib.wait import wait_until

FILE = "/var/log/php-pool/www/access.log"
# More than the queue of journald's socket and a worker's buffer hold.
MANY = 5000


def settings(log, format="%s", more=""):
    return ('pm = { mode = "static"; max_children = 2; };\n'
            f'access = {{ log = "{log}"; format = "{format}"; {more} }};\n')


def records(pool, message="ACCESS"):
    return pool.journal(f"MESSAGE_ID={MESSAGE_ID[message]}")


# ---- the journal ----

def test_fields(machine):
    with machine.pool("www", settings("journal", r"%m %r%Q%q %s %u", 'suppress_path = [ "/health" ];')) as pool:
        script = pool.script("page.php", "<?php http_response_code(404); usleep(20000);")
        pool.request(script, method="POST", body=b"a=1", query="b=%20", uri="/the/uri?b=%20",
                     extra={"HTTP_AUTHORIZATION": "Basic dTpw"})
        pool.get(pool.script("health.php", HELLO), extra={"SCRIPT_NAME": "/health"})
        record = pool.logged(lambda r: True, f"MESSAGE_ID={MESSAGE_ID['ACCESS']}")
        wanted = {
            "MESSAGE": "POST /page.php?b=%20 404 u", "PRIORITY": "6", "SYSLOG_IDENTIFIER": "php-pool",
            "PHP_POOL": "www", "PHP_GENERATION": "1", "PHP_SCRIPT": script, "REQUEST_METHOD": "POST",
            "REQUEST_URI": "/the/uri?b=%20", "HTTP_STATUS": "404", "PHP_WORKER_PID": record["_PID"],
            "_SYSTEMD_UNIT": pool.unit,
        }
        assert {name: record.get(name) for name in wanted} == wanted
        assert int(record["_PID"]) in pool.children()
        assert 20_000 <= int(record["PHP_REQUEST_USEC"]) < 20_000_000
        pool.get(pool.script("hello.php", HELLO))
        pool.logged(lambda r: r["MESSAGE"].startswith("GET /hello.php"), f"MESSAGE_ID={MESSAGE_ID['ACCESS']}")
        assert len(records(pool)) == 2


def test_a_stopped_journal_holds_no_request(machine):
    """All requests are answered meanwhile; once it goes on, the journal has them or the number of the others."""
    service = "[Service]\nLogRateLimitIntervalSec=0\n"
    with machine.pool("www", settings("journal"), service=service) as pool:
        pool.start()
        script = pool.script("hello.php", HELLO)
        with machine.stopped_journal():
            with pool.connect(timeout=5) as connection:
                for _ in range(MANY):
                    assert connection.request(script, keep=True).text == "hello"
            # The manager is there, too.
            assert pool.status()["accepted-conn"] >= 1

        asked = itertools.count(MANY + 1)

        def lost():
            pool.get(script)
            next(asked)
            return records(pool, "ACCESS_LOST")

        wait_until(lost, what="the count of what was lost")
        pool.machine.systemctl("stop", pool.unit)
        total = next(asked) - 1
        told = records(pool, "ACCESS_LOST")
        assert all(re.match(r"\d+ lines of the access log were lost: ", record["MESSAGE"]) for record in told)
        assert sum(int(record["PHP_ACCESS_LOST"]) for record in told) + len(records(pool)) == total
        assert sum(int(record["PHP_ACCESS_LOST"]) for record in told) > 0


# ---- a file ----

def test_the_units_directory(machine):
    with machine.pool("www", settings(FILE, "%s %n")) as pool:
        pool.run(HELLO)
        wait_until(lambda: machine.read(FILE) == "200 www\n", what="the line")
        stat = ("stat", "-c", "%U %G %a")
        assert machine.run(*stat, "/var/log/php-pool/www").stdout.split()[2] == "750"
        owner, group, mode = machine.run(*stat, FILE).stdout.split()
        assert (owner, group) == (pool.show("User"), pool.show("Group")) and mode == "640"
        machine.systemctl("stop", pool.unit)
        assert machine.read(FILE) == "200 www\n"  # it outlives the pool
    machine.remove("/var/log/php-pool")


def test_rotation_under_load(machine):
    """logrotate's way, rename and reload: each answered request has its line in one of the files."""
    with machine.pool("www", settings(FILE)) as pool:
        script = pool.script("short.php", SHORT)
        with Load(lambda: pool.get(script), clients=4) as load:
            for n in range(1, 4):
                load.wait_for(20)
                machine.run("mv", FILE, f"{FILE}.{n}")
                machine.systemctl("reload", pool.unit)
                assert machine.run("test", "-f", FILE, check=False).returncode == 0
        assert not load.lost, load

        def lines():
            return len(machine.run("sh", "-c", f"cat {FILE}*").stdout.splitlines())

        wait_until(lambda: lines() == load.answered, what=f"{load.answered} lines")
        assert machine.read(f"{FILE}.3")
        pool.get(script)
        wait_until(machine.run("tail", "-n1", FILE).stdout.__len__, what="a line in the new file")
    machine.remove("/var/log/php-pool")


def test_a_full_disk_loses_lines_only(machine):
    @contextlib.contextmanager
    def small_disk():
        machine.run("mkdir", "-p", "/small")
        machine.run("mount", "-t", "tmpfs", "-o", "size=4k,mode=1777", "tmpfs", "/small")
        try:
            yield
        finally:
            machine.run("umount", "/small")

    with small_disk(), machine.pool("www", settings("/small/access.log", "%{LONG}e")) as pool:
        script = pool.script("hello.php", HELLO)
        for _ in range(20):
            assert pool.get(script, extra={"LONG": "x" * 999}) == "hello"
        record = pool.logged(lambda r: True, f"MESSAGE_ID={MESSAGE_ID['ACCESS_LOST']}")
        assert "/small/access.log were lost: No space left on device" in record["MESSAGE"]
        assert record["PRIORITY"] == "4"
        # There is room again: a line that was torn is ended, and the next ones are whole.
        machine.run("truncate", "-s", "0", "/small/access.log")
        for _ in range(2):
            pool.get(script, extra={"LONG": "whole"})
        wait_until(lambda: machine.read("/small/access.log").split() == ["whole"] * 2, what="two lines")
        machine.systemctl("stop", pool.unit)
        told = records(pool, "ACCESS_LOST")
        assert sum(int(r["PHP_ACCESS_LOST"]) for r in told) == 16


@pytest.mark.parametrize("path, reason", [
    ("/etc/access.log", "Read-only file system; ReadWritePaths= of the service would allow it."),
    ("/var/log/access.log", "Permission denied; the pool's user must be able to write there."),
])
def test_what_the_pool_may_not_write(machine, path, reason):
    with machine.pool("www") as pool:
        pool.start()
        machine.write(pool.file, settings(path))
        result = pool.ctl("reload", "www", check=False)
        assert result.returncode == 1
        assert f'access.log: "{path}" cannot be opened: {reason}' in result.stderr, result.stderr
        assert pool.run(HELLO) == "hello"
