# SPDX-License-Identifier: MIT
"""Processes that die, one by one and in storms, wherever they are: the request at hand is lost, and no other."""

import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import pytest

from lib import fastcgi
from lib.daemon import AS_USER, SANITIZERS
from lib.scripts import HELLO, PID, Running, hang
from lib.wait import wait_until

STATIC = 'pm = { mode = "static"; max_children = %d; };\n'
PRELOAD = 'php = { admin_value = ["opcache.enable=1", "opcache.preload=%s", "opcache.preload_user=root"]; };\n'
DIE = "<?php posix_kill(getmypid(), %d);"
OBITUARY = re.compile(r"Worker \d+ was killed by (SIG\w+)")
COUNT = re.compile(r"Pool www: (\d+) more workers died; the last one was killed by (SIG\w+) while it ran (\S+)\.")


def gate(daemon, name, first="flush();"):
    """A script that runs until daemon.open_gate(); what it does first. From 8.4 on, flush() alone sends the head."""
    return f"<?php while (ob_get_level()) ob_end_flush(); {first} {daemon.gate(name)} echo 'whole';"


def process_in(daemon, state, script=None):
    """Waits for a worker in this state, with this script; its id."""
    def find():
        return [p["pid"] for p in daemon.status()["processes"]
                if p["state"] == state and script in (None, p["script"])]

    return wait_until(find, what=f"a worker that is {state}")[0]


# ---- A worker, at every point of a request ----
# Each brings a worker there and returns (its id, what its client must see after its death).


def idle(daemon, connection):
    return process_in(daemon, "Idle"), lambda: None


def accepted(daemon, connection):
    """It has the connection, of which no byte came."""
    pid = process_in(daemon, "Idle")
    before = daemon.status()["accepted-conn"]
    silent = daemon.connect()
    wait_until(lambda: daemon.status()["accepted-conn"] > before, what="accept(2)")

    def seen():
        with silent:
            assert silent.ended()

    return pid, seen


def half_a_head(daemon, connection):
    """A worker has read it, and the manager keeps it, as the silent connection: whoever comes answers."""
    request = fastcgi.whole(fastcgi.encode_pairs(fastcgi.parameters(daemon.script("half.php", HELLO))))
    half = daemon.connect()
    half.send(request[:40])
    wait_until(lambda: daemon.status()["parked-connections"] == 6, what="half a head, and the silent connection")

    def seen():
        with half:
            half.send(request[40:])
            return half.response().text == "hello"

    return process_in(daemon, "Idle"), seen


def half_a_body(daemon, connection):
    script = daemon.script("body.php", "<?php echo strlen(file_get_contents('php://input'));")
    params = fastcgi.parameters(script, "POST", body_length=100, extra={"CONTENT_TYPE": "application/octet-stream"})
    connection.send(fastcgi.begin() + fastcgi.stream(fastcgi.PARAMS, fastcgi.encode_pairs(params))
                    + fastcgi.record(fastcgi.STDIN, b"x" * 50))
    return process_in(daemon, "Running", script), lambda: connection.ended()


def running(daemon, connection):
    script = daemon.script("running.php", gate(daemon, "never", first=""))
    connection.start(script)
    return process_in(daemon, "Running", script), lambda: connection.ended()


def finished(daemon, connection):
    """Its answer went out before: that is not lost."""
    begun = "echo 'answer'; fastcgi_finish_request();"
    connection.start(daemon.script("finished.php", gate(daemon, "never", begun)))
    assert connection.response().text == "answer"
    return process_in(daemon, "Finishing"), lambda: None


def shutdown_function(daemon, connection):
    script = daemon.script("shutdown.php", "<?php register_shutdown_function(function () {"
                           + gate(daemon, "never").removeprefix("<?php") + "}); echo 'begun';")
    connection.start(script)
    for kind, content in connection.output():
        if kind == fastcgi.STDOUT and b"begun" in content:
            break
    return process_in(daemon, "Finishing", script), lambda: connection.ended()


