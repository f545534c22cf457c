# SPDX-License-Identifier: MIT
"""
The status page in all its formats, over the pool's own socket and over the manager's; the ping. Each format
is read by a strict parser. That they are PHP-FPM's is for tests/compat to say, as is fpm_get_status().
"""

import contextlib
import html.parser
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

from lib import fastcgi, metrics
from lib.daemon import SANITIZERS
from lib.php import at_least
from lib.scripts import HELLO, Running, hang
from lib.wait import wait_until

CONF = 'pm = { mode = "static"; max_children = 2; };\n'
FORMATS = ("", "html", "json", "xml", "openmetrics")
TYPES = {
    "": "text/plain;charset=UTF-8", "html": "text/html;charset=UTF-8", "json": "application/json",
    "xml": "text/xml;charset=UTF-8",
    "openmetrics": "application/openmetrics-text; version=1.0.0; charset=utf-8",
}


@pytest.fixture
def pool(make_daemon):
    """As `daemon`, with a status socket."""
    pool = make_daemon(CONF)
    pool.with_status_socket = True
    with pool:
        pool.wait_idle(2)
        yield pool


def page(socket, query="", path="/status", method="GET", **kwargs):
    """One request for what is no script."""
    with fastcgi.connect_unix(socket) as connection:
        return connection.request("/nowhere" + path, query=query, method=method,
                                  extra={"SCRIPT_NAME": path}, **kwargs)


def both(pool):
    return pool.socket, pool.status_socket


# ---- Parsers: each gives [(name, value)] of the pool and a list of the same for each worker ----

