# SPDX-License-Identifier: MIT
"""
An upgrade replaces php-poold and the worker's program, one after the other, while a manager runs: whatever it finds
when it starts PHP, it serves on, or says what to do.
"""

import os
import shutil
import signal
import subprocess

import pytest

from lib import php
from lib.daemon import SANITIZERS, Daemon
from lib.scripts import HELLO, LONG, Running
from lib.wait import wait_until

STATIC = 'pm = { mode = "static"; max_children = 2; };'
WORKER = f"php-pool-worker-{php.VERSION}"
DIFFERENT = f"php-poold and {WORKER} are of different builds: "
RESTART = "restart the pool (systemctl restart php-pool@www), once both are of one version."

# Programs in the worker's place.
OTHER_BUILD = 'pool=$1; shift 2; exec {worker} "$pool" build=0 "$@"'  # what a worker sees of another build's manager
OTHER_MANAGER = 'through=$1; pool=$2; shift 3; exec {manager} "$through" "$pool" build=0 "$@"'  # the same of a manager


class Upgraded(Daemon):
    """A pool whose programs can be replaced."""

    def __init__(self, build_dir, directory, environment):
        programs = directory / "programs/daemon"
        programs.mkdir(parents=True)
        (programs / "php-poolctl").symlink_to(build_dir / "daemon/php-poolctl")
        (programs / WORKER).symlink_to(build_dir / "daemon" / WORKER)
        shutil.copy(build_dir / "daemon/php-poold", programs)
        super().__init__(programs.parent, directory, STATIC, environment=environment)
        self.build, self.programs, self.real = build_dir, programs, build_dir / "daemon" / WORKER

    def replace(self, name, text=None):
        """A new file in the place of the old one, as packages bring it: a script, or what was there at first."""
        new = self.programs / "new"
        if text:
            text = text.format(worker=self.real, manager=self.build / "daemon/php-poold", directory=self.directory)
            new.write_text(f"#!/bin/sh\n{text}\n")
            new.chmod(0o755)
        elif name == WORKER:
            new.symlink_to(self.real)
        else:
            shutil.copy(self.programs / name, new)
        os.rename(new, self.programs / name)

    def refused(self):
        """The words of a reload that was refused."""
        result = self.ctl("reload", "www")
        assert result.returncode != 0
        return result.stderr


@pytest.fixture
def daemon(build_dir, tmp_path, environment):
    return Upgraded(build_dir, tmp_path, environment)


def test_a_reload_to_another_build_is_refused(daemon):
    with daemon:
        daemon.wait_idle(2)
        workers, templates = daemon.workers(), daemon.templates()
        daemon.replace(WORKER, OTHER_BUILD)
        assert DIFFERENT + RESTART in daemon.refused()
        daemon.replace("php-poold")
        assert DIFFERENT + RESTART in daemon.refused()
        assert DIFFERENT in daemon.logged() and "PHP's template process" not in daemon.logged()

        assert (daemon.workers(), daemon.templates()) == (workers, templates)
        assert daemon.status()["state"] == "running"
        assert daemon.run(HELLO) == "hello"

        daemon.replace(WORKER)  # a downgrade
        daemon.reload()
        wait_until(lambda: not daemon.workers() & workers, what="the end of the workers before")
        assert daemon.run(HELLO) == "hello"


def test_a_reload_under_another_manager_is_refused(daemon):
    """One that is installed and that the pool does not run with yet. A template that dies is replaced all the same."""
    with daemon:
        daemon.wait_idle(2)
        workers = daemon.workers()
        daemon.replace("php-poold", OTHER_MANAGER)
        assert DIFFERENT + RESTART in daemon.refused()
        assert daemon.workers() == workers
        os.kill(*daemon.templates(), signal.SIGKILL)
        wait_until(lambda: not daemon.workers() & workers, what="the next generation")
        assert daemon.run(HELLO) == "hello"


def test_a_manager_that_is_gone_does_not_matter(daemon):
    with daemon:
        (daemon.programs / "php-poold").unlink()
        daemon.reload()
        assert daemon.run(HELLO) == "hello"


def test_a_new_manager_of_the_same_build_does_not_matter(daemon):
    with daemon:
        daemon.replace("php-poold")
        daemon.replace(WORKER)
        daemon.reload()
        assert daemon.run(HELLO) == "hello"


def test_a_start_with_another_build_fails(daemon):
    daemon.replace(WORKER, OTHER_BUILD)
    with daemon.failing() as status:
        assert status != 0
    assert "Pool www does not start: " + DIFFERENT + "install both of one version, upon which" in daemon.logged()


def test_workers_die_and_come_during_an_upgrade(daemon):
    """They come from the template, which is of the manager's build, whatever files there are."""
    with daemon:
        daemon.wait_idle(2)
        daemon.replace(WORKER, OTHER_BUILD)
        daemon.replace("php-poold")
        before = daemon.workers()
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not daemon.workers() & before, what="none of them")
        daemon.wait_idle(2)
        assert daemon.run(HELLO) == "hello"


def test_a_template_that_dies_during_an_upgrade(daemon):
    """Workers go on without it, for as long as a restart would not help; no ping is withheld, and it is said once."""
    attempts = daemon.directory / "attempts"
    with daemon:
        daemon.wait_idle(2)
        attempts.touch()
        attempts.chmod(0o666)
        daemon.replace(WORKER, "echo >>{directory}/attempts; " + OTHER_BUILD)
        workers = daemon.workers()
        os.kill(*daemon.templates(), signal.SIGKILL)
        wait_until(lambda: attempts.stat().st_size >= 3, what="three attempts")
        assert daemon.logged().count(DIFFERENT) == 1
        assert daemon.run(HELLO) == "hello"
        assert daemon.workers() == workers and daemon.status()["state"] in ("running", "reloading")
        daemon.replace(WORKER)
        daemon.wait_idle(2)
        wait_until(lambda: not daemon.workers() & workers, what="the next generation")
        assert daemon.run(HELLO) == "hello"


def test_a_template_that_dies_after_an_upgrade(daemon):
    """A manager of the build before cannot have another one: it ends, and systemd starts the new one."""
    with daemon.launched():
        daemon.wait_notified(lambda n: n.get("READY") == "1")
        running = Running(daemon, daemon.script("long.php", LONG))
        daemon.replace(WORKER, OTHER_BUILD)
        daemon.replace("php-poold")
        os.kill(*daemon.templates(), signal.SIGKILL)
        assert running.finish()
        assert daemon.process.wait(30) == 1  # on-failure
        daemon.stop = lambda: None
    assert "Pool www stops: PHP's template has to be started again, and an upgrade has replaced" in daemon.logged()


def worker(build_dir, environment, *args):
    return subprocess.run([build_dir / "daemon" / WORKER, *args], env={**os.environ, **SANITIZERS, **environment},
                          text=True, capture_output=True, timeout=30)


@pytest.mark.parametrize("build", ["build=0", "handoff=0"])
def test_a_worker_leaves_it_to_the_manager(build_dir, environment, build):
    result = worker(build_dir, environment, "www", build, "settings=0", "scoreboard=0")
    assert (result.returncode, result.stdout, result.stderr) == (83, "", "")


def test_a_worker_that_a_person_starts(build_dir, environment):
    result = worker(build_dir, environment)
    assert result.returncode == 64 and "The manager alone starts" in result.stderr