def half_an_answer(daemon, connection):
    code = "<?php while (ob_get_level()) ob_end_flush(); for (;;) echo str_repeat('x', 65536);"
    script = daemon.script("big.php", code)
    connection.start(script)
    output = connection.output()
    next(output)

    def seen():
        with pytest.raises((fastcgi.Lost, ConnectionResetError)):
            for _ in output:
                pass

    return process_in(daemon, "Running", script), seen


def kept(daemon, connection):
    """Its own kept connection, which nobody else needed, goes with it: the web server makes another."""
    pid = int(connection.request(daemon.script("kept.php", PID), keep=True).text)
    return pid, lambda: connection.ended()


POINTS = [idle, accepted, half_a_head, half_a_body, running, finished, shutdown_function, half_an_answer, kept]


def test_a_template_that_hangs(make_daemon):
    """An order that is not carried out within reload.start_timeout ends the template; the request waits."""
    conf = 'pm = { mode = "ondemand"; process_idle_timeout = "1s"; };\nreload = { start_timeout = "5s"; };'
    with make_daemon(conf) as daemon:
        script = daemon.script("hello.php", HELLO)
        wait_until(lambda: not daemon.workers(), what="no worker")
        (template,) = daemon.templates()
        os.kill(template, signal.SIGSTOP)
        assert daemon.get(script) == "hello"
        assert "carries out no order" in daemon.logged()


def test_an_idle_worker_that_hangs_delays_no_reload(make_daemon):
    with make_daemon(STATIC % 2 + 'reload = { drain_timeout = "5min"; };') as daemon:
        daemon.wait_idle(2)
        victim = min(daemon.workers())
        os.kill(victim, signal.SIGSTOP)
        daemon.reload()
        assert daemon.run(HELLO) == "hello"
        assert f"Worker {victim} is killed: it has no request, and did not end" in daemon.logged()


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.__name__)
def test_a_worker_killed(make_daemon, point):
    """A running request, and connections that are parked, have nothing to do with it."""
    conf = STATIC % 2 + 'reload = { drain_timeout = "5s"; };\nrequest = { header_timeout = "1min"; };'
    with make_daemon(conf) as daemon:
        hello = daemon.script("hello.php", HELLO)
        parked = [daemon.connect() for _ in range(4)]
        for connection in parked:
            assert connection.request(hello, keep=True).text == "hello"
        daemon.reload()  # whoever retires parks what it has
        daemon.wait_idle(2)
        assert daemon.status()["parked-connections"] == 4

        with daemon.connect() as connection, daemon.connect() as bystander:
            script = daemon.script("gate.php", gate(daemon, "bystander"))
            bystander.start(script)
            other = process_in(daemon, "Running", script)
            victim, seen = point(daemon, connection)
            assert other != victim

            os.kill(victim, signal.SIGKILL)
            wait_until(lambda: victim not in daemon.children(), what="its death")
            assert seen() is not False
            assert daemon.get(hello) == "hello"
            for one in parked:
                assert one.request(hello, keep=True).text == "hello"
            daemon.open_gate("bystander")
            assert bystander.response().text == "whole"

        for one in parked:
            one.close()
        daemon.wait_idle(2)
        assert len(re.findall(rf"Worker {victim} was killed by SIGKILL", daemon.logged())) == 1


# ---- The template, the launcher, and a worker that took a wake-up with it ----


@pytest.fixture
def make_deadly(make_daemon, tmp_path, source_dir):
    """Makes a Daemon of which one process dies where die-once.c says, as soon as the file `deadly` exists."""
    def make(where, conf):
        library = tmp_path / "die-once.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", library,
                        source_dir / "tests/daemon/die-once.c"], check=True)
        daemon = make_daemon(conf)
        preload = ":".join(str(path) for path in (daemon.environment.get("LD_PRELOAD"), library) if path)
        daemon.deadly = tmp_path / "die-once"
        daemon.environment = {**daemon.environment, "LD_PRELOAD": preload, "DIE_ONCE": where,
                              "DIE_ONCE_FILE": daemon.deadly}
        return daemon
    return make


