# SPDX-License-Identifier: MIT
"""What a request costs in system calls, which do not depend on the machine's mood: counted by strace."""

import pytest

from lib.php import at_least
from lib.strace import traced

REQUESTS = 100
# From 8.4 on, PHP's memory manager asks at the end of each request whether its process is still the same: getpid(2).
PHPS_OWN = 1 if at_least(8, 4) else 0
KEPT = 9 + PHPS_OWN
NEW = KEPT + 3
# opcache leaves a file alone that is younger than two seconds.
OPCACHE = 'php = { admin_value = ["opcache.file_update_protection=0"]; };\n'

# Settings that a request pays for only where they are used: for `pm`, and outside of it.
SETTINGS = {
    "status and ping": ("", 'status = { path = "/status"; }; ping = { path = "/ping"; };'),
    "time limits": ("", 'request = { terminate_timeout = "60s"; slowlog_timeout = "60s"; };'),
    "access log": ("", 'access = { log = "%s/access.log"; };'),
    "access log of all": ("", 'access = { log = "%s/access.log"; '
                              'format = "%%R %%u %%t %%m %%r %%Q%%q %%s %%f %%l %%d %%M %%C %%{user}C %%P"; };'),
    "max_memory": ('max_memory = "1G";', ""),
    "max_requests": ("max_requests = 100000;", ""),
}


@pytest.fixture
def count(make_daemon, tmp_path, sanitized):
    """count(keep, pm, conf, watched): the system calls for one request, of the worker and of the manager."""
    if sanitized:
        pytest.skip("a sanitizer makes system calls of its own")

    def count(keep, pm="", conf="", watched=False):
        static = f'pm = {{ mode = "static"; max_children = 1; {pm} }};\n'
        daemon = make_daemon(static + OPCACHE + (conf % tmp_path if "%" in conf else conf))
        serve = serve_kept if keep else serve_new
        with daemon:
            script = daemon.script("hello.php", '<?php echo "Hello, world\\n";')
            serve(daemon, script, 20)
            if watched:
                daemon.status()
            worker = (daemon.children().keys() - daemon.templates()).pop()
            with traced(worker) as of_worker, traced(daemon.pid) as of_manager:
                serve(daemon, script, REQUESTS)
        return tuple({name: n / REQUESTS for name, n in calls.items()} for calls in (of_worker, of_manager))
    return count


def serve_new(daemon, script, requests):
    for _ in range(requests):
        assert daemon.get(script) == "Hello, world\n"


def serve_kept(daemon, script, requests):
    with daemon.connect() as connection:
        for _ in range(requests):
            assert connection.request(script, keep=True).text == "Hello, world\n"


@pytest.mark.parametrize("keep, limit", [(False, NEW), (True, KEPT)], ids=["new", "kept"])
def test_a_hello_world(count, keep, limit):
    """One read for a request that fits, one write for an answer that fits, none of the manager."""
    worker, manager = count(keep)
    assert round(sum(worker.values())) <= limit, worker
    assert round(worker["recvfrom"]) == round(worker["sendto"]) == 1, worker
    assert sum(manager.values()) < 0.5, manager


@pytest.mark.parametrize("pm, conf", SETTINGS.values(), ids=SETTINGS)
def test_what_is_switched_on(count, pm, conf):
    """Costs the worker two system calls at most, and never wakes the manager."""
    worker, manager = count(True, pm, conf)
    assert round(sum(worker.values())) <= KEPT + 2, worker
    assert sum(manager.values()) < 0.5, manager


def test_while_somebody_looks_at_the_status(count):
    """The worker measures what only the status shows."""
    worker, manager = count(True, watched=True)
    assert KEPT < round(sum(worker.values())) <= KEPT + 2, worker
    assert sum(manager.values()) < 0.5, manager
