# SPDX-License-Identifier: MIT
"""
Reloads: what they bring, when they come at a bad time, and what refuses them. Whatever happens, the old
generation serves until the new one does.
"""

import json
import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib import php
from lib.fastcgi import Lost
from lib.scripts import HELLO, Running
from lib.wait import wait_until

STATIC = 'pm = { mode = "static"; max_children = 2; };\n'
PRELOAD = '"opcache.enable=1", "opcache.preload=%s", "opcache.preload_user=root"'
OPCACHE = '"opcache.enable=1", "opcache.file_update_protection=0"'
CACHED = "<?php echo json_encode(array_keys(opcache_get_status()['scripts']));"


class Gate:
    """Holds up a script that runs `gate.code`, until it is opened; then it holds up nobody any more."""

    def __init__(self, daemon, name="gate"):
        self.path, self.fd = daemon.directory / name, None
        os.mkfifo(self.path)
        self.code = f"if (file_exists('{self.path}')) fgets(fopen('{self.path}', 'r'));"

    def wait(self):
        """Until the script is there."""
        def reached():
            try:
                self.fd = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # ENXIO: nobody reads
                return False
            return True

        wait_until(reached, what=f"a script at {self.path}")

    def open(self):
        self.path.unlink()
        os.close(self.fd)


class Held:
    """A request that runs until it is let go."""

    def __init__(self, daemon):
        self.gate = Gate(daemon, "held")
        code = f"""<?php
            while (ob_get_level()) ob_end_flush();
            echo "begun\\n";
            flush();
            {self.gate.code}
            echo 'whole';"""
        self.running = Running(daemon, daemon.script("held.php", code))
        self.gate.wait()

    def finish(self):
        self.gate.open()
        return self.running.finish()


def configure(daemon, preload=None, warmup=(), start_timeout=60, drain_timeout=30, values=()):
    """Writes the pool file; preload and warmup are scripts' code, or paths."""
    def script(name, code):
        return daemon.script(name, code) if code.startswith("<?php") else code

    values = [f'"{value}"' for value in values] + [OPCACHE]
    if preload:
        values.append(PRELOAD % script("preload.php", preload))
    paths = ", ".join(f'"{script(f"warmup{n}.php", code)}"' for n, code in enumerate(warmup, 1))
    daemon.conf.write_text(STATIC + f'php = {{ admin_value = [{", ".join(values)}]; }};\n'
                           f'reload = {{ start_timeout = {start_timeout}; drain_timeout = {drain_timeout}; '
                           f'warmup = [{paths}]; }};')


def settle(daemon):
    """Waits until a generation of two idle workers is all that there is; the ids of its processes."""
    daemon.wait_idle(2)
    wait_until(lambda: len(daemon.processes()) == 4, what="manager, template and two workers")
    return set(daemon.processes())


def reload(daemon):
    result = daemon.ctl("reload", "www")
    assert result.returncode == 0, result


def begin_reload(daemon, executor, running=0):
    """Returns when the manager has got it, beside so many that run, with the future of the result."""
    wait_until(lambda: daemon.control_clients() == running, what="the end of connections that have been closed")
    future = executor.submit(daemon.ctl, "reload", "www")
    wait_until(lambda: daemon.control_clients() > running, what="a control connection")
    return future


@pytest.fixture
def executor():
    with ThreadPoolExecutor(5) as executor:
        yield executor


# ---- What it brings ----

def test_sighup_reloads(daemon):
    before = daemon.workers()
    daemon.conf.write_text('pm = { mode = "static"; max_children = 3; };\n'
                           'php = { value = ["memory_limit=55M"]; };')
    daemon.reload()
    status = daemon.status()
    assert (status["generation"], status["state"], status["max-children"]) == (2, "running", 3)
    assert daemon.run("<?php echo ini_get('memory_limit');") == "55M"
    wait_until(lambda: not before & daemon.children().keys(), what="the old generation gone")
    daemon.wait_idle(3)


