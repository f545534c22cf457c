# SPDX-License-Identifier: MIT
"""The limits of a request and of a worker: time, memory, number of requests."""

import pytest

from lib import fastcgi
from lib.scripts import HELLO, LONG, PID, Running
from lib.wait import wait_until

ONE = 'pm = { mode = "static"; max_children = 1; };\n'
TERMINATE = ONE + 'request = { terminate_timeout = "300ms"; };\n'

# Sits in a system call that PHP takes up again after a signal: a database that does not answer.
STUCK = r"""<?php
$silent = stream_socket_server("tcp://127.0.0.1:0");
$client = stream_socket_client("tcp://" . stream_socket_get_name($silent, false));
%s
fgets($client);
echo "survived";
"""

ENDS = r"""<?php
register_shutdown_function(function () { file_put_contents(__DIR__ . "/shutdown", error_get_last()["message"]); });
%s
echo "survived";
"""


@pytest.mark.parametrize("code", ["while (true);", "sleep(20);", "usleep(20000000);", "while (true) usleep(10);",
                                  "exec('sleep 0.01; sleep 20');"],
                         ids=["loop", "sleep", "usleep", "loop-of-calls", "program"])
def test_terminate_timeout_inside_php(make_daemon, code):
    """The client has a 504 and the end of its request, shutdown functions run, and the worker goes on."""
    with make_daemon(TERMINATE) as daemon:
        pid = daemon.run(PID)
        if code.startswith("exec"):
            code = code.replace("sleep 20", "sleep 0.5")  # PHP waits for what it started
        response = daemon.request(daemon.script("ends.php", ENDS % code))
        assert response.status == 504, response
        assert "survived" not in response.text
        said = (daemon.directory / "shutdown").read_text()
        assert said == "Maximum time of 300ms for a request exceeded (request.terminate_timeout)"
        assert daemon.run(PID) == pid
        assert "request.terminate_timeout = 300ms" in daemon.logged() and "ends.php" in daemon.logged()


def test_terminate_timeout_on_a_kept_connection(make_daemon):
    with make_daemon(TERMINATE) as daemon, daemon.connect() as connection:
        loop, hello = daemon.script("loop.php", "<?php while (true);"), daemon.script("hello.php", HELLO)
        for _ in range(2):
            assert connection.request(loop, keep=True).status == 504
            assert connection.request(hello, keep=True).text == "hello"


def test_terminate_timeout_in_a_library(make_daemon):
    """Where PHP comes to no end by itself, the worker answers and ends."""
    with make_daemon(TERMINATE) as daemon:
        pid = daemon.run(PID)
        response = daemon.request(daemon.script("stuck.php", STUCK % ""))
        assert response.status == 504, response
        assert response.app_status == 0
        assert daemon.run(PID) != pid
        assert "is sent SIGTERM" in daemon.logged() and "SIGKILL" not in daemon.logged()


def test_terminate_timeout_after_some_output(make_daemon):
    """What is on its way cannot be taken back: the connection ends."""
    with make_daemon(TERMINATE) as daemon, daemon.connect() as connection:
        connection.start(daemon.script("stuck.php", STUCK % "ob_end_clean(); echo 'begun'; flush();"))
        with pytest.raises(fastcgi.Lost):
            connection.response()
        assert daemon.run(HELLO) == "hello"


def test_terminate_timeout_of_a_stopped_worker(make_daemon):
    with make_daemon(TERMINATE) as daemon, daemon.connect() as connection:
        pid = int(daemon.run(PID))
        script = daemon.script("stop.php", "<?php exec('kill -STOP ' . getmypid());")
        connection.start(script)
        wait_until(lambda: "is sent SIGKILL" in daemon.logged(), what="SIGKILL")
        assert int(daemon.run(PID)) != pid
        assert f"Worker {pid} was killed by SIGKILL (its request took longer than request.terminate_timeout" \
            in daemon.logged()


FINISHED = r"""<?php
fastcgi_finish_request();
usleep(1500000);
file_put_contents(__DIR__ . "/whole", "yes");
"""
IN_SHUTDOWN = r"""<?php
register_shutdown_function(function () { usleep(1500000); file_put_contents(__DIR__ . "/whole", "yes"); });
"""


@pytest.mark.parametrize("code", [FINISHED, IN_SHUTDOWN], ids=["finished", "shutdown"])
@pytest.mark.parametrize("track", [False, True], ids=["", "tracked"])
def test_terminate_timeout_track_finished(make_daemon, code, track):
    conf = TERMINATE.replace("; };\n", f"; terminate_timeout_track_finished = {str(track).lower()}; }};\n", 2)
    conf = ONE + conf[conf.index("request"):]
    with make_daemon(conf) as daemon:
        daemon.request(daemon.script("long.php", code))
        daemon.run(HELLO)  # waits for the one worker
        assert (daemon.directory / "whole").exists() != track


