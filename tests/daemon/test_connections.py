# SPDX-License-Identifier: MIT
"""Connections: kept ones, many, silent, broken and malicious ones. After each, the pool still answers."""

import os
import struct

import pytest

from lib import fastcgi
from lib.load import Load
from lib.scripts import HELLO
from lib.wait import wait_until


@pytest.fixture
def script(daemon):
    return daemon.script("hello.php", HELLO)


def test_kept_connection(daemon, script):
    with daemon.connect() as connection:
        for i in range(1, 21):
            response = connection.request(script, keep=True, request_id=i)
            assert (response.text, response.app_status, response.protocol_status) == ("hello", 0, 0)
        assert connection.request(script, keep=False).text == "hello"
        assert connection.ended()


def test_connection_that_is_not_kept_is_closed(daemon, script):
    with daemon.connect() as connection:
        assert connection.request(script).text == "hello"
        assert connection.ended()


def test_more_kept_connections_than_workers(daemon, script):
    """100 kept connections on 2 workers: all of them are served, again and again."""
    connections = [daemon.connect() for _ in range(100)]
    for _ in range(3):
        for connection in connections:
            assert connection.request(script, keep=True).text == "hello"
    for connection in connections:
        connection.start(script, keep=True)
    for connection in connections:
        assert connection.response().text == "hello"
    for connection in connections:
        connection.close()
    wait_until(lambda: daemon.status()["parked-connections"] == 0, what="no parked connection")


def test_kept_connections_survive_a_reload(daemon, script):
    connections = [daemon.connect() for _ in range(10)]
    for connection in connections:
        assert connection.request(script, keep=True).text == "hello"
    daemon.reload()
    for connection in connections:
        assert connection.request(script, keep=True).text == "hello"
        connection.close()


def test_a_kept_connection_outlives_the_workers(make_daemon):
    """Workers of an ondemand pool end when idle; what a parked client then sends starts one."""
    with make_daemon('pm = { mode = "ondemand"; process_idle_timeout = "1s"; };') as daemon:
        script = daemon.script("hello.php", HELLO)
        with daemon.connect() as connection:
            assert connection.request(script, keep=True).text == "hello"
            wait_until(lambda: daemon.status()["total-processes"] == 0, what="no worker")
            assert daemon.status()["parked-connections"] == 1
            assert connection.request(script, keep=True).text == "hello"


def test_silent_connections_hold_no_worker(daemon, script):
    silent = [daemon.connect() for _ in range(20)]
    assert daemon.get(script) == "hello"
    silent[0].send(fastcgi.begin())  # and one that begins and goes on later
    assert daemon.get(script) == "hello"
    for connection in silent:
        connection.close()


def test_many_at_once(daemon, script):
    def send():
        assert daemon.get(script) == "hello"

    with Load(send, clients=32) as load:
        load.wait_for(1000)
    assert load.lost == [], load


def test_request_in_small_pieces(daemon):
    echo = daemon.script("echo.php", "<?php echo file_get_contents('php://input');")
    params = fastcgi.encode_pairs(fastcgi.parameters(echo, "POST", body_length=5))
    data = (fastcgi.begin() + fastcgi.stream(fastcgi.PARAMS, params, chunk=7)
            + fastcgi.stream(fastcgi.STDIN, b"a=b&c", chunk=1))
    with daemon.connect() as connection:
        try:
            for i in range(0, len(data), 11):
                connection.send(data[i:i + 11])
        except BrokenPipeError:
            pass  # with all of the body, it need not wait for the record that ends it
        assert connection.response().text == "a=b&c"


def test_padding_is_skipped(daemon, script):
    params = fastcgi.encode_pairs(fastcgi.parameters(script))
    with daemon.connect() as connection:
        connection.send(fastcgi.begin() + fastcgi.record(fastcgi.PARAMS, params, padding=255)
                        + fastcgi.record(fastcgi.PARAMS, padding=3)
                        + fastcgi.record(fastcgi.STDIN, padding=7))
        assert connection.response().text == "hello"


def test_answers_are_padded_to_8_bytes(daemon, script):
    with daemon.connect() as connection:
        connection.start(script)
        data = b""
        while chunk := connection.reader.read(65536):
            data += chunk
    at = 0
    while at < len(data):
        _, _, _, length, padding = struct.unpack_from("!BBHHBx", data, at)
        assert (length + padding) % 8 == 0
        at += 8 + length + padding


def test_get_values(daemon, script):
    with daemon.connect() as connection:
        assert connection.get_values("FCGI_MPXS_CONNS", "FCGI_OTHER") == {"FCGI_MPXS_CONNS": "0"}
        assert connection.request(script).text == "hello"


def test_unknown_management_record(daemon, script):
    with daemon.connect() as connection:
        connection.send(fastcgi.record(99, b"x" * 20, request_id=0))
        kind, request_id, content = connection.read_record()
        assert (kind, request_id, content[0]) == (fastcgi.UNKNOWN_TYPE, 0, 99)
        assert connection.request(script).text == "hello"


@pytest.mark.parametrize("role", [0, 77])
def test_unknown_role(daemon, script, role):
    with daemon.connect() as connection:
        connection.send(fastcgi.begin(role=role, keep=True))
        assert connection.response().protocol_status == fastcgi.UNKNOWN_ROLE
        assert connection.request(script).text == "hello"