class Tables(html.parser.HTMLParser):
    """Rows of cells; fails for tags that do not match, and for what is not escaped."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.rows, self.open, self.tags = [], [], set()
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("th", "td"):
            self.rows[-1][-1] += data


def read_html(text):
    tables = Tables(text)
    assert tables.tags == {"html", "head", "title", "body", "table", "tr", "th", "td"}
    names = next((row for row in tables.rows if len(row) > 2), None)
    pool = [tuple(row) for row in tables.rows if len(row) == 2]
    return pool, [list(zip(names, row)) for row in tables.rows if len(row) > 2 and row is not names]


def read_text(text):
    blocks = [[tuple(re.split(r":\s+", line, maxsplit=1)) for line in block.splitlines() if line]
              for block in text.split("\n************************\n")]
    return blocks[0], blocks[1:]


def read_json(text):
    members = json.loads(text)
    workers = [list(worker.items()) for worker in members.pop("processes", [])]
    return list(members.items()), workers


def read_xml(text):
    root = ElementTree.fromstring(text)
    assert root.tag == "status"
    workers = [[(item.tag, item.text) for item in worker] for worker in root.findall("processes/process")]
    return [(item.tag, item.text) for item in root if item.tag != "processes"], workers


READERS = {"": read_text, "html": read_html, "json": read_json, "xml": read_xml}


# ---- The ping ----

def test_ping(pool):
    """The same from a worker and from the manager."""
    for method, body in (("GET", b"pong"), ("HEAD", b"")):
        theirs, ours = (page(socket, path="/ping", method=method) for socket in both(pool))
        assert theirs.out == ours.out and theirs.body == body
        assert theirs.header("Content-Type") == TYPES[""]


# ---- The page itself ----

def test_every_format_over_both_sockets(pool):
    for socket in both(pool):
        for form in READERS:
            for full in (False, True):
                answer = page(socket, form + "&full" * full)
                assert (answer.status, answer.app_status, answer.err) == (200, 0, b"")
                assert answer.header("Content-Type") == TYPES[form]
                fields, workers = READERS[form](answer.text)
                assert dict(fields)["pool"] == "www"
                assert len(workers) == (2 if full else 0)
        answer = page(socket, "openmetrics&full")
        found = metrics.families(answer.text)
        assert found["phpfpm_up"] == ("gauge", {frozenset({("pool", "www")}): 1})
        assert all(("pool", "www") in labels for _, samples in found.values() for labels in samples)
        assert answer.text.endswith("\n# EOF\n")


def test_numbers(pool):
    script = pool.script("hello.php", HELLO)
    for _ in range(3):
        assert pool.get(script) == "hello"
    pool.wait_idle(2)
    known = {"accepted-conn": 5, "requests": 3, "idle-processes": 2, "active-processes": 0, "total-processes": 2,
             "max-children": 2, "slow-requests": 0, "generation": 1, "listen-queue": 0}
    known["accepted-conn"] = pool.status()["accepted-conn"]
    fields = dict(read_xml(page(pool.status_socket, "xml").text)[0])
    assert {name: int(fields[name]) for name in known} == known
    assert fields["state"] == "running" and fields["process-manager"] == "static"
    found = metrics.families(page(pool.status_socket, "openmetrics").text)
    pool_label = frozenset({("pool", "www")})
    assert found["phppool_requests"] == ("counter", {pool_label: 3})
    assert found["phpfpm_idle_processes"] == ("gauge", {pool_label: 2})
    # Over the pool's socket the worker that answers is active, and is shown with this request.
    fields, workers = read_json(page(pool.socket, "json&full").text)
    assert (dict(fields)["active processes"], dict(fields)["max active processes"]) == (1, 1)
    [self] = [dict(w) for w in workers if dict(w)["state"] == "Running"]
    assert (self["request method"], self["request uri"], self["script"], self["user"]) == (
        "GET", "/status?json&full", "-", "-")
    assert self["last request memory"] == 0


def test_what_workers_ended_of(make_daemon):
    with make_daemon('pm = { mode = "static"; max_children = 1; max_requests = 2; };') as pool:
        script = pool.script("hello.php", HELLO)
        first = pool.workers()
        assert [pool.get(script) for _ in range(4)] == ["hello"] * 4
        wait_until(lambda: pool.status()["recycled-max-requests"] == 2, what="two recycled workers")
        pool.wait_idle(1)
        [pid] = pool.workers() - first
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: pool.status()["recycled-crashed"] == 1, what="one crash")
        pool.wait_idle(1)
        status = pool.status()
        assert (status["requests"], status["recycled-max-requests"], status["recycled-retired"]) == (4, 2, 0)
        labels = frozenset({("pool", "www"), ("cause", "crashed")})
        assert metrics.families(page(pool.socket, "openmetrics").text)["phppool_recycled"][1][labels] == 1


def test_memory_peak(make_daemon):
    """The most that a request has had, also of a worker that is gone; of PHPs whose PHP-FPM shows it."""
    with make_daemon('pm = { mode = "static"; max_children = 1; max_requests = 1; };') as pool:
        large = pool.script("large.php", "<?php $s = str_repeat('x', 20 << 20); unset($s); echo 'large';")
        assert pool.get(large) == "large"
        wait_until(lambda: pool.status()["recycled-max-requests"] == 1, what="the worker gone")
        assert pool.get(pool.script("hello.php", HELLO)) == "hello"
        wait_until(lambda: pool.status()["recycled-max-requests"] == 2, what="the next one gone")
        pool.wait_idle(1)
        shown = {form: dict(read(page(pool.socket, form).text)[0]) for form, read in READERS.items()}
        function = json.loads(pool.run("<?php echo json_encode(fpm_get_status());"))
        if not at_least(8, 4):
            assert [name for fields in (*shown.values(), function, pool.status()) for name in fields
                    if "peak" in name] == []
            return
        peak = pool.status()["memory-peak"]
        assert 20 << 20 < peak < 30 << 20
        assert function["memory-peak"] == peak
        assert {int(value) for fields in shown.values() for name, value in fields.items() if "peak" in name} == {peak}
        assert all(sum("peak" in name for name in fields) == 1 for fields in shown.values())
        labels = frozenset({("pool", "www")})
        shown = metrics.families(page(pool.socket, "openmetrics").text)
        assert shown["phpfpm_memory_peak"] == ("gauge", {labels: peak})


HOSTILE = [b"/<script>alert(1)</script>&\"'", b"/\x01\x1b[31m\r\nX: y", b"/\xff\xfe\xc3(\xed\xa0\x80", b"/\\u0000\\",
           "/ä\ufffe€😀".encode(), b"/]]>-->", b"/%s%n"]


@pytest.mark.parametrize("uri", HOSTILE)
def test_hostile_requests(pool, uri):
    script = pool.script("hang.php", hang(pool.gate("hang")))
    running = Running(pool, script, extra={"REQUEST_URI": uri, "REQUEST_METHOD": b"G<"})
    try:
        for form, read in READERS.items():
            answer = page(pool.status_socket, form + "&full")
            workers = read(answer.body.decode())[1]
            assert len(workers) == 2
            assert b"<script>alert" not in answer.body or form in ("", "json")
            [shown] = [value for worker in workers for name, value in worker
                       if name.replace("-", " ").lower() == "request uri" and value != "-"]
            if uri.isascii() and uri.decode().isprintable():
                assert shown == uri.decode()
        code = "<?php echo count(fpm_get_status()['procs']);"
        assert pool.get(pool.script("function.php", code)) == "2"
    finally:
        pool.open_gate("hang")
        assert running.finish()


def test_head_and_paths(pool):
    for socket in both(pool):
        for form in FORMATS:
            answer = page(socket, form, method="HEAD")
            assert (answer.status, answer.body, answer.header("Content-Type")) == (200, b"", TYPES[form])
    # Elsewhere the pool's socket looks for a script, and the manager's shows the status.
    assert page(pool.socket, "json", "/elsewhere").status == 404
    assert json.loads(page(pool.status_socket, "json", "/elsewhere").text)["pool"] == "www"
    # A file of that name does not hide it, and no query is a format that has more in it.
    script = pool.script("status", HELLO)
    with pool.connect() as connection:
        assert "pool: " in connection.request(script, query="jsonp&x=html").text


def test_paths_of_the_pool_file(make_daemon):
    conf = 'status = { path = "/s/x"; }; ping = { path = "/p"; response = "<ok>"; };'
    with make_daemon(conf + CONF) as pool:
        assert page(pool.socket, path="/s/x").status == 200
        assert page(pool.socket, path="/p").text == "<ok>"
        assert [page(pool.socket, path=p).status for p in ("/status", "/ping")] == [404, 404]


def test_off(make_daemon):
    with make_daemon('status = { path = ""; }; ping = { path = ""; };' + CONF) as pool:
        assert [page(pool.socket, path=p).status for p in ("/status", "/ping", "")] == [404] * 3
        assert pool.run("<?php echo fpm_get_status()['pool'];") == "www"


# ---- When things are bad ----

def test_all_workers_hang(pool):
    script = pool.script("hang.php", hang(pool.gate("hang")))
    running = [Running(pool, script) for _ in range(2)]
    with pool.connect() as waiting:
        waiting.start(pool.script("hello.php", HELLO))
        fields, workers = read_json(page(pool.status_socket, "json&full").text)
        assert dict(fields)["active processes"] == 2 and dict(fields)["idle processes"] == 0
        assert dict(fields)["listen queue"] == 1
        assert [dict(w)["state"] for w in workers] == ["Running"] * 2
        assert page(pool.status_socket, path="/ping").text == "pong"
        for form in FORMATS:
            assert page(pool.status_socket, f"{form}&full").status == 200
        pool.open_gate("hang")
        assert all(r.finish() for r in running)
        assert waiting.response().text == "hello"


def test_stuck_manager(pool):
    """A worker asks it for no longer than its patience, and serves on."""
    script = pool.script("hello.php", HELLO)
    os.kill(pool.pid, signal.SIGSTOP)
    try:
        answer = page(pool.socket, "json")
        assert (answer.status, answer.text) == (503, "Status not available.\n")
        assert page(pool.socket, path="/ping").text == "pong"
        assert pool.get(script) == "hello"
    finally:
        os.kill(pool.pid, signal.SIGCONT)
    assert page(pool.socket, "json").status == 200


def test_top(pool):
    """Each second a new page."""
    with subprocess.Popen(pool.ctl_command("top", "www"), env={**os.environ, **SANITIZERS}, stdout=subprocess.PIPE,
                          text=True) as top:
        try:
            ages = []
            while len(ages) < 2:
                line = top.stdout.readline()
                assert line, "it ended"
                if line.startswith("start since:"):
                    ages.append(line)
        finally:
            top.send_signal(signal.SIGINT)
    assert ages[0] != ages[1]
    assert pool.ctl("top", "nowhere").returncode == 4


def test_parked_connections_are_not_active(pool):
    script = pool.script("hello.php", HELLO)
    with pool.connect() as one, pool.connect() as two, pool.connect() as three:
        for connection in (one, two, three):
            assert connection.request(script, keep=True).text == "hello"
        wait_until(lambda: dict(read_json(page(pool.status_socket, "json").text)[0])["active processes"] == 0,
                   what="idle workers with kept connections")


def test_kept_status_connection(pool):
    with fastcgi.connect_unix(pool.status_socket) as connection:
        for i in range(3):
            answer = connection.request("/x", query="json", keep=True, body=b"x" * 9000, method="POST")
            assert json.loads(answer.text)["pool"] == "www"
        assert connection.get_values("FCGI_MPXS_CONNS") == {"FCGI_MPXS_CONNS": "0"}
        assert connection.request("/x", keep=False).status == 200
        assert connection.ended()


def test_slow_client_of_the_status_socket(pool):
    """More answers than the socket holds: the manager goes on with others, and later with these."""
    n = 100
    with fastcgi.connect_unix(pool.status_socket) as slow:
        params = fastcgi.encode_pairs({"QUERY_STRING": "html&full"})
        slow.send(fastcgi.whole(params, keep=True) * n)
        for _ in range(3):
            assert page(pool.status_socket, "json").status == 200
        for _ in range(n):
            assert len(read_html(slow.response().text)[1]) == 2


def test_workers_are_told_that_somebody_looks(pool):
    """The flag is on the scoreboards of this generation and of the next: three words behind a first cache line."""
    def watched():
        found = []
        for fd in pathlib.Path(f"/proc/{pool.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # php-poolctl's connection, closed meanwhile
                if "php-pool-scoreboard" in os.readlink(fd):
                    with open(fd, "rb") as board:
                        found.append(int.from_bytes(os.pread(board.fileno(), 4, 64 + 8), sys.byteorder))
        return found

    assert watched() == [1]  # the fixture has asked
    pool.reload()
    wait_until(lambda: watched() == [1], what="the new generation alone")


def test_bad_clients_of_the_status_socket(pool):
    def count():
        """Descriptors of the manager, but for timers: sd-event makes one for each clock that it comes to need."""
        pool.descriptors()
        names = [os.readlink(path) for path in pathlib.Path(f"/proc/{pool.pid}/fd").iterdir()]
        return sum("timerfd" not in name for name in names)

    descriptors = count()
    silent = [fastcgi.connect_unix(pool.status_socket) for _ in range(12)]
    with fastcgi.connect_unix(pool.status_socket) as garbage:
        garbage.send(b"GET / HTTP/1.1\r\n\r\n")
        assert garbage.ended()
    assert page(pool.status_socket).status == 200
    assert all(connection.ended() for connection in silent)  # their time is up
    for connection in silent:
        connection.close()
    assert page(pool.status_socket).status == 200
    wait_until(lambda: count() == descriptors, what="every client gone")


def test_one_client_too_many_of_the_status_socket(pool):
    """Who asks is answered: the place is that of who was silent for longest."""
    clients = [fastcgi.connect_unix(pool.status_socket) for _ in range(16)]
    for connection in clients:
        assert connection.request("/x", query="json", keep=True).status == 200
    assert clients[0].request("/x", query="json", keep=True).status == 200
    for _ in range(3):
        clients.append(fastcgi.connect_unix(pool.status_socket))
        assert clients[-1].request("/x", query="json", keep=True).status == 200
    assert all(connection.ended() for connection in clients[1:4])
    for connection in clients[:1] + clients[4:]:
        assert connection.request("/x", query="json", keep=True).status == 200
    for connection in clients:
        connection.close()
    assert pool.logged().count("More than 16 clients of the status socket") == 1


def test_too_large_for_the_status_socket(pool):
    """Its end is waited for: Apache sends it late, and would find the connection closed."""
    head = fastcgi.stream(fastcgi.PARAMS, fastcgi.encode_pairs({"A": "x" * 2**20}))
    end = fastcgi.record(fastcgi.STDIN, b"late") + fastcgi.record(fastcgi.STDIN)
    with fastcgi.connect_unix(pool.status_socket) as large, fastcgi.connect_unix(pool.status_socket) as kept:
        large.send(fastcgi.begin() + head)
        kept.send(fastcgi.begin(keep=True) + head + end)
        assert kept.response().status == 431
        assert kept.request("/x", keep=True).status == 200
        large.sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            large.sock.recv(1)
        large.sock.settimeout(30)
        large.send(end)
        assert large.response().status == 431
        assert large.ended()
        # One that ends it by the next.
        kept.send(fastcgi.begin(keep=True) + head + fastcgi.begin(keep=True, request_id=2)
                  + fastcgi.stream(fastcgi.PARAMS, b"", 2) + fastcgi.record(fastcgi.STDIN, b"", 2))
        assert kept.response().status == 431
        assert kept.response(2).status == 200


def test_status_socket_is_no_workers(pool):
    inode = os.stat(pool.status_socket).st_ino
    listening = {line.split()[6] for line in open("/proc/net/unix") if line.rstrip().endswith(str(pool.status_socket))}
    assert inode and listening
    for pid in pool.workers() | pool.templates():
        links = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
        assert not links & {f"socket:[{i}]" for i in listening}


def test_a_pool_that_is_starting(make_daemon):
    """Has no worker, and no field that is out of this world."""
    pool = make_daemon()
    pool.with_status_socket = True
    warmup = pool.script("warmup.php", "<?php " + pool.gate("start"))
    pool.conf.write_text(CONF + f'reload = {{ warmup = ["{warmup}"]; }};')
    with pool.launched():
        wait_until(pool.status_socket.exists, what="the status socket")
        for form, read in READERS.items():
            fields, workers = read(page(pool.status_socket, form + "&full").text)
            fields = {name.replace("-", " "): value for name, value in fields}
            assert workers == []
            assert int(fields["start since"]) < 3600, fields
            assert (fields["state"], fields["process manager"]) == ("starting", "static")
        assert metrics.families(page(pool.status_socket, "openmetrics&full").text)
        pool.open_gate("start")
        pool.wait_notified(lambda n: n.get("READY") == "1")
        pool.wait_idle(2)
        _, workers = read_json(page(pool.status_socket, "json&full").text)
        for worker in map(dict, workers):
            assert int(worker["start since"]) < 3600 and int(worker["start time"]) > 1_000_000_000, worker