def test_opcache_is_warm_before_the_first_request(make_daemon):
    """After a start and after a reload: it holds what scripts of the warm-up included."""
    daemon = make_daemon()
    page, libraries = daemon.script("page.php", CACHED), [daemon.script(f"{n}.php", "<?php") for n in (1, 2)]
    configure(daemon, warmup=[f"<?php include '{libraries[0]}'; echo 'dropped'; exit(3);"])
    with daemon:
        cached = json.loads(daemon.get(page))
        assert libraries[0] in cached and libraries[1] not in cached
        configure(daemon, warmup=[HELLO, f"<?php include '{libraries[1]}';"])
        reload(daemon)
        cached = json.loads(daemon.get(page))
        assert libraries[1] in cached and libraries[0] not in cached
        assert {str(daemon.directory / f"warmup{n}.php") for n in (1, 2)} <= set(cached)


def test_a_warmup_is_a_request_of_its_own(daemon):
    """It has what a web server sends, and nothing of what workers serve with."""
    seen = daemon.directory / "seen"
    configure(daemon, warmup=[f"""<?php
        $links = array_map(fn($fd) => @readlink("/proc/self/fd/$fd"), scandir('/proc/self/fd'));
        $title = strtok(file_get_contents('/proc/self/cmdline'), "\\0");
        file_put_contents('{seen}', json_encode([$_SERVER, $links, $title, php_sapi_name()]));"""])
    reload(daemon)
    server, links, title, sapi = json.loads(seen.read_text())
    script = str(daemon.directory / "warmup1.php")
    assert (server["REQUEST_METHOD"], server["SCRIPT_FILENAME"], server["DOCUMENT_ROOT"]) == (
        "GET", script, str(daemon.directory))
    assert server["PHP_SELF"] == server["SCRIPT_NAME"] == server["REQUEST_URI"] == "/warmup1.php"
    assert server["REMOTE_ADDR"] == "127.0.0.1"
    assert server["GATEWAY_INTERFACE"] and server["SERVER_SOFTWARE"]
    assert not [link for link in links if link and re.match("socket:|anon_inode:", link)], links
    assert (title, sapi) == ("php-pool-worker: www (warm-up)", "fpm-fcgi")
    settle(daemon)


# ---- When it comes at a bad time ----

def test_reloads_at_once_are_one_after_the_other(daemon, executor):
    reloads = [executor.submit(daemon.ctl, "reload", "www") for _ in range(5)]
    assert [future.result().returncode for future in reloads] == [0] * 5
    assert daemon.status()["state"] == "running"
    assert daemon.run(HELLO) == "hello"


@pytest.mark.parametrize("good", [True, False])
def test_a_reload_while_starting_is_answered_for_itself(make_daemon, executor, good):
    """It is not the start that it waits for, but a reload of its own, after that."""
    daemon = make_daemon()
    gate = Gate(daemon)
    configure(daemon, warmup=[f"<?php {gate.code}"])
    with daemon.launched():
        gate.wait()
        daemon.conf.write_text('php = { value = ["memory_limit=55M"]; };' if good else "nonsense = 1;")
        answer = begin_reload(daemon, executor)
        assert not any(n.get("READY") == "1" for n in daemon.notifications)
        assert any("EXTEND_TIMEOUT_USEC" in n for n in daemon.notifications)
        gate.open()
        result = answer.result()
        assert (result.returncode == 0) if good else (result.returncode == 1 and "nonsense" in result.stderr)
        assert daemon.status()["generation"] == (2 if good else 1)
        assert (daemon.run("<?php echo ini_get('memory_limit');") == "55M") == good


@pytest.mark.parametrize("good", [True, False])
def test_a_reload_while_another_runs(daemon, executor, good):
    """It reads the pool file anew, after the first, and does not share its fate."""
    gate = Gate(daemon)
    configure(daemon, warmup=[f"<?php {gate.code} {'' if good else 'nowhere();'}"])
    first = begin_reload(daemon, executor)
    gate.wait()
    daemon.wait_notified(lambda n: "EXTEND_TIMEOUT_USEC" in n)
    configure(daemon, values=["memory_limit=55M"])
    second = begin_reload(daemon, executor, running=1)
    assert daemon.run(HELLO) == "hello"
    assert not first.done() and not second.done()
    gate.open()
    assert first.result().returncode == (0 if good else 1), first.result()
    assert second.result().returncode == 0, second.result()
    assert daemon.run("<?php echo ini_get('memory_limit');") == "55M"
    assert daemon.status()["generation"] == 3