@pytest.mark.parametrize("role, name", [(1, "RESPONDER"), (2, "AUTHORIZER"), (3, "FILTER")])
def test_role_is_a_parameter(daemon, role, name):
    """As in PHP-FPM, each of the three runs the script."""
    script = daemon.script("role.php", "<?php echo $_SERVER['FCGI_ROLE'];")
    params = fastcgi.encode_pairs(fastcgi.parameters(script))
    with daemon.connect() as connection:
        connection.send(fastcgi.whole(params, role=role))
        assert connection.response().text == name


def test_a_second_request_inside_the_first_is_refused(daemon, script):
    with daemon.connect() as connection:
        connection.send(fastcgi.begin(request_id=1) + fastcgi.begin(request_id=2))
        assert connection.response(request_id=2).protocol_status == fastcgi.CANT_MPX_CONN
        connection.send(fastcgi.stream(fastcgi.PARAMS, fastcgi.encode_pairs(fastcgi.parameters(script)))
                        + fastcgi.stream(fastcgi.STDIN, b""))
        assert connection.response().text == "hello"


def test_abort_before_the_request_is_whole(daemon, script):
    with daemon.connect() as connection:
        connection.send(fastcgi.begin(keep=True) + fastcgi.record(fastcgi.ABORT_REQUEST))
        assert connection.response().protocol_status == fastcgi.REQUEST_COMPLETE
        assert connection.request(script).text == "hello"


@pytest.mark.parametrize("params", [
    fastcgi.encode_pairs({f"NAME_{i}": "x" * 1000 for i in range(5000)}),  # 5 MB in 5,000
    fastcgi.encode_pairs({f"N{i}": "" for i in range(200000)}),
    fastcgi.encode_pairs({"LONG": "x" * (8 << 20)}),
], ids=["much", "many", "long"])
def test_too_many_or_too_large_parameters(daemon, script, params):
    with daemon.connect() as connection:
        try:
            connection.send(fastcgi.whole(params))
        except (BrokenPipeError, ConnectionResetError):
            pass  # it need not read them all
        assert connection.response().status == 431
    assert daemon.get(script) == "hello"


def test_the_end_of_a_request_that_is_too_large_is_taken(daemon, script):
    """Apache sends the end of the body late, and shows an error of its own where the socket is closed by then."""
    params = fastcgi.encode_pairs({"LONG": "x" * (8 << 20)})
    with daemon.connect() as connection:
        connection.send(fastcgi.begin() + fastcgi.stream(fastcgi.PARAMS, params))
        assert connection.response().status == 431
        assert connection.ended()  # and yet:
        connection.send(fastcgi.record(fastcgi.STDIN, b"late"))
        connection.send(fastcgi.record(fastcgi.STDIN))
    assert daemon.get(script) == "hello"


def test_parameters_over_many_records(daemon):
    """32 KB of them, which is nothing unusual, in records of 100 bytes."""
    echo = daemon.script("echo.php", "<?php echo strlen($_SERVER['HTTP_COOKIE']);")
    params = fastcgi.encode_pairs(fastcgi.parameters(echo, extra={"HTTP_COOKIE": "c" * 32000}))
    with daemon.connect() as connection:
        connection.send(fastcgi.whole(params, chunk=100))
        assert connection.response().text == "32000"


HUGE_LENGTH = struct.pack("!II", 0xFFFFFFFF, 0xFFFFFFFF)
MALFORMED = {
    "random": os.urandom(4096),
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "version": fastcgi.record(fastcgi.BEGIN_REQUEST, bytes(8), version=2),
    "begin too short": fastcgi.record(fastcgi.BEGIN_REQUEST, b"\0"),
    "begin too long": fastcgi.record(fastcgi.BEGIN_REQUEST, b"\0\1" + bytes(100)),
    "params first": fastcgi.stream(fastcgi.PARAMS, b"\1\1ab"),
    "stdin first": fastcgi.stream(fastcgi.STDIN, b"x"),
    "claimed length": fastcgi.whole(HUGE_LENGTH),
    "cut pair": fastcgi.whole(b"\5\5ab"),
    "output records": (fastcgi.begin() + fastcgi.record(fastcgi.STDOUT, b"x")
                       + fastcgi.record(fastcgi.END_REQUEST, bytes(8))),
    "half a header": b"\1\1\0",
    "half a record": fastcgi.begin()[:-3],
    "get values cut": fastcgi.record(fastcgi.GET_VALUES, b"\x8f\xff\xff\xff", 0),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed(daemon, script, case):
    """Whatever a client sends: no worker dies of it, and the next client is served."""
    workers = daemon.workers()
    for _ in range(4):  # more than there are workers
        with daemon.connect() as connection:
            try:
                connection.send(MALFORMED[case])
            except (BrokenPipeError, ConnectionResetError):
                pass
    for _ in range(4):
        assert daemon.get(script) == "hello"
    assert daemon.workers() == workers


def test_client_that_leaves_before_its_answer(daemon, script):
    workers = daemon.workers()
    for _ in range(50):
        with daemon.connect() as connection:
            connection.start(script)
    for _ in range(4):
        assert daemon.get(script) == "hello"
    assert daemon.workers() == workers


def test_slow_parameters_have_a_limit(make_daemon):
    """request.header_timeout: half a request does not hold a worker for ever."""
    conf = 'pm = { mode = "static"; max_children = 1; }; request = { header_timeout = "200ms"; };'
    with make_daemon(conf) as daemon:
        script = daemon.script("hello.php", HELLO)
        with daemon.connect() as half:
            half.send(fastcgi.begin() + fastcgi.record(fastcgi.PARAMS, b"\5\5"))
            assert daemon.get(script) == "hello"
            assert half.ended()
