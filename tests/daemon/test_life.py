# SPDX-License-Identifier: MIT
"""The life of a manager, its templates and its workers."""

import os
import re
import signal
import socket
import subprocess

import pytest

from lib.daemon import AS_USER
from lib.load import Load
from lib.scripts import HELLO, LONG, PID, SHORT, Running
from lib.wait import wait_until



def poold(build_dir, *arguments, become=AS_USER):
    """Runs it where it is expected to end by itself."""
    command = [*become, build_dir / "daemon/php-poold", *arguments]
    return subprocess.run(command, text=True, capture_output=True, timeout=20)


def test_starts_and_answers(daemon):
    assert daemon.run(HELLO) == "hello"
    assert daemon.run("<?php echo php_sapi_name();") == "fpm-fcgi"


def test_notifications_of_a_life(daemon):
    daemon.reload()
    daemon.stop()
    daemon.wait_notified(lambda n: n.get("STOPPING") == "1")
    said = daemon.notifications
    assert sum(n.get("READY") == "1" for n in said) == 2
    reloading = [n for n in said if "RELOADING" in n]
    assert len(reloading) == 1 and int(reloading[0]["MONOTONIC_USEC"]) > 0
    assert sum("STOPPING" in n for n in said) == 1
    assert all("READY" not in n for n in said if "STATUS" in n)


def test_without_sockets(build_dir, tmp_path):
    result = poold(build_dir, f"--config={os.devnull}", "www")
    assert result.returncode == os.EX_NOINPUT
    assert "php-pool@www.socket" in result.stderr


@pytest.mark.parametrize("name", ["http", "agent"])
def test_a_socket_of_an_unknown_protocol(build_dir, name, tmp_path):
    """FastCGI is what workers would speak there, to clients that speak something else."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "www.sock"))
        listener.listen()
        result = subprocess.run(
            ["sh", "-c", 'exec 3<&0; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"', "sh",
             *AS_USER, build_dir / "daemon/php-poold", f"--config={os.devnull}", "www"],
            env={**os.environ, "LISTEN_FDNAMES": name}, stdin=listener, text=True, capture_output=True, timeout=20)
    assert result.returncode == os.EX_NOINPUT
    assert f'Socket "{name}" that systemd passed is for a protocol that this version' in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["../www"], ["--frobnicate", "www"]])
def test_wrong_usage(build_dir, arguments):
    result = poold(build_dir, *arguments)
    assert result.returncode == os.EX_USAGE and result.stderr


@pytest.mark.parametrize("name", ["x.sock", "x.http", "x.status", "x.agent", "x.control", "x.status.sock"])
def test_names_of_other_sockets(build_dir, name):
    """Such a pool would have the path of another pool's socket."""
    for arguments in ([f"--config={os.devnull}"], ["--check", f"--config={os.devnull}"]):
        result = poold(build_dir, *arguments, name)
        assert result.returncode == os.EX_USAGE and f'No pool can be called "{name}"' in result.stderr, result


@pytest.mark.parametrize("become", [
    [], ["--reuid=33"], ["--regid=33", "--clear-groups"], ["--ruid=33", "--regid=33", "--clear-groups"],
    ["--euid=33", "--regid=33", "--clear-groups"], ["--reuid=33", "--rgid=33", "--clear-groups"],
    ["--reuid=33", "--egid=33", "--clear-groups"], ["--reuid=33", "--regid=33", "--groups=33,0"],
], ids=" ".join)
def test_root_is_refused(build_dir, sanitized, become):
    """Real, effective or saved, as a user, a group, or one group of many."""
    if sanitized and any(option.startswith(("--euid", "--rgid", "--egid")) for option in become):
        pytest.skip("LeakSanitizer cannot look at a process whose real and effective ids differ")
    result = poold(build_dir, f"--config={os.devnull}", "www", become=["setpriv", *become, "--"] if become else [])
    assert result.returncode == os.EX_CONFIG
    assert re.search(r"would run as root.*User=.*Group=.*php-pool@www\.service", result.stderr), result
    assert result.stderr.count("\n") == 1