@pytest.mark.parametrize("where", ["order", "launch"])
def test_killed_while_workers_are_ordered(make_deadly, where):
    """The template before it forked any, the launcher after one of them: the next generation has them all."""
    daemon = make_deadly(where, STATIC % 4)
    daemon.deadly.touch()
    with daemon:
        wait_until(lambda: not daemon.deadly.exists(), what="a death")
        wait_until(lambda: daemon.status()["generation"] == 2, what="the next generation")
        daemon.wait_idle(4)
        assert daemon.run(HELLO) == "hello"
        wait_until(lambda: sorted(daemon.children().values()) == ["S"] * 5, what="nothing of the first one")


def test_stop_while_workers_are_ordered(make_deadly):
    """One that was forked already, and serves, is waited for, though its launcher has not told of it yet."""
    daemon = make_deadly("launch", STATIC % 4)
    daemon.environment["DIE_ONCE_SIGNAL"] = str(signal.SIGSTOP.value)
    daemon.deadly.touch()
    with daemon:
        wait_until(lambda: not daemon.deadly.exists(), what="a launcher that stands still")
        running = [Running(daemon, daemon.script(f"{n}.php", hang(f"echo getmypid(); {daemon.gate(n)}")))
                   for n in "ab"]
        known = wait_until(daemon.workers, what="a worker that is known")
        (launcher,) = [pid for pid in daemon.processes() if "T" in open(f"/proc/{pid}/stat").read().split(") ")[1][:1]]
        daemon.process.send_signal(signal.SIGTERM)
        daemon.wait_notified(lambda n: n.get("STOPPING") == "1")
        os.kill(launcher, signal.SIGCONT)
        wait_until(lambda: len(daemon.workers()) == 2, what="the other worker")
        scripts = {p["pid"]: p["script"] for p in daemon.status()["processes"]}
        last = "a" if scripts[(scripts.keys() - known).pop()].endswith("a.php") else "b"
        first = ({"a", "b"} - {last}).pop()
        daemon.open_gate(first)
        assert running["ab".index(first)].finish()
        wait_until(lambda: len(daemon.workers()) == 1, what="the first gone")
        daemon.open_gate(last)
        assert running["ab".index(last)].finish()
        assert daemon.process.wait(20) == 0


def test_a_wake_up_that_died_with_its_worker(make_deadly):
    """The kernel told nobody else of the connection; idle workers are enough, so that none is started either."""
    with make_deadly("accept", 'pm = { start_servers = 4; min_spare_servers = 1; };') as daemon:
        daemon.wait_idle(4)
        hello = daemon.script("hello.php", HELLO)
        daemon.deadly.touch()
        with daemon.connect(timeout=5) as connection:
            assert connection.request(hello).text == "hello"
        assert not daemon.deadly.exists()
        assert len(daemon.workers()) == 3


@pytest.mark.parametrize("which", ["old", "new"])
def test_template_killed_while_a_reload_runs(daemon, which):
    (old,) = daemon.templates()
    daemon.conf.write_text(STATIC % 2 + PRELOAD % daemon.script("preload.php", gate(daemon, "preload")))
    with subprocess.Popen(daemon.ctl_command("reload", "www"), text=True, stderr=subprocess.PIPE) as reload:
        (new,) = wait_until(lambda: daemon.templates() - {old}, what="the next template")
        os.kill(old if which == "old" else new, signal.SIGKILL)
        wait_until(lambda: (old if which == "old" else new) not in daemon.children(), what="its death")
        assert daemon.run(HELLO) == "hello"
        daemon.open_gate("preload")
        error = reload.stderr.read()
    assert reload.returncode == (0 if which == "old" else 1), error
    if which == "new":
        assert "killed by SIGKILL" in error
    wait_until(lambda: daemon.status()["generation"] == (2 if which == "old" else 1), what="the generation")
    wait_until(lambda: daemon.status()["state"] == "running", what="running")
    daemon.wait_idle(2)
    assert daemon.run(HELLO) == "hello"
    wait_until(lambda: len(daemon.templates()) == 1, what="one template")