def test_a_reload_while_stopping(daemon):
    held = Held(daemon)
    daemon.process.send_signal(signal.SIGTERM)
    daemon.wait_notified(lambda n: n.get("STOPPING") == "1")
    result = daemon.ctl("reload", "www")
    assert result.returncode == 1 and "stopping" in result.stderr, result
    assert held.finish()
    assert daemon.process.wait(10) == 0
    assert "RELOADING" not in str(daemon.notifications)


def test_a_stop_while_reloading(daemon, executor):
    """The new generation ends before it began; running requests finish all the same."""
    held, gate = Held(daemon), Gate(daemon)
    configure(daemon, warmup=[f"<?php {gate.code}"])
    answer = begin_reload(daemon, executor)
    gate.wait()
    daemon.process.send_signal(signal.SIGTERM)
    result = answer.result()
    assert result.returncode == 1 and "stopping" in result.stderr, result
    assert held.finish()
    assert daemon.process.wait(10) == 0
    os.close(gate.fd)


def test_a_manager_killed_while_reloading(daemon, executor):
    """A script of the warm-up that does not end does not stay behind."""
    configure(daemon, warmup=["<?php touch(__DIR__ . '/here'); for (;;) sleep(60);"])
    answer = begin_reload(daemon, executor)
    wait_until((daemon.directory / "here").exists, what="the warm-up")
    daemon.process.kill()
    daemon.process.wait()
    assert answer.result().returncode == 1
    wait_until(lambda: daemon.processes() == [], what="no process left")


def test_a_template_killed_while_it_warms_up(daemon, executor):
    (old,) = daemon.templates()
    configure(daemon, warmup=["<?php touch(__DIR__ . '/here'); for (;;) sleep(60);"])
    answer = begin_reload(daemon, executor)
    wait_until((daemon.directory / "here").exists, what="the warm-up")
    (template,) = daemon.templates() - {old}
    os.kill(template, signal.SIGKILL)
    result = answer.result()
    assert result.returncode == 1 and "killed by SIGKILL" in result.stderr, result
    settle(daemon)
    assert daemon.run(HELLO) == "hello"


def test_requests_that_outlive_the_drain_timeout(make_daemon):
    """The reload does not wait for them; they are lost, and nobody else's."""
    daemon = make_daemon()
    configure(daemon, drain_timeout=1)
    with daemon:
        daemon.wait_idle(2)
        held, old = Held(daemon), daemon.workers()
        reload(daemon)
        assert daemon.run(HELLO) == "hello"
        with held.running.connection, pytest.raises(Lost):
            for _ in held.running.output:
                pass
        os.close(held.gate.fd)
        wait_until(lambda: not old & daemon.children().keys(), what="the old generation gone")
        assert re.search(r"generation 1: 1 worker, 1 of them with a request, .* killed: "
                         r"reload\.drain_timeout has passed since a newer generation took over\.", daemon.logged())
        (victim,) = old & {int(pid) for pid in re.findall(r"Worker (\d+) was killed", daemon.logged())}
        assert re.search(rf"Worker {victim} was killed by SIGKILL \(reload\.drain_timeout has passed since a newer "
                         r"generation took over\) after \d+ requests, while it ran .*/held\.php\.", daemon.logged())
        assert daemon.status()["state"] == "running"
        daemon.wait_idle(2)
        assert daemon.run(HELLO) == "hello"


# ---- What refuses it ----

FOR_EVER = "<?php for (;;) sleep(60);"
DIES = "<?php fwrite(fopen('php://stderr', 'w'), \"this is why\\n\"); posix_kill(getmypid(), 9);"

