# SPDX-License-Identifier: MIT
"""The control socket: who may speak there, and what php-poolctl makes of whoever answers. None keeps it waiting."""

import concurrent.futures
import functools
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

import pytest

from lib import dbus, fastcgi
from lib.daemon import AS_USER, SANITIZERS
from lib.scripts import HELLO, LONG, Running
from lib.wait import wait_until

HOSTILE = [dbus.silent, dbus.closes, dbus.garbage, dbus.never_answers, dbus.closes_at_the_call,
           dbus.garbage_for_an_answer, dbus.flood, dbus.endless_message, dbus.large_messages,
           dbus.endless_authentication, dbus.trickled_authentication,
           dbus.fails_with("no", "org.freedesktop.DBus.Error.FileNotFound"),
           dbus.fails_with("no", "System.Error.ECONNREFUSED"), dbus.fails_with("no", "System.Error.ENOENT")]


def run(build_dir, directory, behave, verb, *options):
    """Runs a verb against a peer that behaves so: (result, seconds)."""
    path = pathlib.Path(tempfile.mkdtemp(dir=directory), "peer.sock")
    with dbus.Peer(path, behave):
        begun = time.monotonic()
        result = subprocess.run([build_dir / "daemon/php-poolctl", verb, f"--socket={path}", *options, "www"],
                                text=True,
                                capture_output=True, timeout=120, env={**os.environ, **SANITIZERS})
        return result, time.monotonic() - begun


@pytest.fixture
def ask(build_dir, tmp_path):
    return functools.partial(run, build_dir, tmp_path)


def name(behave):
    return getattr(behave, "text", behave.__name__)


# ---- Whoever answers ----

@pytest.mark.parametrize("verb", ["status", "reload", "stop"])
@pytest.mark.parametrize("error", ["UnknownMethod", "UnknownInterface", "UnknownObject", "InvalidArgs"])
def test_a_manager_of_another_version(ask, verb, error):
    result, _ = ask(dbus.fails_with("Unknown method.", f"org.freedesktop.DBus.Error.{error}"), verb)
    assert result.returncode == 1
    assert result.stderr.endswith(" pool www: its manager is of another version than php-poolctl, since an upgrade: "
                                  "restart the pool.\n"), result


def test_a_status_of_a_later_version(ask):
    """What is not known is shown as it is, and what is missing is not."""
    result, _ = ask(dbus.says({"pool": "www", "seats": 7}, [{"pid": 1, "hat": "blue"}]), "status")
    assert (result.returncode, result.stderr) == (0, "")
    assert re.search(r"^seats: +7$", result.stdout, re.M), result.stdout
    worker = {"hat": "blue"}
    assert json.loads(ask(dbus.says({}, [worker]), "status", "--json")[0].stdout) == {"processes": [worker]}


@pytest.fixture(scope="module")
def answers(build_dir, tmp_path_factory):
    """{(verb, name): (result, seconds)} of all, many at the same time: they wait."""
    directory = tmp_path_factory.mktemp("peers")
    cases = [(verb, behave) for behave in HOSTILE for verb in ("status", "reload", "stop")]
    with concurrent.futures.ThreadPoolExecutor(8) as executor:
        results = executor.map(lambda case: run(build_dir, directory, case[1], case[0]), cases)
        return {(verb, name(behave)): result for (verb, behave), result in zip(cases, results)}


@pytest.mark.parametrize("verb", ["status", "reload", "stop"])
@pytest.mark.parametrize("behave", HOSTILE, ids=name)
def test_no_peer_keeps_a_verb_waiting(answers, verb, behave):
    """15 s are the longest: for a reload, which may take its time, from one that says nothing meanwhile."""
    result, seconds = answers[verb, name(behave)]
    if verb == "stop" and behave is dbus.closes_at_the_call:  # that is how a manager ends
        assert result.returncode == 0
        return
    assert result.returncode == 1, result
    assert "pool www" in result.stderr.lower() and result.stderr.count("\n") == 1, result
    assert result.stdout == ""
    assert seconds < 30
    if behave is dbus.silent:
        assert result.stderr == "Pool www does not answer.\n" and seconds < 15


