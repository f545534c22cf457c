# SPDX-License-Identifier: MIT
"""Clients that send nothing, half a request, or a byte now and then, or take no answer: they hold no worker."""

import contextlib
import os
import select
import signal

import pytest

from lib import fastcgi
from lib.load import Load
from lib.scripts import HELLO, Running, hang
from lib.wait import wait_until

MANY = 1000
FOUR = 'pm = { mode = "static"; max_children = 4; };\n'
ONE = 'pm = { mode = "static"; max_children = 1; };\n'
PATIENT = 'request = { header_timeout = "10min"; };\n'
LARGE = "<?php ob_start(); echo str_repeat('x', 8 << 20);"

pytestmark = pytest.mark.usefixtures("descriptors")


@pytest.fixture
def clients(request):
    """Makes connections, which are closed at the end."""
    made = []

    def connect(daemon, n):
        connections = [daemon.connect() for _ in range(n)]
        made.extend(connections)
        return connections

    yield connect
    for connection in made:
        connection.close()


def whole(script, keep=False, extra=None):
    return fastcgi.whole(fastcgi.encode_pairs(fastcgi.parameters(script, extra=extra)), keep=keep)


def serves_others(daemon, script, n=200):
    """The pool answers, with all of its workers, as if nobody else were there."""
    workers = daemon.workers()

    def send():
        assert daemon.get(script) == "hello"

    with Load(send, clients=8) as load:
        load.wait_for(n)
    assert load.lost == [], load
    assert daemon.workers() == workers


def test_clients_that_send_nothing(make_daemon, clients):
    with make_daemon(FOUR) as daemon:
        script = daemon.script("hello.php", HELLO)
        silent = clients(daemon, MANY)
        serves_others(daemon, script)
        for connection in silent:
            connection.start(script)
        assert {connection.response().text for connection in silent} == {"hello"}


def test_clients_that_send_half_a_head(make_daemon, clients):
    """Wherever it ends: the rest is answered whenever it comes, by whichever worker."""
    with make_daemon(FOUR + PATIENT) as daemon:
        script = daemon.script("hello.php", HELLO)
        request = whole(script)
        half = clients(daemon, MANY)
        head = len(request) - 16  # without the ends of PARAMS and STDIN
        for i, connection in enumerate(half):
            connection.send(request[:1 + i % head])
        serves_others(daemon, script)
        wait_until(lambda: daemon.status()["parked-connections"] == MANY, what="all with the manager")
        for i, connection in enumerate(half):
            connection.send(request[1 + i % head:])
        assert {connection.response().text for connection in half} == {"hello"}
        wait_until(lambda: daemon.status()["parked-connections"] == 0, what="none with the manager")


def test_clients_that_send_a_byte_at_a_time(make_daemon, clients):
    with make_daemon(FOUR + PATIENT) as daemon:
        script = daemon.script("hello.php", HELLO)
        request = whole(script)
        slow = clients(daemon, 50)
        for i in range(40):
            for connection in slow:
                connection.send(request[i:i + 1])
            assert daemon.get(script) == "hello"
        for connection in slow:
            connection.send(request[40:])
        assert {connection.response().text for connection in slow} == {"hello"}


def test_half_a_head_on_a_kept_connection(make_daemon, clients):
    with make_daemon(ONE + PATIENT) as daemon:
        script = daemon.script("hello.php", HELLO)
        request = whole(script, keep=True)
        kept, = clients(daemon, 1)
        for cut in range(1, len(request), 50):
            kept.send(request[:cut])
            assert daemon.get(script) == "hello"
            kept.send(request[cut:] + request[:cut])  # and half of the next one behind it
            assert kept.response().text == "hello"
            assert daemon.get(script) == "hello"
            kept.send(request[cut:])
            assert kept.response().text == "hello"


def test_half_a_large_head(make_daemon, clients):
    """As large as one may be, and larger than any buffer."""
    with make_daemon(FOUR + PATIENT) as daemon:
        script = daemon.script("length.php", "<?php echo strlen($_SERVER['HTTP_COOKIE']);")
        request = whole(script, extra={"HTTP_COOKIE": "c" * 1_000_000})
        large = clients(daemon, 8)
        for connection in large:
            connection.send(request[:900_000])
        serves_others(daemon, daemon.script("hello.php", HELLO))
        for connection in large:
            connection.send(request[900_000:])
        assert {connection.response().text for connection in large} == {"1000000"}


def test_half_a_head_moves_to_the_new_generation(make_daemon, clients):
    with make_daemon(ONE + PATIENT) as daemon:
        script = daemon.script("hello.php", HELLO)
        request = whole(script)
        half = clients(daemon, 20)
        for connection in half:
            connection.send(request[:100])
        daemon.reload()
        for connection in half:
            connection.send(request[100:])
        assert {connection.response().text for connection in half} == {"hello"}


