# SPDX-License-Identifier: MIT
"""The access log in a file: what is measured, which requests have a line, what a reload makes of it."""

import base64
import collections
import json
import os
import re

import pytest

from lib import fastcgi
from lib.php import at_least
from lib.scripts import HELLO, Running, LONG
from lib.wait import wait_until

BASIC = "Basic " + base64.b64encode(b"joe:secret").decode()


def settings(log, format="%m %r %s", suppress=(), children=2):
    return (f'pm = {{ mode = "static"; max_children = {children}; }};\n'
            f"access = {{ log = {json.dumps(str(log))}; format = {json.dumps(format)};"
            f" suppress_path = {json.dumps(suppress)}; }};\n")


def wait_lines(log, n):
    """The log's lines, once there are n: they are written behind the answers."""
    def lines():
        found = log.read_text().splitlines() if log.exists() else []
        assert len(found) <= n, found
        return found if len(found) == n else None

    return wait_until(lines, what=f"{n} lines in {log}") if n else []


@pytest.fixture
def log(tmp_path):
    return tmp_path / "access.log"


# ---- what it says ----

# It burns a fifth of a second of the processor, and 9 MB.
BURN = """<?php
    function used() { $r = getrusage(); return $r["ru_utime.tv_sec"] + $r["ru_utime.tv_usec"] / 1e6; }
    $end = used() + 0.2;
    while (used() < $end) for ($i = 0; $i < 10000; $i++);
    $a = str_repeat('x', 9 << 20);
"""


def test_what_is_measured_is_true(make_daemon, log):
    with make_daemon(settings(log, "%p %P %{user}C %C %{micro}d %{mega}M", children=1)) as daemon:
        daemon.run(BURN)
        daemon.run("<?php usleep(100000);")  # what is measured here: time without the processor
        busy, asleep = (line.split() for line in wait_lines(log, 2))
        assert {int(busy[0])} == daemon.workers()
        assert int(busy[1]) == daemon.pid
        assert int(busy[4]) >= 200000 and int(asleep[4]) >= 100000
        assert int(busy[5]) >= 10 > int(asleep[5])
        # How much of the processor that is depends on what others had of it: seconds do not.
        seconds = [[float(line[i]) / 100 * int(line[4]) / 1e6 for i in (2, 3)] for line in (busy, asleep)]
        assert seconds[0][1] >= seconds[0][0] > 0.15 and seconds[1][1] < 0.1


# ---- which requests have a line, and when ----

def test_each_request_has_a_line(make_daemon, log):
    with make_daemon(settings(log, "%r%Q%q %s", children=1)) as daemon:
        hello = daemon.script("hello.php", HELLO)
        with daemon.connect() as connection:
            for i in range(3):
                connection.request(hello, keep=True, query=str(i))
        assert wait_lines(log, 3) == [f"/hello.php?{i} 200" for i in range(3)]
        daemon.run("<?php exit(1);", "exit.php")
        daemon.run("<?php fastcgi_finish_request(); http_response_code(500);", "finish.php")
        assert daemon.request(daemon.script("throw.php", "<?php throw new Exception;")).status == 500
        # From 8.4 on, http_response_code() does nothing once the head has gone.
        finished = 200 if at_least(8, 4) else 500
        assert wait_lines(log, 6)[3:] == ["/exit.php 200", f"/finish.php {finished}", "/throw.php 500"]


def test_a_client_that_went_away(make_daemon, log):
    with make_daemon(settings(log, "%r %s")) as daemon:
        script = daemon.script("gone.php", f"""<?php {daemon.gate("client")}
            for ($i = 0; $i < 1000; $i++) {{ echo str_repeat('x', 100000); flush(); }}""")
        with daemon.connect() as connection:
            connection.start(script)
            wait_until(lambda: any(p["state"] == "Running" for p in daemon.status()["processes"]))
        daemon.open_gate("client")
        assert wait_lines(log, 1) == ["/gone.php 200"]


def test_lines_may_swap(make_daemon, log):
    """A line is written behind the answer: that of another worker's later request may come first."""
    with make_daemon(settings(log, "%r %s")) as daemon:
        first, second = (daemon.script(name, HELLO) for name in ("first.php", "second.php"))
        with daemon.connect() as connection:
            params = fastcgi.encode_pairs(fastcgi.parameters(first, method="PUT", body_length=1))
            connection.send(fastcgi.begin() + fastcgi.stream(fastcgi.PARAMS, params))
            assert connection.response().text == "hello"  # the body, which the worker drops, is still to come
            assert daemon.get(second) == "hello"
            assert wait_lines(log, 1) == ["/second.php 200"]
            connection.send(fastcgi.stream(fastcgi.STDIN, b"x"))
            assert wait_lines(log, 2) == ["/second.php 200", "/first.php 200"]