def test_top_goes_on(build_dir, tmp_path):
    for behave in (dbus.silent, dbus.garbage, dbus.flood, dbus.endless_message):
        path = tmp_path / "peer.sock"
        with dbus.Peer(path, behave):
            top = subprocess.Popen([build_dir / "daemon/php-poolctl", "top", f"--socket={path}", "www"], text=True,
                                   stdout=subprocess.PIPE, env={**os.environ, **SANITIZERS})
            with top:
                lines = [line for line in (top.stdout.readline() for _ in range(4)) if line != "\n"]
                top.send_signal(signal.SIGINT)
            assert len(lines) >= 2 and all(line.startswith("Pool www: ") for line in lines), lines


def test_a_status_of_another_form(ask):
    result, _ = ask(dbus.answers_nonsense, "status")
    assert result.returncode == 1
    assert result.stderr == "Failed to get the status of pool www: what answered is no manager of a pool.\n"


def test_a_status_without_end(ask):
    for pool, workers in (({}, [{"pid": 1}] * 9000), ({f"key-{n}": n for n in range(300)}, [])):
        result, _ = ask(dbus.says(pool, workers), "status")
        assert result.returncode == 1 and "Argument list too long" in result.stderr, result.stderr[:1000]


def test_a_status_is_read(ask):
    """The peer of these tests is good enough for the truth, too."""
    result, _ = ask(dbus.says({"pool": "www", "requests": 7}, [{"pid": 1, "uri": "/x"}]), "status", "--json")
    assert result.returncode == 0, result
    assert json.loads(result.stdout) == {"pool": "www", "requests": 7, "processes": [{"pid": 1, "uri": "/x"}]}
    assert ask(dbus.says({}), "reload")[0].returncode == 0
    assert ask(dbus.says({}), "stop")[0].returncode == 0


# ---- The manager ----

def test_only_root_is_served(daemon):
    """Also where the mode of the socket lets others in."""
    daemon.control_socket.chmod(0o666)
    for verb in ("status", "reload", "stop"):
        result = subprocess.run([*AS_USER, *daemon.ctl_command(verb, "www")], text=True, capture_output=True,
                                timeout=60, env={**os.environ, **SANITIZERS})
        assert result.returncode == (0 if verb == "stop" else 1) or "www" in result.stderr, result
    assert daemon.status()["generation"] == 1
    assert daemon.run("<?php $s = stream_socket_client('unix://%s'); fwrite($s, \"\\0AUTH EXTERNAL\\r\\n\");"
                      "var_dump((string) @fread($s, 100));" % daemon.control_socket) == 'string(0) ""\n'
    daemon.control_socket.chmod(0o600)
    result = subprocess.run([*AS_USER, *daemon.ctl_command("status", "www")], text=True, capture_output=True)
    assert result.returncode == 1 or os.stat(daemon.control_socket).st_uid != 0


def test_who_is_not_root_is_told(daemon, tmp_path):
    os.chown(daemon.control_socket, 0, 0)
    daemon.control_socket.chmod(0o600)
    for verb, words in (("status", "get the status of"), ("reload", "reload"), ("stop", "stop")):
        result = subprocess.run([*AS_USER, *daemon.ctl_command(verb, "www")], text=True, capture_output=True,
                                timeout=60, env={**os.environ, **SANITIZERS})
        assert (result.returncode, result.stderr) == (
            1, f"Failed to {words} pool www: only root may speak to a pool's manager.\n")
    result = subprocess.run([*AS_USER, *daemon.ctl_command("top", "www")], text=True, capture_output=True, timeout=60)
    assert result.returncode == 1 and "only root" in result.stderr
    assert daemon.run(HELLO) == "hello"


def test_scripts_do_not_have_the_socket(daemon):
    """Neither template nor worker inherits it, whatever php://fd names."""
    inode = next(line.split()[6] for line in open("/proc/net/unix")
                 if line.endswith(f" {daemon.control_socket}\n"))

    def sockets(pid):
        links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        return f"socket:[{inode}]" in links

    assert sockets(daemon.pid)
    assert daemon.templates() and daemon.workers()
    assert not any(sockets(pid) for pid in daemon.templates() | daemon.workers())
    seen = daemon.run("<?php foreach (glob('/proc/self/fd/*') as $fd) echo @readlink($fd), \"\\n\";"
                      "passthru('readlink /proc/self/fd/*');")
    assert "socket:[" in seen and f"[{inode}]" not in seen


