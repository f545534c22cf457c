# SPDX-License-Identifier: MIT
"""The access log in a file: its lines, beside php8.2-fpm's, and what a reload makes of it."""

import base64
import collections
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess

import pytest

from lib import fastcgi
from lib.scripts import HELLO, Running, LONG
from lib.wait import wait_until

# Every code of which both have the same to say.
CODES = ("%% %{NAME}e %{EMPTY}e %{NONE}e %f %l %m %n %{X-Foo}o %{X-None}o %q %Q %r %R %s %u %{%Y %%}t "
         '"%m %r%Q%q" %{REQUEST_URI}e')
# And those that say something else each time: "NAME=%code" with what it looks like.
MEASURED = {
    "%C": r"\d+\.\d\d", "%{total}C": r"\d+\.\d\d", "%{user}C": r"\d+\.\d\d", "%{system}C": r"\d+\.\d\d",
    "%d": r"0\.\d{3}", "%{seconds}d": r"0\.\d{3}", "%{milli}d": r"\d+\.\d{3}", "%{mili}d": r"\d+\.\d{3}",
    "%{milliseconds}d": r"\d+\.\d{3}", "%{micro}d": r"\d+", "%{microseconds}d": r"\d+",
    "%M": r"2097152", "%{bytes}M": r"2097152", "%{kilo}M": r"2048", "%{kilobytes}M": r"2048", "%{mega}M": r"2",
    "%{megabytes}M": r"2", "%p": r"\d+", "%P": r"\d+",
    "%t": r"\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}", "%T": r"\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}",
    "%{%H:%M}T": r"\d\d:\d\d",
}
PAGE = "<?php header('X-Foo: b a r'); http_response_code((int) ($_GET['status'] ?? 200)); echo 'page';"
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


# ---- beside PHP-FPM ----

REQUESTS = {
    "plain": {},
    "head": {"method": "HEAD"},
    "query": {"query": "a=1&b=%20x"},
    "body": {"method": "POST", "body": b"a=1"},
    "body with a query": {"method": "PUT", "body": b"a=1", "query": "b"},
    "get with a length": {"extra": {"CONTENT_LENGTH": "3"}, "body": b"abc"},
    "get with no length": {"extra": {"CONTENT_LENGTH": "0"}},
    "status": {"query": "status=503"},
    "user": {"extra": {"HTTP_AUTHORIZATION": BASIC}},
    "another user": {"extra": {"REMOTE_USER": "jane"}},
    "both users": {"extra": {"REMOTE_USER": "jane", "HTTP_AUTHORIZATION": BASIC}},
    "digest": {"extra": {"HTTP_AUTHORIZATION": 'Digest username="joe"'}},
    "parameters": {"extra": {"NAME": "v a l", "EMPTY": ""}},
    "path info": {"path_info": "/more/info"},
    "another name": {"extra": {"SCRIPT_NAME": "/other name"}},
    "no name": {"extra": {"SCRIPT_NAME": None}},
    "no query": {"extra": {"QUERY_STRING": None, "REQUEST_URI": "/page.php?x"}},
    "no script": {"extra": {"SCRIPT_FILENAME": None}},
    "no method": {"extra": {"REQUEST_METHOD": None}},
    "not found": {"script": "none.php"},
    "extension": {"script": "page.txt"},
    "suppressed": {"extra": {"SCRIPT_NAME": "/health"}},
    "suppressed head": {"method": "HEAD", "extra": {"SCRIPT_NAME": "/health"}},
    "suppressed, but for its query": {"query": "a", "extra": {"SCRIPT_NAME": "/health"}},
    "suppressed, but for its method": {"method": "POST", "extra": {"SCRIPT_NAME": "/health"}},
    "suppressed, but for its body": {"body": b"abc", "extra": {"CONTENT_LENGTH": "3", "SCRIPT_NAME": "/health"}},
    "suppressed, but for its status": {"script": "none.php", "extra": {"SCRIPT_NAME": "/health"}},
}


@contextlib.contextmanager
def php_fpm(directory, log, format):
    """php8.2-fpm with these settings; yields its socket."""
    path, conf, errors = directory / "fpm.sock", directory / "fpm.conf", directory / "fpm.log"
    conf.write_text(f"[global]\nerror_log={errors}\ndaemonize=no\n[www]\nlisten={path}\nuser=root\ngroup=root\n"
                    f"pm=static\npm.max_children=1\naccess.log={log}\naccess.suppress_path[]=/health\n"
                    f"access.format='{format}'\n")
    process = subprocess.Popen(["php-fpm8.2", "-n", "-R", "-F", "-y", conf], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: errors.exists() and "ready to handle" in errors.read_text(), what="php8.2-fpm")
        yield path
    finally:
        process.terminate()
        process.wait()


def ask(path, directory, request):
    """Sends one of REQUESTS, on a connection of its own."""
    request = dict(request)
    script = str(directory / request.pop("script", "page.php")) + request.get("path_info", "")
    if info := request.pop("path_info", None):
        request["extra"] = {"SCRIPT_NAME": "/page.php" + info, "PATH_INFO": info}
    with fastcgi.connect_unix(path) as connection:
        connection.request(script, **request)