def test_root_may_check(build_dir):
    result = poold(build_dir, "--check", f"--config={os.devnull}", "www", become=())
    assert result.returncode == 0 and "pm.max_children" in result.stdout


def test_check(build_dir, tmp_path):
    conf = tmp_path / "www.conf"
    conf.write_text("pm = {\n  max_children = 0;\n};\nunknown = 1;\n")
    arguments = ["--check", f"--config={conf}", "www"]
    result = poold(build_dir, *arguments)
    assert result.returncode == os.EX_CONFIG
    assert re.search(r"www\.conf:2\b.*pm\.max_children", result.stderr), result.stderr
    assert re.search(r"www\.conf:4\b.*unknown", result.stderr), result.stderr
    conf.write_text("pm = { max_children = 7; };")
    result = poold(build_dir, *arguments)
    assert result.returncode == 0 and re.search(r"max_children\s*=\s*7", result.stdout), result


def test_sigterm_drains(daemon):
    running = Running(daemon, daemon.script("long.php", LONG))
    daemon.process.send_signal(signal.SIGTERM)
    daemon.wait_notified(lambda n: n.get("STOPPING") == "1")
    assert daemon.process.poll() is None
    assert running.finish()
    assert daemon.process.wait(10) == 0


def test_drain_timeout_ends_what_goes_on(make_daemon):
    with make_daemon('reload = { drain_timeout = "1s"; };') as daemon:
        forever = daemon.script("forever.php", LONG.replace("sleep(2)", "sleep(600)"))
        with Running(daemon, forever).connection:
            assert daemon.stop() == 0


def test_killed_worker_is_replaced(daemon):
    script = daemon.script("pid.php", PID)
    victim = int(daemon.get(script))
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: str(victim) in daemon.logged(), what="the obituary")
    daemon.wait_idle(2)
    assert victim not in daemon.children()
    assert int(daemon.get(script)) != victim
    assert len([line for line in daemon.logged().splitlines() if re.search(rf"\b{victim}\b", line)]) == 1


def test_request_of_a_killed_worker_is_lost_alone(daemon):
    running = Running(daemon, daemon.script("long.php", LONG.replace("<?php", "<?php echo getmypid();", 1)))
    victim = int(re.search(rb"(\d+)begun", running.text)[1])
    os.kill(victim, signal.SIGKILL)
    with running.connection as connection:
        assert connection.ended()
    assert daemon.run(HELLO) == "hello"


def test_killed_template_is_replaced(daemon):
    workers = daemon.workers()
    (template,) = daemon.templates()
    os.kill(template, signal.SIGKILL)
    wait_until(lambda: daemon.templates() - {template}, what="the next template")
    wait_until(lambda: daemon.status()["state"] == "running", what="running")
    daemon.wait_idle(2)
    assert daemon.run(HELLO) == "hello"
    os.kill(next(iter(daemon.workers())), signal.SIGKILL)
    wait_until(lambda: daemon.workers() - workers, what="a worker from the new template")
    daemon.wait_idle(2)
    assert daemon.run(HELLO) == "hello"


def test_template_killed_while_under_load(daemon):
    script = daemon.script("short.php", SHORT)

    def send():
        assert daemon.get(script) == "done"

    with Load(send, clients=4) as load:
        for _ in range(3):
            (template,) = wait_until(daemon.templates, what="a template")
            os.kill(template, signal.SIGKILL)
            load.wait_for(20)
            wait_until(lambda: daemon.templates() - {template}, what="the next template")
    assert load.lost == [], load


def test_max_requests(make_daemon):
    with make_daemon('pm = { mode = "static"; max_children = 1; max_requests = 3; };') as daemon:
        script = daemon.script("pid.php", PID)
        pids = [int(daemon.get(script)) for _ in range(9)]
        assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 3], pids


