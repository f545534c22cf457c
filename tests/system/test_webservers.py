# SPDX-License-Identifier: MIT
"""
Each web server of php-pool(7), over Unix and TCP sockets, closing and keeping its connections to the pool:
what a script sees of a request, what a client sees of an answer, and what the pool does meanwhile.
"""

import base64
import contextlib
import hashlib
import http.client
import json

import pytest

from lib import scripts, webservers
from lib.load import Load
from lib.wait import wait_until

WORKERS = 4
CONF = f'pm = {{ mode = "static"; max_children = {WORKERS}; }};'
SOCKET = f"[Socket]\nListenStream={webservers.SOCKETS['tcp']}\n"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BYTES = {"Content-Type": "application/octet-stream"}
LARGE = bytes(range(256)) * 8192  # 2 MB

SEEN = """<?php
setcookie('crumb', 'new');
$body = file_get_contents('php://input');
echo json_encode([
    'get' => $_GET, 'post' => $_POST, 'cookie' => $_COOKIE, 'method' => $_SERVER['REQUEST_METHOD'],
    'path_info' => $_SERVER['PATH_INFO'] ?? '', 'self' => $_SERVER['PHP_SELF'],
    'uri' => $_SERVER['REQUEST_URI'],
    'script' => $_SERVER['SCRIPT_FILENAME'], 'root' => $_SERVER['DOCUMENT_ROOT'],
    'user' => $_SERVER['PHP_AUTH_USER'] ?? null, 'password' => $_SERVER['PHP_AUTH_PW'] ?? null,
    'size' => strlen($body), 'md5' => md5($body),
    'file' => isset($_FILES['f']) ? [$_FILES['f']['name'], md5_file($_FILES['f']['tmp_name'])] : null,
]);
"""
REDIRECT = "<?php header('Location: /seen.php');"
MEGABYTE = "<?php echo str_repeat('0123456789abcdef', 65536);"
# Says something each 10 ms, for so many times.
TALK = """<?php
for ($i = 0; $i < $_GET['times']; $i++) {
    echo str_repeat('x', 8192);
    flush();
    usleep(10000);
}
"""


@pytest.fixture(scope="module")
def pool(machine):
    with machine.pool("www", CONF, socket_=SOCKET) as pool:
        for name, code in {"seen": SEEN, "redirect": REDIRECT, "megabyte": MEGABYTE, "talk": TALK,
                           "short": scripts.SHORT, "hello": scripts.HELLO}.items():
            pool.script(f"{name}.php", code)
        with webservers.running(machine, pool.scripts):
            pool.start()
            yield pool


@pytest.fixture(params=webservers.SITES, ids=str)
def site(request, pool):
    return request.param


@pytest.fixture(params=[site for site in webservers.SITES if site.keep], ids=str)
def keeping_site(request, pool):
    return request.param


@contextlib.contextmanager
def connected(pool, site):
    client = http.client.HTTPConnection(webservers.HOST, site.port)
    client.sock = pool.machine.tcp(site.port)
    try:
        yield client
    finally:
        client.close()


def ask(client, target, method="GET", body=None, headers=None, **kwargs):
    """One request on a connection; the answer, with its body in `body`."""
    client.request(method, target, body, headers or {}, **kwargs)
    answer = client.getresponse()
    answer.body = answer.read()
    return answer


def fetch(pool, site, target, *args, **kwargs):
    with connected(pool, site) as client:
        return ask(client, target, *args, **kwargs)


def seen(pool, site, target, *args, **kwargs):
    """What the script saw of a request."""
    answer = fetch(pool, site, target, *args, **kwargs)
    assert answer.status == 200, (answer.status, answer.body)
    return json.loads(answer.body)


# ---- Requests ----


def test_get(pool, site):
    got = seen(pool, site, "/seen.php?a=1&b=two%20words")
    assert got["get"] == {"a": "1", "b": "two words"} and got["method"] == "GET"
    assert got["uri"] == "/seen.php?a=1&b=two%20words" and got["self"] == "/seen.php"
    assert got["script"] == f"{pool.scripts}/seen.php" and got["root"] == pool.scripts
    assert got["path_info"] == "" and got["size"] == 0 and got["user"] is None


@pytest.mark.parametrize("site", [s for s in webservers.SITES if s.server.name == "nginx"], ids=str)
def test_status(pool, site):
    """The location of php-pool(7), for those who scrape."""
    with connected(pool, site) as client:
        client.request("GET", "/status?json", headers={"Host": webservers.HOST})
        response = client.getresponse()
        assert response.status == 200
        assert json.loads(response.read())["pool"] == "www"


def test_path_info(pool, site):
    got = seen(pool, site, "/seen.php/some/where%20else?x=1")
    assert got["path_info"] == "/some/where else" and got["self"] == "/seen.php/some/where else"
    assert got["script"] == f"{pool.scripts}/seen.php" and got["get"] == {"x": "1"}