@pytest.mark.skipif(not shutil.which("php-fpm8.2"), reason="there is no php8.2-fpm")
def test_the_same_lines_as_php_fpm(make_daemon, tmp_path, log):
    other = tmp_path / "fpm-access.log"
    measured = "".join(f" [{code}]" for code in MEASURED)
    format = "%{NUMBER}e " + CODES + measured
    (tmp_path / "page.txt").write_text(PAGE)
    with make_daemon(settings(log, format, ["/health"], children=1)) as daemon, \
            php_fpm(tmp_path, other, format) as socket_of_fpm:
        daemon.script("page.php", PAGE)
        for number, (name, request) in enumerate(REQUESTS.items()):
            request = {**request, "extra": {**request.get("extra", {}), "NUMBER": f"{number}:{name}"}}
            if "path_info" in request:
                request.pop("extra")
            for path in (daemon.socket, socket_of_fpm):
                ask(path, tmp_path, request)
        # One more, so that all lines are there.
        n = len(REQUESTS) - 2
        ours, theirs = wait_lines(log, n), wait_lines(other, n)

    shape = "".join(rf" \[{pattern}\]" for pattern in MEASURED.values()) + "$"
    split = [[re.split(r" \[(?=\d+\.)", line, maxsplit=1) for line in lines] for lines in (ours, theirs)]
    assert [line[0] for line in split[0]] == [line[0] for line in split[1]]
    for line in ours + theirs:
        assert re.search(shape, line), line


def test_what_is_measured_is_true(make_daemon, log):
    with make_daemon(settings(log, "%p %P %{user}C %C %{micro}d %{mega}M", children=1)) as daemon:
        daemon.run("<?php $end = hrtime(true) + 2e8; while (hrtime(true) < $end); $a = str_repeat('x', 9 << 20);")
        daemon.run("<?php usleep(100000);")
        busy, asleep = (line.split() for line in wait_lines(log, 2))
        assert {int(busy[0])} == daemon.workers()
        assert int(busy[1]) == daemon.pid
        assert int(busy[4]) >= 200000 and int(asleep[4]) >= 100000
        assert int(busy[5]) >= 10 > int(asleep[5])
        # Others may have had the processor, too.
        assert float(busy[3]) >= float(busy[2]) > float(asleep[3]) and float(busy[3]) > 5
        assert float(asleep[3]) < 50


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
        assert wait_lines(log, 6)[3:] == ["/exit.php 200", "/finish.php 500", "/throw.php 500"]


def test_a_client_that_went_away(make_daemon, log):
    with make_daemon(settings(log, "%r %s")) as daemon:
        gate = daemon.directory / "gate"
        script = daemon.script("gone.php", f"""<?php while (!file_exists('{gate}')) usleep(1000);
            for ($i = 0; $i < 1000; $i++) {{ echo str_repeat('x', 100000); flush(); }}""")
        with daemon.connect() as connection:
            connection.start(script)
            wait_until(lambda: any(p["state"] == "Running" for p in daemon.status()["processes"]))
        gate.touch()
        assert wait_lines(log, 1) == ["/gone.php 200"]


def test_the_client_does_not_wait_for_its_line(make_daemon, tmp_path):
    """The log is a pipe that nobody empties."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
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


def test_peer_over_tcp(make_daemon, log):
    """%R is the web server, not the client that it speaks for."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    daemon = make_daemon(settings(log, "%R %{REMOTE_ADDR}e"))
    daemon.launch(listen=f"127.0.0.1:{port}")

    def connect():
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port), 30, ("127.0.0.9", 0))

    try:
        with fastcgi.Connection(wait_until(connect, what="a socket")) as connection:
            script = daemon.script("hello.php", HELLO)
            for _ in range(2):
                connection.request(script, keep=True, extra={"REMOTE_ADDR": "192.0.2.1"})
        assert wait_lines(log, 2) == ["127.0.0.9 192.0.2.1"] * 2
        daemon.stop()
    finally:
        daemon._end()


def test_no_client_forges_a_line(make_daemon, log):
    with make_daemon(settings(log, '"%r" %s')) as daemon:
        daemon.get(daemon.script("hello.php", HELLO), extra={"SCRIPT_NAME": '/x" 200\n"/forged'})
        assert wait_lines(log, 1) == [r'"/x\x22 200\x0A\x22/forged" 200']


# ---- the status ----

def test_user_on_the_scoreboard(daemon):
    script = daemon.script("gate.php", "<?php while (!file_exists(__DIR__ . '/gate')) usleep(1000);")
    with daemon.connect() as connection:
        connection.start(script, extra={"HTTP_AUTHORIZATION": BASIC, "REMOTE_USER": "jane"})
        wait_until(lambda: "joe" in [p["user"] for p in daemon.status()["processes"]], what="the user")
        (daemon.directory / "gate").touch()
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
    daemon.launch()
    try:
        assert daemon.process.wait(30) != 0
        assert re.search(r'access\.log: "/nowhere/access\.log" cannot be opened: No such file', daemon.logged())
    finally:
        daemon._end()


def test_a_wrong_format_has_a_place(make_daemon, log):
    with make_daemon(settings(log, "%s")) as daemon:
        daemon.conf.write_text('access = {\n  log = "journal";\n  format = "%s %{nanos}d";\n};\n')
        for command in (["reload", "www"], ["check", daemon.conf]):
            result = daemon.ctl(*command)
            assert result.returncode == 1, result
            assert re.search(r'www\.conf:3: access\.format: has "%\{nanos\}d"; in the braces stands one of "seconds"',
                             result.stderr), result