def test_template_that_cannot_start(make_daemon):
    """The manager says why, and does not succeed."""
    daemon = make_daemon(worker="/bin/false")
    with daemon.failing() as status:
        assert status != 0
        assert not any(n.get("READY") == "1" for n in daemon.notifications)
        assert re.search(r"/bin/false|status 1|exit", daemon.logged()), daemon.logged()


def test_missing_worker_executable(make_daemon, tmp_path):
    daemon = make_daemon(worker=tmp_path / "none")
    with daemon.failing() as status:
        assert status != 0
        assert "no PHP is installed here: there is no worker in /" in daemon.logged()


def test_killed_manager_takes_its_workers_along(daemon):
    """Without systemd's KillMode= as well: the running request finishes, and then nobody is left."""
    running = Running(daemon, daemon.script("long.php", LONG))
    daemon.process.kill()
    daemon.process.wait()
    assert running.finish()
    wait_until(lambda: daemon.processes() == [], what="no process left")


def test_nothing_leaks(daemon):
    """Cycles of everything that makes processes and descriptors; then there are no more than before."""
    script = daemon.script("hello.php", HELLO)

    def cycle():
        for _ in range(20):
            assert daemon.get(script) == "hello"
        daemon.wait_idle(2)
        os.kill(next(iter(daemon.workers())), signal.SIGKILL)
        daemon.wait_idle(2)
        daemon.reload()
        with daemon.connect() as connection:
            connection.request(script, keep=True)
            daemon.reload()
            assert connection.request(script, keep=True).text == "hello"

    def settle():
        """A template and two idle workers are left, and no zombie."""
        daemon.wait_idle(2)
        wait_until(lambda: sorted(daemon.children().values()) == ["S", "S", "S"], what="three processes")

    cycle()
    settle()
    before = daemon.descriptors()
    for _ in range(5):
        cycle()
    settle()
    wait_until(lambda: daemon.descriptors() == before, what=f"{before} descriptors")


def test_ondemand_forks_nobody_for_nothing(make_daemon):
    """The one spare worker beside a busy one is not replaced again and again while it waits."""
    with make_daemon('pm = { mode = "ondemand"; process_idle_timeout = "1s"; };') as daemon:
        running = Running(daemon, daemon.script("long.php", LONG))
        wait_until(lambda: len(daemon.workers()) == 2, what="a spare worker")
        before = daemon.workers()
        assert running.finish()
        assert before & daemon.workers(), "the spare worker was replaced"
        wait_until(lambda: not daemon.workers(), what="nobody left")


def test_reloads_do_not_add_up(make_daemon):
    """One worker beyond max_children is for a reload, whatever earlier generations still run."""
    conf = 'pm = { mode = "static"; max_children = 1; }; reload = { drain_timeout = "1min"; };'
    with make_daemon(conf) as daemon:
        running = [Running(daemon, daemon.script("long.php", LONG))]
        daemon.reload()
        running.append(Running(daemon, daemon.script("long.php", LONG)))
        result = daemon.ctl("reload", "www")
        assert result.returncode == 0, result
        assert sum(r.connection.sock.fileno() >= 0 for r in running) == 2
        assert len(daemon.workers()) <= 2
        assert all(r.finish() for r in running)


def test_a_surplus_of_workers_ends(make_daemon):
    """What a burst needed goes again, down to max_spare_servers and no further."""
    conf = 'pm = { mode = "dynamic"; max_children = 8; min_spare_servers = 1; max_spare_servers = 2; };'
    with make_daemon(conf) as daemon:
        with Load(lambda script=daemon.script("short.php", SHORT): daemon.get(script), clients=3):
            wait_until(lambda: len(daemon.workers()) >= 4, what="a spare worker beside three busy ones")
        wait_until(lambda: len(daemon.workers()) == 2, 20, "the surplus gone")
        assert daemon.run(HELLO) == "hello"