def test_form(pool, site):
    got = seen(pool, site, "/seen.php", "POST", "name=value&other=%C3%A9", FORM)
    assert got["post"] == {"name": "value", "other": "é"} and got["method"] == "POST"


def test_large_body(pool, site):
    got = seen(pool, site, "/seen.php", "POST", LARGE, BYTES)
    assert (got["size"], got["md5"]) == (len(LARGE), hashlib.md5(LARGE).hexdigest())


def test_chunked_body(pool, site):
    body = LARGE if site.server.takes_chunks else b"some"  # HAProxy takes what it can hold as a whole
    got = seen(pool, site, "/seen.php", "POST", iter([body]), BYTES | {"Transfer-Encoding": "chunked"},
               encode_chunked=True)
    assert (got["size"], got["md5"]) == (len(body), hashlib.md5(body).hexdigest())


def test_upload(pool, site):
    part = b'--edge\r\nContent-Disposition: form-data; name="f"; filename="f.bin"\r\n\r\n' + LARGE[:300000]
    got = seen(pool, site, "/seen.php", "POST", part + b"\r\n--edge--\r\n",
               {"Content-Type": "multipart/form-data; boundary=edge"})
    assert got["file"] == ["f.bin", hashlib.md5(LARGE[:300000]).hexdigest()]


def test_basic_auth(pool, site):
    token = base64.b64encode(b"user:pass:word").decode()
    got = seen(pool, site, "/seen.php", headers={"Authorization": f"Basic {token}"})
    assert (got["user"], got["password"]) == ("user", "pass:word")


def test_cookies(pool, site):
    answer = fetch(pool, site, "/seen.php", headers={"Cookie": "a=1; b=2"})
    assert json.loads(answer.body)["cookie"] == {"a": "1", "b": "2"}
    assert answer.headers["Set-Cookie"] == "crumb=new"


# ---- Answers ----


def test_missing(pool, site):
    assert fetch(pool, site, "/missing.php").status == 404


def test_redirect(pool, site):
    answer = fetch(pool, site, "/redirect.php")
    assert answer.status == 302 and answer.headers["Location"].endswith("/seen.php")


def test_head(pool, site):
    with connected(pool, site) as client:
        answer = ask(client, "/hello.php", "HEAD")
        assert (answer.status, answer.body) == (200, b"")
        assert ask(client, "/hello.php").body == b"hello"


def test_large_answer(pool, site):
    assert fetch(pool, site, "/megabyte.php").body == b"0123456789abcdef" * 65536


def test_many_short_answers(pool, site):
    """None overtakes the last record of its request, which Apache sends on its own."""
    with connected(pool, site) as client:
        for _ in range(50):
            answer = ask(client, "/hello.php")
            assert (answer.status, answer.body) == (200, b"hello")


def test_client_that_leaves(pool, site):
    """The script ends as soon as the web server says so, or else by itself: no worker stays busy."""
    times = 6000 if site.server.notices_abort else 20
    with connected(pool, site) as client:
        client.request("GET", f"/talk.php?times={times}")
        wait_until(lambda: pool.status()["active-processes"] == 1)
    wait_until(lambda: pool.status()["active-processes"] == 0)
    assert fetch(pool, site, "/hello.php").body == b"hello"


# ---- The pool ----


def test_reload_under_load(pool, site):
    def send():
        answer = fetch(pool, site, "/short.php")
        assert (answer.status, answer.body) == (200, b"done"), (answer.status, answer.body)

    with Load(send, clients=WORKERS + 2) as load:
        pool.machine.systemctl("reload", pool.unit)
        load.wait_for(WORKERS + 2)
    assert load.lost == [], load


def connections(pool, site):
    """The pool's ends of all connections to the site's socket."""
    out = pool.machine.run("ss", "-Hnxt", "state", "established").stdout
    ends = (tuple(line.split()[3:]) for line in out.splitlines())
    return {end for end in ends if end[0] == webservers.SOCKETS[site.socket]}


def test_connections(pool, site):
    """Further requests of a client come over connections that are there, where these are kept."""
    with connected(pool, site) as client:
        ask(client, "/hello.php")
        accepted, before = pool.status()["accepted-conn"], connections(pool, site)
        for _ in range(10):
            assert ask(client, "/hello.php").body == b"hello"
        if site.keep:
            assert before and connections(pool, site) <= before
        else:
            assert pool.status()["accepted-conn"] - accepted == 10


def test_idle_connections_hold_no_worker(pool, keeping_site):
    """More than there are workers, as many requests at once left them; all workers still take others."""
    n = 2 * WORKERS
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connected(pool, keeping_site)) for _ in range(n)]
        for client in clients:
            client.request("GET", "/short.php")
        for client in clients:
            answer = client.getresponse()
            assert (answer.status, answer.read()) == (200, b"done")
        assert len(connections(pool, keeping_site)) > WORKERS, pool.status()
        for _ in range(n):
            assert pool.get(f"{pool.scripts}/hello.php") == "hello"
        for client in clients:
            assert ask(client, "/hello.php").body == b"hello"