def test_half_a_head_has_its_time_once(make_daemon, clients):
    """However often it goes on: what has not come by then does not come, and nothing is left of it."""
    with make_daemon(FOUR + 'request = { header_timeout = "500ms"; };') as daemon:
        script = daemon.script("hello.php", HELLO)
        daemon.wait_idle(4)
        before = daemon.descriptors()
        request = whole(script, extra={"HTTP_COOKIE": "c" * 60000})
        slow = clients(daemon, 100)
        sent = iter(range(len(request) - 100))

        def all_ended():
            i, ended = next(sent), 0
            for connection in slow:
                try:
                    connection.send(request[i:i + 1])
                except (BrokenPipeError, ConnectionResetError):
                    ended += 1
            return ended == len(slow)

        wait_until(all_ended, 20, "all are closed")
        serves_others(daemon, script)
        wait_until(lambda: daemon.descriptors() <= before, what="no descriptor more than before")
        assert daemon.status()["parked-connections"] == 0


def test_clients_that_take_no_answer(make_daemon, clients):
    """What fits the socket's buffer keeps nobody waiting."""
    with make_daemon(FOUR) as daemon:
        script = daemon.script("hello.php", HELLO)
        for keep in (False, True):
            for connection in clients(daemon, MANY):
                connection.start(script, keep=keep)
        serves_others(daemon, script)


def test_terminate_timeout_of_an_answer_that_nobody_takes(make_daemon, clients):
    """A client that does not take what the script printed has not been answered when the script ends."""
    with make_daemon(ONE + 'request = { terminate_timeout = "1s"; };') as daemon:
        hello = daemon.script("hello.php", HELLO)
        clients(daemon, 1)[0].start(daemon.script("large.php", LARGE))
        wait_until(lambda: "large.php within request.terminate_timeout = 1s, its worker is sent SIGTERM."
                   in daemon.logged(), what="its end")
        assert daemon.get(hello) == "hello"
        assert daemon.logged().count("the client does not take the answer to ") == 1
        assert "takes longer" not in daemon.logged()  # it was not the script


def test_terminate_timeout_spares_shutdown_functions_and_a_client_that_waits_for_them(make_daemon):
    """Also one whose answer leaves only after them and does not fit the socket's buffer."""
    with make_daemon(ONE + 'request = { terminate_timeout = "1s"; };') as daemon:
        script = daemon.script("behind.php", """<?php
            register_shutdown_function(function () {
                usleep(1500000);
                file_put_contents(__DIR__ . '/done', '');
            });
            ob_start();
            echo str_repeat('x', 8 << 20);""")
        with daemon.connect() as connection:
            connection.start(script)
            assert len(connection.response().body) == 8 << 20
        assert (daemon.directory / "done").exists()
        assert "request.terminate_timeout" not in daemon.logged()


def test_finished_request_lets_its_kept_connection_go(make_daemon):
    """The script goes on; the web server's next request on this connection meets another worker."""
    with make_daemon('pm = { mode = "static"; max_children = 2; };') as daemon, daemon.connect() as connection:
        hello = daemon.script("hello.php", HELLO)
        script = daemon.script("finish.php", f"""<?php
            echo 'finished';
            fastcgi_finish_request();
            {daemon.gate("end")}
            file_put_contents(__DIR__ . '/done', file_get_contents('php://input'));""")
        assert connection.request(script, method="POST", body=b"body", keep=True).text == "finished"
        for _ in range(20):
            assert connection.request(hello, keep=True).text == "hello"
        assert daemon.status()["active-processes"] == 1
        daemon.open_gate("end")
        wait_until((daemon.directory / "done").exists, what="the script's end")
        daemon.wait_idle(2)


def test_a_thousand_kept_connections(make_daemon, clients):
    """4 workers, each client sends now and then: all are served, none stays behind."""
    with make_daemon(FOUR) as daemon:
        script = daemon.script("hello.php", HELLO)
        kept = clients(daemon, MANY)
        for turn in range(5):
            for connection in kept[turn % 2::1 + turn % 3]:
                connection.start(script, keep=True)
            for connection in kept[turn % 2::1 + turn % 3]:
                assert connection.response().text == "hello"
        assert len(daemon.workers()) == 4


def test_sixteen_kept_connections_on_four_workers(make_daemon):
    """Each as busy as it can be: PHP-FPM serves four of them and leaves twelve."""
    with make_daemon(FOUR) as daemon:
        script = daemon.script("hello.php", HELLO)
        free = [daemon.connect() for _ in range(16)]
        served = {id(connection): 0 for connection in free}

        def send():
            connection = free.pop()
            try:
                assert connection.request(script, keep=True).text == "hello"
                served[id(connection)] += 1
            finally:
                free.insert(0, connection)

        with Load(send, clients=16) as load:
            load.wait_for(2000)
        for connection in free:
            connection.close()
        assert load.lost == [], load
        assert min(served.values()) > 10, served


