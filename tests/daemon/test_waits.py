# SPDX-License-Identifier: MIT
"""What a stop, a reload or a start waits for is said once, in the log and in STATUS=; and why a pool stops."""

import os
import re
import signal

import pytest

from lib import fastcgi
from lib.scripts import HELLO, Running, hang
from lib.wait import wait_until

STATIC = 'pm = { mode = "static"; max_children = 2; };\n'
TIME = r"\d\d:\d\d:\d\d"


def wait_said(daemon, pattern):
    """Waits until the log and STATUS= both have it; what the log has."""
    wait_until(lambda: re.search(pattern, daemon.logged()), what=f"{pattern} in the log")
    daemon.wait_notified(lambda n: re.search(pattern, n.get("STATUS", "")))
    return re.findall(pattern, daemon.logged())


def begin(daemon, name, **kwargs):
    """A request to hang() that has begun, under a URI that shows what is printed of it."""
    script = daemon.script(f"{name}.php", hang(daemon.gate(name)))
    return Running(daemon, script, uri=f"/{name}?a=\x1b[31m\nb", method="POST", **kwargs)


def test_a_stop_that_waits_for_requests(daemon):
    """For the oldest one, how many more, and until when."""
    oldest = begin(daemon, "oldest")
    younger = begin(daemon, "younger")
    daemon.process.send_signal(signal.SIGTERM)
    said = wait_said(daemon, rf"waits for worker \d+, which runs POST /oldest\?a=\?\[31m\?b "
                             rf"\({daemon.directory}/oldest\.php\) since {TIME}, and 1 more, until {TIME}")
    assert len(said) == 1
    assert re.search(r"Pool www stops, and its generation 1 waits for worker", daemon.logged())
    assert daemon.logged().count("Pool www stops: it was told to.") == 1
    daemon.open_gate("oldest")
    daemon.open_gate("younger")
    assert oldest.finish() and younger.finish()
    assert daemon.process.wait(20) == 0
    assert len(re.findall("waits for worker", daemon.logged())) == 1


def test_a_stop_without_limit(make_daemon):
    with make_daemon(STATIC + 'reload = { drain_timeout = "0"; };') as daemon:
        running = begin(daemon, "held")
        daemon.process.send_signal(signal.SIGTERM)
        wait_said(daemon, rf"which runs POST /held\S* \(\S*\) since {TIME}, without limit")
        daemon.open_gate("held")
        assert running.finish() and daemon.process.wait(20) == 0


def test_a_stop_that_nothing_holds_up_says_nothing(daemon):
    assert daemon.run(HELLO) == "hello"
    daemon.stop()
    assert "waits for" not in daemon.logged()


@pytest.mark.parametrize("code, doing", [
    ("ob_start(); echo str_repeat('x', 4 << 20);", "whose client does not take the answer to GET /answer.php"),
    ("fastcgi_finish_request(); {gate}", "which finishes GET /answer.php"),
], ids=["untaken", "finished"])
def test_a_stop_that_waits_for_something_else(daemon, code, doing):
    code = code.replace("{gate}", daemon.gate("answer"))
    with daemon.connect() as connection:
        connection.start(daemon.script("answer.php", f"<?php {code}"))
        wait_until(lambda: "Finishing" in [p["state"] for p in daemon.status()["processes"]], what="its end")
        daemon.process.send_signal(signal.SIGTERM)
        wait_said(daemon, re.escape(doing))
        if "answer" in daemon.gates:
            daemon.open_gate("answer")
        connection.response()
        assert daemon.process.wait(20) == 0


def test_a_stop_that_waits_for_a_body(daemon):
    """Which is its script's to wait for, though PHP reads a form's before it."""
    params = fastcgi.parameters(daemon.script("form.php", "<?php echo $_POST['a'];"), "POST", body_length=3)
    with daemon.connect() as connection:
        connection.send(fastcgi.begin() + fastcgi.stream(fastcgi.PARAMS, fastcgi.encode_pairs(params))
                        + fastcgi.record(fastcgi.STDIN, b"a="))
        wait_until(lambda: daemon.status()["active-processes"] == 1, what="a busy worker")
        daemon.process.send_signal(signal.SIGTERM)
        wait_said(daemon, rf"which runs POST /form\.php \(\S+\) since {TIME}, until {TIME}")
        connection.send(fastcgi.stream(fastcgi.STDIN, b"1"))
        assert connection.response().text == "1"
        assert daemon.process.wait(20) == 0


def test_a_stop_that_waits_for_a_worker_that_hangs(make_daemon):
    """Between two requests, as one that somebody stopped; it is killed, and that says why."""
    with make_daemon(STATIC + 'reload = { drain_timeout = "3s"; };') as daemon:
        daemon.wait_idle(2)
        worker = min(daemon.workers())
        os.kill(worker, signal.SIGSTOP)
        daemon.process.send_signal(signal.SIGTERM)
        wait_said(daemon, f"worker {worker}, which has no request, and does not end, until {TIME}")
        assert daemon.process.wait(20) == 0
        reason = "reload.drain_timeout has passed since the pool was told to stop"
        assert f"1 worker, 0 of them with a request, did not end and must be killed: {reason}." in daemon.logged()


def test_a_reload_whose_old_requests_go_on(daemon):
    """The reload waits for none of them; that they go on, and until when, is said all the same."""
    running = begin(daemon, "held")
    daemon.reload()
    wait_said(daemon, rf"waits for worker \d+, which runs POST /held\S* \(\S*\) since {TIME}, until {TIME}")
    assert "Pool www goes on with new workers, and its generation 1 waits for" in daemon.logged()
    daemon.open_gate("held")
    assert running.finish()
    daemon.wait_idle(2)
    os.kill(min(daemon.workers()), signal.SIGKILL)  # something happens, after which it looks
    daemon.wait_notified(lambda n: "waits for" not in n.get("STATUS", "waits for"), since=len(daemon.notifications))
    assert daemon.logged().count("waits for worker") == 1


def test_a_start_that_takes_its_time(make_daemon):
    """In opcache.preload; a reload to the same says it again."""
    daemon = make_daemon(STATIC)
    preload = daemon.script("preload.php", f"<?php {daemon.gate('start')}")
    values = f'"opcache.preload={preload}", "opcache.preload_user=root", "opcache.enable=1"'
    daemon.conf.write_text(STATIC + f"php = {{ admin_value = [{values}]; }};")
    with daemon.launched():
        wait_said(daemon, rf"generation 1 waits for PHP to start, .*opcache\.preload.*, until {TIME}")
        daemon.open_gate("start")
        daemon.wait_notified(lambda n: n.get("READY") == "1")
        daemon.wait_notified(lambda n: n.get("STATUS", "").startswith("running") and "waits for" not in n["STATUS"])
        assert daemon.logged().count("waits for PHP") == 1


def test_a_pool_that_cannot_start_says_so_once(make_daemon):
    daemon = make_daemon(worker="/bin/false")
    with daemon.failing() as status:
        assert status != 0
        assert daemon.logged().count("Pool www does not start") == 1 and "Pool www stops" not in daemon.logged()