# ---- Storms ----


def test_a_storm_of_deaths(make_daemon):
    """Every second request kills its worker: the others are answered, the log and the forks have a limit."""
    rate, crashes = 16, 60
    conf = 'pm = { mode = "static"; max_children = 4; max_spawn_rate = %d; };' % rate
    with make_daemon(conf) as daemon:
        daemon.wait_idle(4)
        hello, die = daemon.script("hello.php", HELLO), daemon.script("die.php", DIE % signal.SIGKILL)
        answers = []

        def client():
            for _ in range(crashes // 4):
                daemon.crash(die)
                answers.append(daemon.get(hello))

        begun = time.monotonic()
        threads = [threading.Thread(target=client) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - begun
        assert answers == ["hello"] * crashes
        # Those of the first second, and the four that were there, are not held back.
        assert took > (crashes - 2 * rate - 4) / rate, f"{crashes} workers were replaced within {took} s"
        daemon.wait_idle(4)
        assert daemon.status()["generation"] == 1
        daemon.stop()

        assert OBITUARY.findall(daemon.logged()) == ["SIGKILL"] * 5
        counts = COUNT.findall(daemon.logged())
        assert 1 <= len(counts) <= 1 + took // 10
        assert sum(int(n) for n, _, _ in counts) == crashes - 5
        assert {(how, script) for _, how, script in counts} == {("SIGKILL", die)}


def born(pid):
    """When a process was forked, in seconds of CLOCK_BOOTTIME: the kernel's word, however late it is looked at."""
    ticks = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[19]
    return int(ticks) / os.sysconf("SC_CLK_TCK")


def test_a_single_death_is_replaced_at_once(make_daemon):
    """Also where pm.max_spawn_rate is low, and after a storm has passed nothing is left of it."""
    with make_daemon('pm = { mode = "static"; max_children = 2; max_spawn_rate = 2; };') as daemon:
        daemon.wait_idle(2)
        before = daemon.workers()
        killed = time.clock_gettime(time.CLOCK_BOOTTIME)
        os.kill(next(iter(before)), signal.SIGKILL)
        (new,) = wait_until(lambda: daemon.workers() - before, what="another")
        assert born(new) - killed < 1  # what a storm holds back comes with the next second


EMERGENCY = """
emergency_restart = { threshold = 3; interval = "1min"; };
php = { admin_value = ["opcache.validate_timestamps=0", "opcache.file_update_protection=0"]; };
"""


def make_crashing(make_daemon, conf):
    """A sanitizer would report the signal itself."""
    daemon = make_daemon(conf)
    options = SANITIZERS["ASAN_OPTIONS"] + ":handle_segv=0:handle_sigbus=0"
    daemon.environment = {**daemon.environment, "ASAN_OPTIONS": options}
    return daemon


def test_emergency_restart(make_daemon):
    with make_crashing(make_daemon, STATIC % 2 + EMERGENCY) as daemon:
        segv, bus = (daemon.script(f"{n}.php", DIE % n) for n in (signal.SIGSEGV, signal.SIGBUS))
        page = daemon.script("page.php", "<?php echo 'old';")
        assert daemon.get(page) == "old"
        daemon.script("page.php", "<?php echo 'new';")
        daemon.crash(segv)
        daemon.crash(bus)
        daemon.crash(daemon.script("kill.php", DIE % signal.SIGKILL))  # not counted
        daemon.wait_idle(2)
        assert daemon.get(page) == "old" and daemon.status()["generation"] == 1

        daemon.crash(segv)
        wait_until(lambda: daemon.status()["generation"] == 2, what="the next generation")
        daemon.wait_idle(2)
        assert daemon.get(page) == "new"
        assert "3 workers crashed" in daemon.logged()

        for _ in range(2):  # those before are forgotten
            daemon.crash(segv)
        daemon.wait_idle(2)
        assert daemon.status()["generation"] == 2 and daemon.logged().count("workers crashed") == 1
        daemon.crash(segv)
        wait_until(lambda: daemon.status()["generation"] == 3, what="the generation after that")
        wait_until(lambda: daemon.status()["state"] == "running", what="running")
        assert daemon.run(HELLO) == "hello"
        # systemd was told of the start only: none of this is a reload that somebody waits for.
        assert not any("RELOADING" in n for n in daemon.notifications)


def test_a_reload_forgets_crashes(make_daemon):
    with make_crashing(make_daemon, STATIC % 2 + EMERGENCY) as daemon:
        segv = daemon.script("segv.php", DIE % signal.SIGSEGV)
        for generation in (1, 2, 3):
            assert daemon.status()["generation"] == generation
            for _ in range(2):
                daemon.crash(segv)
            daemon.wait_idle(2)
            daemon.reload()
        assert "workers crashed" not in daemon.logged()


# ---- What the system refuses ----


def set_descriptors(daemon, soft):
    """As its user: of others, only root with CAP_SYS_RESOURCE may."""
    hard = re.search(r"^Max open files +\S+ +(\d+)", pathlib.Path(f"/proc/{daemon.pid}/limits").read_text(), re.M)[1]
    subprocess.run([*AS_USER, "prlimit", f"--pid={daemon.pid}", f"--nofile={hard if soft is None else soft}:{hard}"],
                   check=True)


def test_no_descriptor_for_a_reload(daemon):
    """
    However many are left, from none on: memfd_create(2), pipe2(2), socketpair(2), eventfd(2), epoll fail one
    after the other. The reload is refused for that reason, nothing is left of it, and then one succeeds.
    """
    hello = daemon.script("hello.php", HELLO)
    used = {int(name) for name in os.listdir(f"/proc/{daemon.pid}/fd")}
    free = [n for n in range(max(used) + 64) if n not in used]
    before, refused = daemon.descriptors(), 0
    for n in range(32):
        set_descriptors(daemon, free[n])  # so that n are left
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: daemon.logged().count("Reload of pool") > refused or "took over" in daemon.logged(),
                   what="the reload's outcome")
        assert daemon.get(hello) == "hello"
        set_descriptors(daemon, None)
        if "took over" in daemon.logged():
            break
        refused += 1
        # Or too many that are on their way in messages, which the kernel counts for all of the user's processes.
        assert re.search("Too many (open files|references)",
                         daemon.logged().rpartition("Reload of pool")[2]), daemon.logged()
        wait_until(lambda: len(daemon.children()) == 3, what="nothing of the new generation")
        wait_until(lambda: daemon.descriptors() == before, what=f"{before} descriptors")
    else:
        pytest.fail("no reload ever succeeded")
    assert refused >= 5
    daemon.wait_idle(2)
    assert daemon.get(hello) == "hello"


def test_no_descriptor_for_a_worker(daemon):
    """It says so, goes on with those it has, and has all again once it can."""
    hello = daemon.script("hello.php", HELLO)
    victim = next(iter(daemon.workers()))
    set_descriptors(daemon, 3)
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: "Failed to order 1 workers, trying again: Too many open files" in daemon.logged(),
               what="a word")
    assert daemon.get(hello) == "hello"
    set_descriptors(daemon, None)
    daemon.wait_idle(2)
    assert victim not in daemon.workers()


def test_clients_of_the_control_socket_are_told_once(daemon):
    """However many there are, they neither fill the log nor keep others out when they are gone."""
    before = daemon.descriptors()
    clients = [fastcgi.connect_unix(daemon.control_socket) for _ in range(64)]
    wait_until(lambda: daemon.control_clients() == 64, what="64 clients")
    for _ in range(20):
        with fastcgi.connect_unix(daemon.control_socket) as one:
            assert one.ended()
    for client in clients:
        client.close()
    wait_until(lambda: daemon.descriptors() == before, what="no client")
    assert daemon.status()["state"] == "running"
    assert daemon.logged().count("control connection") == 1, daemon.logged()
