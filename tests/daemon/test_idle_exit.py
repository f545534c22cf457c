# SPDX-License-Identifier: MIT
"""idle_exit ends a pool that nobody needs; a program that a request left running needs it."""

import os
import pathlib
import re
import signal

import pytest

from lib.scripts import HELLO
from lib.wait import wait_until

CONF = 'idle_exit = "2s"; pm = { mode = "static"; max_children = 1; };'
HOLDS = "does not exit while programs run that requests started and left: process {} (sleep)"


def shell(command):
    """A script that runs it as a command line, without waiting for what goes on behind it."""
    return f"<?php echo shell_exec('{command}');"


NOHUP = shell("nohup sleep 1000 >/dev/null 2>&1 & echo $!")
SETSID = shell("setsid sh -c \"sleep 1000 >/dev/null 2>&1 & echo \\$!\"")


def left_pid(daemon, code):
    """Requests it; the process that it leaves behind."""
    with daemon.connect() as connection:
        connection.start(daemon.script("leave.php", code))
        return int(re.search(rb"\r\n\r\n(\d+)", b"".join(content for _, content in connection.output()))[1])


def alive(pid):
    return pathlib.Path(f"/proc/{pid}").exists()


@pytest.fixture
def idle(make_daemon):
    """The pool, which ends by itself in the test."""
    daemon = make_daemon(CONF)
    daemon.launch()
    daemon.wait_notified(lambda n: n.get("READY") == "1")
    yield daemon
    for pid in daemon.processes():
        os.kill(pid, signal.SIGKILL)
    daemon._end()


@pytest.mark.parametrize("code", [NOHUP, SETSID], ids=["nohup", "setsid"])
def test_a_program_that_a_request_left_holds_the_pool(idle, code):
    pid = left_pid(idle, code)
    wait_until(lambda: HOLDS.format(pid) in idle.logged(), what="the record")
    idle.wait_notified(lambda n: f"idle_exit waits for programs that requests left: 1, process {pid} (sleep)"
                       in n.get("STATUS", ""))
    assert alive(pid) and idle.process.poll() is None
    assert idle.run(HELLO) == "hello"  # it serves meanwhile, and says it once
    wait_until(lambda: idle.status()["total-processes"] == 0, what="no worker")
    os.kill(pid, signal.SIGTERM)
    assert idle.process.wait(20) == 0
    assert idle.logged().count("does not exit while") == 1
    assert "Pool www stops: it had nothing to do for idle_exit; its socket starts it again." in idle.logged()
    assert "Worker" not in idle.logged()


def test_several_programs_one_after_the_other(idle):
    """The next one to hold the pool is told of as well; the last one that ends lets it go."""
    first, second = (left_pid(idle, NOHUP) for _ in range(2))
    told = wait_until(lambda: re.search(r"left: process (\d+) \(sleep\) and others", idle.logged()), what="a record")
    assert int(told[1]) in (first, second)
    os.kill(int(told[1]), signal.SIGTERM)
    (other,) = {first, second} - {int(told[1])}
    wait_until(lambda: HOLDS.format(other) in idle.logged(), what="the next record")
    os.kill(other, signal.SIGTERM)
    assert idle.process.wait(20) == 0


def test_what_a_program_started_holds_the_pool_too(idle):
    """A grandchild, once its parent has ended."""
    idle.gate("parent")
    wait = f"exec flock {idle.directory}/parent.gate true >/dev/null"
    pid = left_pid(idle, shell(f"sh -c \"sleep 1000 >/dev/null 2>&1 & echo \\$!; {wait}\" &"))
    wait_until(lambda: re.search(r"left: process \d+ \(flock\)", idle.logged()), what="the record of its parent")
    assert HOLDS.format(pid) not in idle.logged()
    idle.open_gate("parent")
    wait_until(lambda: HOLDS.format(pid) in idle.logged(), what="the record")
    os.kill(pid, signal.SIGTERM)
    assert idle.process.wait(20) == 0


def test_a_pool_that_left_nothing_exits(idle):
    assert idle.run("<?php echo shell_exec('echo hello');") == "hello\n"
    assert idle.process.wait(20) == 0
    assert "does not exit" not in idle.logged()
    assert "Pool www stops: it had nothing to do for idle_exit; its socket starts it again." in idle.logged()


def test_kept_connections_are_told_of(idle):
    script = idle.script("hello.php", HELLO)
    with idle.connect() as connection:
        assert connection.request(script, keep=True).text == "hello"
        idle.wait_notified(lambda n: "idle_exit waits for 1 kept connections" in n.get("STATUS", ""))
        assert connection.request(script, keep=True).text == "hello"
    assert idle.process.wait(20) == 0