def test_without_a_control_socket(make_daemon):
    """As after an update, with units of before: it serves, and says what it lacks."""
    daemon = make_daemon()
    daemon.control_sockets = []
    with daemon:
        assert daemon.run(HELLO) == "hello"
        assert re.search(r"no control socket.*php-pool-control@www\.socket.*daemon-reload", daemon.logged())
        assert daemon.ctl("status", "www").returncode == 3
        daemon.reload()


@pytest.mark.parametrize("listen", ["TCP", "twice"])
def test_a_control_socket_of_no_use(make_daemon, listen):
    daemon = make_daemon()
    second = f"127.0.0.1:{fastcgi.free_port()}" if listen == "TCP" else daemon.directory / "second.sock"
    daemon.control_sockets = [daemon.control_socket, second][listen == "TCP":]
    daemon.launch()
    try:
        assert daemon.process.wait(20) == os.EX_NOINPUT
        assert re.search("has to be a Unix socket|more than one control socket", daemon.logged())
    finally:
        daemon._end()


def test_a_stopped_manager(daemon):
    """SIGSTOP, which any script may send: each verb says so, in seconds."""
    os.kill(daemon.pid, signal.SIGSTOP)
    try:
        for verb in ("status", "reload", "stop"):
            begun = time.monotonic()
            result = daemon.ctl(verb, "www")
            assert (result.returncode, result.stderr) == (1, "Pool www does not answer.\n")
            assert time.monotonic() - begun < 30  # sd-bus would wait for 90
    finally:
        os.kill(daemon.pid, signal.SIGCONT)
    assert daemon.run(HELLO) == "hello"


def test_a_manager_that_stops_in_the_middle(daemon):
    """While a stop waits for requests, and says that it lives until it does not."""
    running = Running(daemon, daemon.script("long.php", LONG))
    stop = subprocess.Popen(daemon.ctl_command("stop", "www"), text=True, stderr=subprocess.PIPE,
                            env={**os.environ, **SANITIZERS})
    with stop:
        daemon.wait_notified(lambda n: n.get("STOPPING") == "1")
        os.kill(daemon.pid, signal.SIGSTOP)
        assert stop.stderr.read() == "Pool www does not answer.\n"
    assert stop.returncode == 1
    os.kill(daemon.pid, signal.SIGCONT)
    assert running.finish()
    assert daemon.process.wait(20) == 0


def test_stop_waits_longer_than_silence_is_allowed(make_daemon):
    """Requests may take their time: the manager answers meanwhile."""
    with make_daemon() as daemon:
        gate = daemon.gate("hold")
        running = Running(daemon, daemon.script("hold.php", "<?php while (ob_get_level()) ob_end_flush();"
                                                "echo \"begun\\n\"; flush(); %s echo \"\\nwhole\";" % gate))
        begun = time.monotonic()
        stop = subprocess.Popen(daemon.ctl_command("stop", "www"), text=True, stderr=subprocess.PIPE,
                                env={**os.environ, **SANITIZERS})
        with stop:
            daemon.wait_notified(lambda n: n.get("STOPPING") == "1")
            wait_until(lambda: time.monotonic() - begun > 17, 30, "longer than the manager may be silent")
            assert stop.poll() is None
            daemon.open_gate("hold")
            assert stop.stderr.read() == ""
        assert stop.returncode == 0 and running.finish()
        assert daemon.process.wait(20) == 0


def test_who_comes_as_it_ends_is_not_kept_waiting(make_daemon):
    """systemd's copy of the socket stays open: those in its queue are closed by the manager that goes."""
    with make_daemon() as daemon:
        os.kill(daemon.pid, signal.SIGSTOP)
        clients = [fastcgi.connect_unix(daemon.control_socket) for _ in range(5)]
        daemon.process.send_signal(signal.SIGTERM)
        os.kill(daemon.pid, signal.SIGCONT)
        for client in clients:
            with client:
                assert client.ended()
        assert daemon.process.wait(20) == 0