def test_idle_kept_connection_is_no_request(make_daemon):
    """Nor is a request that has ended: nothing happens to a worker that waits, however long."""
    two = TERMINATE.replace("max_children = 1", "max_children = 2")
    with make_daemon(two) as daemon, daemon.connect() as connection:
        daemon.wait_idle(2)
        # It has one worker, so that the connection is with the other one, and stays there: nobody else comes.
        stuck = Running(daemon, daemon.script("stuck.php", STUCK % "ob_end_clean(); echo \"begun\\n\"; flush();"))
        pid = daemon.script("pid.php", PID)
        kept = connection.request(pid, keep=True).text
        with pytest.raises(fastcgi.Lost):  # by SIGTERM, a second after the first measure: all have been looked at
            stuck.finish()
        again = connection.request(pid, keep=True)
        assert (again.status, again.text) == (200, kept)


def test_requests_within_the_limit_wake_nobody(make_daemon):
    """The timer runs out now and then, however many requests there are."""
    with make_daemon(ONE + 'request = { terminate_timeout = "1h"; slowlog_timeout = "1h"; };\n') as daemon:
        script = daemon.script("hello.php", HELLO)
        daemon.wait_idle(1)
        daemon.get(script)
        before = daemon.switches()
        for _ in range(300):
            daemon.get(script)
        assert daemon.switches() - before < 30


def test_shutdown_functions_that_do_not_end(make_daemon):
    """They run after the limit too, but not for ever."""
    with make_daemon(TERMINATE) as daemon:
        pid = daemon.run(PID)
        script = daemon.script("loops.php", "<?php register_shutdown_function(function () { while (true); });"
                                            " while (true);")
        assert daemon.request(script).status == 504
        assert daemon.run(PID) != pid


def test_slow_log_depth(make_daemon):
    with make_daemon(ONE + 'request = { slowlog_timeout = "100ms"; slowlog_trace_depth = 2; };\n') as daemon:
        daemon.run("<?php function f($n) { return $n > 0 ? f($n - 1) : usleep(500000); } f(9);")
        log = daemon.logged()
        assert log.count("] f() ") == 1 and log.count("] usleep() ") == 1, log


def test_slow_log_of_a_generation_that_retired(make_daemon):
    with make_daemon(ONE + 'request = { slowlog_timeout = "500ms"; };\n') as daemon:
        running = Running(daemon, daemon.script("long.php", LONG))
        daemon.reload()
        assert running.finish()
        assert " sleep() " in daemon.logged()
        wait_until(lambda: len(daemon.templates()) == 1, what="the old template gone")


def test_max_memory(make_daemon):
    """A worker that holds too much after a request is replaced; one that only used it goes on."""
    conf = 'pm = { mode = "static"; max_children = 1; max_memory = "48M"; };\n'
    with make_daemon(conf) as daemon:
        pid = daemon.run(PID)
        assert daemon.run("<?php ini_set('memory_limit', -1); $x = str_repeat('x', 99 << 20); echo getmypid();") == pid
        assert daemon.run(PID) == pid
        # Kept by PHP's allocator, or by the system's: what a leak looks like.
        leak = ("<?php ini_set('memory_limit', -1);"
                " for ($i = 0; $i < 600000; $i++) $x[] = str_repeat('x', 200 + $i % 9);")
        daemon.run(leak + " echo getmypid();")
        wait_until(lambda: daemon.run(PID) != pid, what="another worker")


def test_max_requests_jitter(make_daemon):
    """Workers that started together end at different times, none before max_requests."""
    conf = 'pm = { mode = "static"; max_children = 1; max_requests = 2; max_requests_jitter = 6; };\n'
    with make_daemon(conf) as daemon:
        script, lives = daemon.script("pid.php", PID), {}
        for _ in range(300):
            pid = daemon.get(script)
            lives[pid] = lives.get(pid, 0) + 1
        lives.popitem()  # the last has not ended
        assert min(lives.values()) >= 2 and max(lives.values()) <= 8
        assert len(set(lives.values())) > 2, lives


@pytest.mark.parametrize("blocking", ["sleep(1)", "stream_select($r, $w, $e, 1)", "exec('sleep 1')",
                                      "usleep(1000000)"])
def test_slow_log(make_daemon, blocking):
    """One record with where the script is; what it waits for is not cut short."""
    code = r"""<?php
        function inner() {
            $r = [stream_socket_server("tcp://127.0.0.1:0")]; $w = $e = [];
            $begun = hrtime(true);
            %s;
            return hrtime(true) - $begun;
        }
        echo inner() >= 1e9 ? "whole" : "cut short";
        """ % blocking
    with make_daemon(ONE + 'request = { slowlog_timeout = "200ms"; };\n') as daemon:
        script = daemon.script("slow.php", code)
        assert daemon.get(script, extra={"REQUEST_URI": "/slow?a=1"}) == "whole"
        assert daemon.run(HELLO) == "hello"
        log = daemon.logged()
        assert log.count("Slow request: GET /slow?a=1") == 1
        frames = log[log.index("Slow request"):]
        name = blocking.partition("(")[0]
        assert f" {name}() {script}:5\n" in frames and f" inner() {script}:8\n" in frames
        assert daemon.status()["slow-requests"] == 1