def test_stop_serves_what_kept_connections_have_sent(make_daemon, clients):
    """Only a request that comes after the manager was told to stop may meet a closed connection."""
    with make_daemon(ONE) as daemon:
        hello = daemon.script("hello.php", HELLO)
        kept = clients(daemon, 50)
        for connection in kept:
            assert connection.request(hello, keep=True).text == "hello"
        running = Running(daemon, daemon.script("hang.php", hang(daemon.gate("hang"))))
        for connection in kept:
            connection.start(hello, keep=True)
        daemon.process.send_signal(signal.SIGTERM)
        daemon.wait_notified(lambda n: n.get("STOPPING") == "1")
        daemon.open_gate("hang")
        assert running.finish()
        for connection in kept:
            assert connection.response().text == "hello"
            assert connection.ended()


def test_stop_serves_what_the_manager_was_just_sent(make_daemon, clients):
    """It learns that it is to stop, and of requests on the connections that it keeps, at once."""
    with make_daemon(ONE) as daemon:
        hello = daemon.script("hello.php", HELLO)
        kept = clients(daemon, 50)
        for connection in kept:
            assert connection.request(hello, keep=True).text == "hello"
        daemon.wait_idle(1)
        os.kill(daemon.pid, signal.SIGSTOP)
        daemon.process.send_signal(signal.SIGTERM)
        for connection in kept[:-1]:  # the last one is the worker's own
            connection.start(hello, keep=True)
        os.kill(daemon.pid, signal.SIGCONT)
        for connection in kept[:-1]:
            assert connection.response().text == "hello"


def test_stop_serves_what_a_worker_was_just_sent(make_daemon):
    """The worker learns of the request on its own kept connection, and that it is to end, at once."""
    with make_daemon(ONE) as daemon, daemon.connect() as kept:
        hello = daemon.script("hello.php", HELLO)
        assert kept.request(hello, keep=True).text == "hello"
        worker, = daemon.workers()
        daemon.wait_idle(1)
        os.kill(worker, signal.SIGSTOP)
        kept.start(hello, keep=True)
        daemon.process.send_signal(signal.SIGTERM)
        daemon.wait_notified(lambda n: n.get("STOPPING") == "1")
        os.kill(worker, signal.SIGCONT)
        assert kept.response().text == "hello"


def test_a_body_that_trickles_behind_its_answer(make_daemon):
    """The rest of a body is taken, but not a byte at a time for ever."""
    with make_daemon(ONE + 'request = { header_timeout = "1s"; };\n') as daemon, daemon.connect() as trickling:
        hello = daemon.script("hello.php", HELLO)
        params = fastcgi.parameters(hello, method="PUT", body_length=60000)
        trickling.send(fastcgi.begin() + fastcgi.stream(fastcgi.PARAMS, fastcgi.encode_pairs(params))
                       + fastcgi.record(fastcgi.STDIN, b"x" * 60000)[:8])
        assert trickling.response().text == "hello"

        def closed():
            try:
                trickling.send(b"x")
                return False
            except (BrokenPipeError, ConnectionResetError):
                return True

        wait_until(closed, what="the connection closed")  # fifty bytes a second
        assert daemon.get(hello) == "hello"


def test_a_body_that_goes_on_slowly_behind_its_answer(make_daemon):
    """The rest has a time in all: what comes in time does not start it anew."""
    with make_daemon(ONE + 'request = { header_timeout = "400ms"; };\n') as daemon, daemon.connect() as trickling:
        hello = daemon.script("hello.php", HELLO)
        params = fastcgi.parameters(hello, method="PUT", body_length=10_000_000)
        piece = fastcgi.record(fastcgi.STDIN, b"x" * 4096)
        trickling.send(fastcgi.begin(keep=True) + fastcgi.stream(fastcgi.PARAMS, fastcgi.encode_pairs(params)) + piece)
        assert trickling.response().text == "hello"
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(20):
                if select.select([trickling.sock], [], [], 0.3)[0]:
                    break
                trickling.send(piece)
            else:
                pytest.fail("it goes on for ever")
        assert trickling.ended()
        daemon.wait_idle(1)
        assert daemon.get(hello) == "hello"


def test_replies_behind_an_answer(make_daemon):
    """What a kept connection asks within a request is answered, also where the script leaves the body alone."""
    with make_daemon(ONE) as daemon, daemon.connect() as connection:
        params = fastcgi.parameters(daemon.script("hello.php", HELLO), method="PUT", body_length=1)
        connection.send(fastcgi.begin(keep=True) + fastcgi.stream(fastcgi.PARAMS, fastcgi.encode_pairs(params)))
        assert connection.response().text == "hello"
        connection.send(fastcgi.record(fastcgi.GET_VALUES, fastcgi.encode_pairs({"FCGI_MPXS_CONNS": ""}), 0)
                        + fastcgi.stream(fastcgi.STDIN, b"x"))
        kind, _, content = connection.read_record()
        assert (kind, fastcgi.decode_pairs(content)) == (fastcgi.GET_VALUES_RESULT, {"FCGI_MPXS_CONNS": "0"})
