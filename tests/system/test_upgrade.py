# SPDX-License-Identifier: MIT
"""Upgrades while pools run: of one program only, of both, and 20 in a row under load, with nothing lost."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.fastcgi import Lost
from lib.load import Load
from lib.messages import MESSAGE_ID
from lib.scripts import HELLO, SHORT
from lib.upgrade import POOLD, Programs
from lib.wait import wait_until

DIFFERENT = "are of different builds: "
RESTART = "restart the pool (systemctl restart php-pool@www), once both are of one version."


@pytest.fixture
def programs(machine):
    programs = Programs(machine)
    try:
        yield programs
    finally:
        programs.restore()


def messages(pool, name, since=None):
    return [record["MESSAGE"] for record in pool.journal(f"MESSAGE_ID={MESSAGE_ID[name]}", since=since)]


def refused(pool):
    """The words of reloads that are refused: php-poolctl's, and systemd's in the journal."""
    before = pool.machine.journal_end()
    result = pool.ctl("reload", "www", check=False)
    assert result.returncode == 1
    assert pool.machine.systemctl("reload", pool.unit, check=False).returncode != 0
    first, second = messages(pool, "RELOAD_FAILED", since=before)
    assert first == second and result.stderr.strip().endswith(first.partition("goes on: ")[2])
    return first


@pytest.mark.parametrize("manager_first", [True, False])
def test_a_reload_after_an_upgrade(pool, programs, manager_first):
    """It is refused while the programs do not fit, with what to do; a restart mends it."""
    hello = pool.script("hello.php", HELLO)
    assert pool.get(hello) == "hello"
    manager, generation = pool.manager, pool.status()["generation"]

    with Load(lambda: pool.get(hello), clients=4) as load:
        first, second = (POOLD, programs.worker) if manager_first else (programs.worker, POOLD)
        programs.replace(first)
        assert DIFFERENT + RESTART in refused(pool)
        programs.replace(second)
        assert DIFFERENT + RESTART in refused(pool)
        load.wait_for(20)
        assert (pool.active, pool.manager, pool.status()["generation"]) == ("active", manager, generation)
        assert pool.show("NRestarts") == "0"

        pool.machine.systemctl("restart", pool.unit)
        assert pool.manager != manager
        pool.machine.systemctl("reload", pool.unit)
        load.wait_for(20)
    assert load.lost == []


def test_a_first_request_in_the_middle_of_an_upgrade(pool, programs):
    """It starts a pool whose programs do not fit yet. The start fails, is tried again, and the request waits."""
    hello = pool.script("hello.php", HELLO)
    programs.replace(programs.worker)
    with ThreadPoolExecutor() as executor:
        answer = executor.submit(pool.get, hello)
        wait_until(lambda: len(messages(pool, "START_FAILED")) >= 3, 30, "three starts")
        assert DIFFERENT + "install both of one version, upon which the pool starts by itself." in \
            messages(pool, "START_FAILED")[0]
        assert pool.machine.show(pool.socket_unit, "ActiveState") == "active"
        programs.replace(POOLD)
        assert answer.result(30) == "hello"
    assert pool.active == "active"


class Clients:
    """What Load sends: every other client keeps its connection."""

    def __init__(self, pool, script):
        self.pool, self.script = pool, script
        self.local, self.lock, self.made = threading.local(), threading.Lock(), 0

    def send(self):
        if not hasattr(self.local, "keeps"):
            with self.lock:
                self.local.keeps, self.made = self.made % 2 == 0, self.made + 1
            self.local.connection = None
        try:
            connection = self.local.connection or self.pool.connect()
            self.local.connection = connection if self.local.keeps else None
            response = connection.request(self.script, keep=self.local.keeps)
            if not self.local.keeps:
                connection.close()
        except (Lost, OSError):
            self.local.connection = None
            raise
        assert (response.status, response.app_status, response.text) == (200, 0, "done"), response


def kill_template(pool):
    template, = (pid for pid, args in pool.children().items() if "(template)" in args)
    pool.machine.run("kill", "-KILL", template)


def wait_recycled(pool):
    """Until a worker has ended, and another has come in its place."""

    def pids():
        return {worker["pid"] for worker in pool.status()["processes"]}

    workers = wait_until(pids, what="a worker")
    wait_until(lambda: pids() - workers and workers - pids(), what="another worker")


def test_upgrades_under_load(machine, programs):
    """
    20 upgrades and downgrades as packages make them, with 8 clients: in the time in which the programs do not fit,
    workers end and come, the template dies, a pool idles out and is started by a request.
    """
    conf = 'pm = { mode = "static"; max_children = 4; max_requests = 20; };'
    with machine.pool("www", conf) as pool, machine.pool("quiet", 'idle_exit = "1s";') as quiet, \
            ThreadPoolExecutor() as executor:
        script, hello = pool.script("short.php", SHORT), quiet.script("hello.php", HELLO)
        clients = Clients(pool, script)
        with Load(clients.send, clients=8) as load:
            for n in range(20):
                manager = pool.manager
                first, second = (POOLD, programs.worker) if n % 2 else (programs.worker, POOLD)
                programs.replace(first)
                wait_recycled(pool)
                if n % 4 == 1:
                    kill_template(pool)
                answer = None
                if n % 5 == 0:
                    wait_until(lambda: quiet.active == "inactive", 30, "the quiet pool asleep")
                    before = machine.journal_end()
                    answer = executor.submit(quiet.get, hello)
                    wait_until(lambda: messages(quiet, "START_FAILED", since=before), 30, "a start that failed")
                programs.replace(second)
                machine.systemctl("daemon-reload")
                machine.systemctl("try-restart", pool.unit, quiet.unit)
                assert pool.manager != manager
                load.wait_for(40)
                assert answer is None or answer.result(30) == "hello"
        assert load.lost == [] and load.answered > 800, load
        assert pool.active == "active"
        pool.machine.systemctl("reload", pool.unit)