def test_the_client_does_not_wait_for_its_line(make_daemon, tmp_path):
    """The log is a pipe that nobody empties."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    pipe.chmod(0o666)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with make_daemon(settings(pipe, "%{NAME}e", children=1)) as daemon:
        hello = daemon.script("hello.php", HELLO)
        for _ in range(100):
            assert daemon.get(hello, extra={"NAME": "x" * 10000}) == "hello"
        assert re.search(r"lines of the access log \S+/pipe were lost: Resource temporarily", daemon.logged())
        os.close(reader)
        assert daemon.get(hello) == "hello"


def test_a_full_disk(make_daemon):
    with make_daemon(settings("/dev/full", children=1)) as daemon:
        for _ in range(20):
            assert daemon.run(HELLO) == "hello"
    assert "1 lines of the access log /dev/full were lost: No space left on device" in daemon.logged()
    assert "19 lines of the access log /dev/full were lost: No space left on device" in daemon.logged()


@pytest.mark.parametrize("listen, host, source", [
    ("127.0.0.1", "127.0.0.1", "127.0.0.9"),
    ("[::]", "::1", "::1"),
    ("[::]", "127.0.0.1", "127.0.0.9"),
], ids=["ipv4", "ipv6", "both"])
def test_peer_over_tcp(make_daemon, log, listen, host, source):
    """%R is the web server, not the client that it speaks for; one of IPv4 also where the socket is for both."""
    port = fastcgi.free_port()
    with make_daemon(settings(log, "%R %{REMOTE_ADDR}e"), tcp=[f"{listen}:{port}"]) as daemon:
        with fastcgi.connect_tcp(host, port, source) as connection:
            script = daemon.script("hello.php", HELLO)
            for _ in range(2):
                connection.request(script, keep=True, extra={"REMOTE_ADDR": "192.0.2.1"})
        assert wait_lines(log, 2) == [f"{source} 192.0.2.1"] * 2


def test_no_client_forges_a_line(make_daemon, log):
    with make_daemon(settings(log, '"%r" %s')) as daemon:
        daemon.get(daemon.script("hello.php", HELLO), extra={"SCRIPT_NAME": '/x" 200\n"/forged'})
        assert wait_lines(log, 1) == [r'"/x\x22 200\x0A\x22/forged" 200']


# ---- the status ----

def test_user_on_the_scoreboard(daemon):
    script = daemon.script("gate.php", f"<?php {daemon.gate('user')}")
    with daemon.connect() as connection:
        connection.start(script, extra={"HTTP_AUTHORIZATION": BASIC, "REMOTE_USER": "jane"})
        wait_until(lambda: "joe" in [p["user"] for p in daemon.status()["processes"]], what="the user")
        daemon.open_gate("user")
        connection.response()


# ---- reloads ----

def test_a_reload_opens_it_anew(make_daemon, tmp_path, log):
    """As logrotate has it: no line is lost, and those from the reload on are in the new file."""
    old = tmp_path / "access.log.1"
    with make_daemon(settings(log, "%{NUMBER}e")) as daemon:
        hello = daemon.script("hello.php", HELLO)
        running = Running(daemon, daemon.script("long.php", LONG), extra={"NUMBER": "long"})
        daemon.get(hello, extra={"NUMBER": "before"})
        wait_lines(log, 1)
        log.rename(old)
        daemon.get(hello, extra={"NUMBER": "between"})
        assert daemon.ctl("reload", "www").returncode == 0
        daemon.get(hello, extra={"NUMBER": "after"})
        assert wait_lines(log, 1) == ["after"]
        assert running.finish()
        assert collections.Counter(wait_lines(old, 3)) == collections.Counter(["before", "between", "long"])
        assert log.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("target, reason", [
    ("/nowhere/access.log", r'access\.log: "/nowhere/access\.log" cannot be opened: No such file or directory'),
    ("/", r'access\.log: "/" cannot be opened: Is a directory'),
])
def test_a_file_that_cannot_be_opened(make_daemon, log, target, reason):
    with make_daemon(settings(log, "%s")) as daemon:
        daemon.conf.write_text(settings(target))
        result = daemon.ctl("reload", "www")
        assert result.returncode == 1 and re.search(reason, result.stderr), result
        assert daemon.run(HELLO) == "hello"
        assert wait_lines(log, 1) == ["200"]


def test_a_start_without_its_file(make_daemon):
    daemon = make_daemon(settings("/nowhere/access.log"))
    with daemon.failing() as status:
        assert status != 0
        assert re.search(r'access\.log: "/nowhere/access\.log" cannot be opened: No such file', daemon.logged())


def test_a_wrong_format_has_a_place(make_daemon, log):
    with make_daemon(settings(log, "%s")) as daemon:
        daemon.conf.write_text('access = {\n  log = "journal";\n  format = "%s %{nanos}d";\n};\n')
        for command in (["reload", "www"], ["check", daemon.conf]):
            result = daemon.ctl(*command)
            assert result.returncode == 1, result
            assert re.search(r'www\.conf:3: access\.format: has "%\{nanos\}d"; in the braces stands one of "seconds"',
                             result.stderr), result
