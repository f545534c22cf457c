# SPDX-License-Identifier: MIT
"""security.allowed_clients: who may connect over TCP. All of 127.0.0.0/8 is this machine."""

import contextlib
import socket

import pytest

from lib import fastcgi
from lib.scripts import HELLO
from lib.wait import wait_until

STATIC = 'pm = { mode = "static"; max_children = %d; };\n'
REFUSED = "(see security.allowed_clients)"


def conf(clients, workers=2):
    text = ", ".join(f'"{client}"' for client in clients)
    return STATIC % workers + f"security = {{ allowed_clients = [{text}]; }};"


@contextlib.contextmanager
def pool(make_daemon, clients, host="127.0.0.1", **kwargs):
    """A pool on its Unix socket and on a TCP port of the host."""
    port = fastcgi.free_port()
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    with make_daemon(conf(clients, **kwargs), tcp=[address]) as daemon:
        daemon.port = port
        daemon.hello = daemon.script("hello.php", HELLO)
        yield daemon


def answered(daemon, host="127.0.0.1", source=None):
    """Whether a client gets an answer; otherwise its connection was closed without a byte."""
    with fastcgi.connect_tcp(host, daemon.port, source) as connection:
        try:
            connection.start(daemon.hello)
        except (BrokenPipeError, ConnectionResetError):
            return False
        try:
            return connection.response().text == "hello"
        except (fastcgi.Lost, ConnectionResetError):
            return False


def is_logged(daemon, address):
    said = f"Refused a connection from {address} {REFUSED}."
    wait_until(lambda: said in daemon.logged(), what=said)


@pytest.mark.parametrize("clients, allowed, refused", [
    ([], ["127.0.0.1", "127.9.9.9"], []),
    (["127.0.0.1"], ["127.0.0.1"], ["127.0.0.2"]),
    (["127.0.0.2/31", "10.0.0.0/8"], ["127.0.0.2", "127.0.0.3"], ["127.0.0.1", "127.0.0.4"]),
    (["::1", "::/0"], [], ["127.0.0.1"]),
    (["0.0.0.0/0"], ["127.0.0.1", "127.255.255.254"], []),
], ids=["any", "address", "network", "other-family", "all"])
def test_over_ipv4(make_daemon, clients, allowed, refused):
    with pool(make_daemon, clients) as daemon:
        for source in allowed:
            assert answered(daemon, source=source), source
        for source in refused:
            assert not answered(daemon, source=source), source
        assert daemon.get(daemon.hello) == "hello"  # Unix sockets are not concerned
        if refused:
            is_logged(daemon, refused[0])
        else:
            assert REFUSED not in daemon.logged()


def test_over_a_socket_for_both_families(make_daemon):
    """An IPv4 client is one there, too, though its address is ::ffff:127.0.0.2 then."""
    with pool(make_daemon, ["127.0.0.2", "::2/127"], host="::") as daemon:
        assert answered(daemon, source="127.0.0.2")
        assert not answered(daemon, source="127.0.0.1")
        assert not answered(daemon, host="::1")
        is_logged(daemon, "127.0.0.1")
        daemon.conf.write_text(conf(["::1"]))
        daemon.reload()
        assert answered(daemon, host="::1")
        assert not answered(daemon, source="127.0.0.2")


def test_a_refused_client_is_closed_at_once(make_daemon):
    """It need not say anything for that, and nothing that it says is read."""
    with pool(make_daemon, ["127.0.0.1"]) as daemon:
        before = daemon.status()["accepted-conn"]
        for _ in range(50):
            with fastcgi.connect_tcp("127.0.0.1", daemon.port, "127.0.0.2") as connection:
                assert connection.ended()
        assert answered(daemon)
        is_logged(daemon, "127.0.0.2")
        assert daemon.logged().count(REFUSED) <= 2  # each of two workers says it once
        assert daemon.status()["accepted-conn"] == before + 1


def test_a_reload_concerns_kept_connections(make_daemon):
    with pool(make_daemon, []) as daemon:
        with fastcgi.connect_tcp("127.0.0.1", daemon.port, "127.0.0.1") as one, \
                fastcgi.connect_tcp("127.0.0.1", daemon.port, "127.0.0.2") as two, daemon.connect() as local:
            for connection in (one, two, local):
                assert connection.request(daemon.hello, keep=True).text == "hello"
            daemon.conf.write_text(conf(["127.0.0.1"]))
            daemon.reload()
            for connection in (one, local):
                assert connection.request(daemon.hello, keep=True).text == "hello"
            two.start(daemon.hello, keep=True)
            assert two.ended()
            is_logged(daemon, "127.0.0.2")


def test_refused_clients_hold_nothing_up(make_daemon):
    """One worker, many strangers, and some who may: these are served."""
    with pool(make_daemon, ["127.0.0.1"], workers=1) as daemon:
        strangers = [socket.create_connection(("127.0.0.1", daemon.port), 30, ("127.0.0.2", 0))
                     for _ in range(50)]
        assert all(answered(daemon) for _ in range(5))
        for stranger in strangers:
            with stranger:
                assert stranger.recv(1) == b""


@contextlib.contextmanager
def pool_with_status(make_daemon, clients):
    """Its status, and that alone, is shown over TCP, too."""
    port = fastcgi.free_port()
    daemon = make_daemon(conf(clients))
    daemon.status_tcp = [f"127.0.0.1:{port}"]
    with daemon:
        daemon.port = port
        yield daemon


def status_of(connection):
    return connection.request("/status", query="json", keep=True).status


def test_the_status_socket(make_daemon):
    """The manager refuses there whom a worker would, and says so as a worker does."""
    with pool_with_status(make_daemon, ["127.0.0.1"]) as daemon:
        for _ in range(20):
            with fastcgi.connect_tcp("127.0.0.1", daemon.port, "127.0.0.2") as stranger:
                assert stranger.ended()
        with fastcgi.connect_tcp("127.0.0.1", daemon.port) as monitor:
            assert status_of(monitor) == 200
        is_logged(daemon, "127.0.0.2")
        assert daemon.logged().count(REFUSED) == 1
        assert "has no effect" not in daemon.logged()


def test_a_reload_concerns_kept_status_connections(make_daemon):
    with pool_with_status(make_daemon, []) as daemon:
        with fastcgi.connect_tcp("127.0.0.1", daemon.port) as one, \
                fastcgi.connect_tcp("127.0.0.1", daemon.port, "127.0.0.2") as two:
            assert status_of(one) == status_of(two) == 200
            daemon.conf.write_text(conf(["127.0.0.1"]))
            daemon.reload()
            assert status_of(one) == 200
            two.start("/status", keep=True)
            assert two.ended()
            is_logged(daemon, "127.0.0.2")


def test_without_tcp_it_is_said_to_have_no_effect(make_daemon):
    said = "security.allowed_clients has no effect: the pool listens on Unix sockets only"
    with make_daemon(conf(["127.0.0.1"])) as daemon:
        assert daemon.run(HELLO) == "hello"
        assert daemon.logged().count(said) == 1
        daemon.reload()
        assert daemon.logged().count(said) == 2
        daemon.conf.write_text(conf([]))
        daemon.reload()
        assert daemon.logged().count(said) == 2