# Each: settings, or what the worker executable does in the template's place; and the reason that is given.
# As root PHP preloads in a child, and what that says is in the log alone.
REFUSED = {
    "template that hangs": ("exec sleep 600", r"reload\.start_timeout"),
    "template that prints an error": ("echo this is why >&2; exit 3",
                                      "(?s)this is why.*exited with status 3"),
    "template that is killed": ("kill -KILL $$", "killed by SIGKILL"),
    "template that writes without end": ("while :; do echo on and on; done", r"reload\.start_timeout"),

    "preload with a syntax error": ({"preload": "<?php nonsense("}, r"PHP did not start|preload\.php"),
    "preload that throws": ({"preload": "<?php throw new Exception();"}, r"PHP did not start|preload\.php"),
    "preload that is missing": ({"preload": "/nowhere/preload.php"},
                                r"PHP did not start|/nowhere/preload\.php"),

    "warm-up that throws": ({"warmup": [HELLO, "<?php throw new Exception('no database');"]},
                            r"reload\.warmup: \S+/warmup2\.php answered 500: .*no database"),
    "warm-up that shows its errors": ({"warmup": ["<?php nowhere();"], "values": ["display_errors=1"]},
                                      r"reload\.warmup: \S+/warmup1\.php failed: .*nowhere\(\)"),
    "warm-up that answers an error": ({"warmup": ["<?php http_response_code(503);"]},
                                      r"reload\.warmup: \S+/warmup1\.php answered 503"),
    "warm-up that is missing": ({"warmup": ["/nowhere/warmup.php"]},
                                r"reload\.warmup: /nowhere/warmup\.php cannot be read: No such file"),
    "warm-up that is not allowed": ({"warmup": [os.devnull]}, r"reload\.warmup: /dev/null answered 403: "),
    "warm-up that hangs": ({"warmup": [FOR_EVER]}, r"reload\.start_timeout"),
    "warm-up that dies": ({"warmup": [HELLO, DIES]},
                          r"reload\.warmup: \S+/warmup2\.php was killed by SIGKILL"),
}


def write_worker(path, build_dir, code=""):
    path.write_text(f'#!/bin/sh\n{code}\nexec {build_dir}/daemon/php-pool-worker-{php.VERSION} "$@"\n')
    path.chmod(0o755)


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_reload_changes_nothing(make_daemon, build_dir, tmp_path, case):
    settings, reason = REFUSED[case]
    worker = tmp_path / "worker"
    write_worker(worker, build_dir)
    with make_daemon(STATIC, worker=worker) as daemon:
        before, held = settle(daemon), Held(daemon)
        if isinstance(settings, str):
            write_worker(worker, build_dir, settings)
            settings = {}
        configure(daemon, **settings, start_timeout=1 if "start_timeout" in reason else 60)
        result = daemon.ctl("reload", "www")
        assert daemon.run(HELLO) == "hello"
        assert held.finish()
        assert result.returncode == 1 and re.search(reason, result.stderr), result
        assert re.search(r"Reload of pool www failed, generation 1 goes on: ", daemon.logged())

        wait_until(lambda: set(daemon.processes()) == before, what="nothing left behind")
        assert (daemon.status()["generation"], daemon.status()["state"]) == (1, "running")

        write_worker(worker, build_dir)
        configure(daemon)
        reload(daemon)
        assert daemon.run(HELLO) == "hello"


def test_a_wrong_pool_file_is_not_tried(daemon):
    before, held = settle(daemon), Held(daemon)
    daemon.conf.write_text("\nunknown = 1;\n")
    result = daemon.ctl("reload", "www")
    assert result.returncode == 1 and re.search(r"www\.conf:2\b.*unknown", result.stderr), result
    assert set(daemon.processes()) == before
    assert daemon.status()["generation"] == 1
    assert daemon.run(HELLO) == "hello"
    assert held.finish()


@pytest.mark.parametrize("code", ["<?php throw new Exception('this is why');", DIES])
def test_a_start_serves_although_its_warmup_failed(make_daemon, code):
    """There is no generation to go on with."""
    daemon = make_daemon()
    configure(daemon, warmup=[code])
    with daemon:
        assert re.search(r"serves all the same, .*reload\.warmup: \S+/warmup1\.php (answered|was killed)",
                         daemon.logged())
        assert "this is why" in daemon.logged()
        assert daemon.run(HELLO) == "hello"
        settle(daemon)
        result = daemon.ctl("reload", "www")
        assert result.returncode == 1 and "reload.warmup" in result.stderr, result
        assert daemon.status()["generation"] == 1


def test_a_replaced_template_serves_although_its_warmup_failed(daemon):
    """Nobody asked for that generation, and there is none to go on with."""
    broken = daemon.directory / "broken"
    configure(daemon, warmup=[f"<?php if (file_exists('{broken}')) nowhere();"])
    reload(daemon)
    daemon.wait_idle(2)
    broken.touch()
    wait_until(lambda: len(daemon.templates()) == 1, what="one template")
    (template,) = daemon.templates()
    os.kill(template, signal.SIGKILL)
    wait_until(lambda: daemon.status()["generation"] == 3, what="the next generation")
    assert "serves all the same, with generation 3: reload.warmup: " in daemon.logged()
    assert daemon.run(HELLO) == "hello"
