# SPDX-License-Identifier: MIT
"""What has to be dumpable, or to reach a worker's memory all the same: core dumps and the slow log."""

import json
import pathlib
import resource

import pytest

from lib.wait import wait_until

PATTERN = pathlib.Path("/proc/sys/kernel/core_pattern").read_text()
ABORT = "<?php posix_kill(getmypid(), 6); sleep(20);"
SLOW = """<?php
function wait_here() { %s }
wait_here();
$limits = posix_getrlimit();
echo json_encode([$limits['soft openfiles'], count(scandir('/proc/self/fd'))]);"""
WORKERS = 100


@pytest.fixture
def limit():
    """Sets a soft limit for what the test starts."""
    before = {}

    def set_(kind, soft):
        before.setdefault(kind, resource.getrlimit(kind))
        resource.setrlimit(kind, (soft, before[kind][1]))

    yield set_
    for kind, values in before.items():
        resource.setrlimit(kind, values)


@pytest.mark.skipif(PATTERN.startswith(("|", "/")), reason="this machine has core dumps elsewhere")
@pytest.mark.parametrize("setting, dumped", [("", False), ("process = { dumpable = true; };", True)])
def test_core_dumps(make_daemon, limit, sanitized, setting, dumped):
    """A worker that crashes leaves one where process.dumpable is set."""
    if sanitized and dumped:
        pytest.skip("AddressSanitizer has the kernel write none (disable_coredump)")
    limit(resource.RLIMIT_CORE, resource.RLIM_INFINITY)
    with make_daemon('pm = { mode = "static"; max_children = 1; };\n' + setting) as daemon:
        script = daemon.script("abort.php", ABORT)
        daemon.crash(script)
        wait_until(lambda: "SIGABRT" in daemon.logged(), what="the obituary")
        assert bool(list(daemon.directory.glob("core*"))) == dumped


def test_the_slow_log_of_many_workers(make_daemon, limit):
    """The template has a descriptor for each, whatever the soft limit is; scripts have the limit, and none of them."""
    conf = (f'pm = {{ mode = "static"; max_children = {WORKERS}; }};\n'
            'request = { slowlog_timeout = "200ms"; };\n')
    before = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    daemon = make_daemon(conf)
    limit(resource.RLIMIT_NOFILE, 64)
    with daemon.launched():
        limit(resource.RLIMIT_NOFILE, before)
        daemon.wait_notified(lambda n: n.get("READY") == "1")
        daemon.wait_idle(WORKERS)
        script = daemon.script("slow.php", SLOW % daemon.gate("slow"))
        clients = [daemon.connect() for _ in range(WORKERS)]
        for client in clients:
            client.start(script)
        wait_until(lambda: daemon.logged().count("Slow request: ") == WORKERS, 60, "a record of each")
        daemon.open_gate("slow")
        for client in clients:
            soft, descriptors = json.loads(client.response().text)
            assert (soft, descriptors < 40) == (64, True)
            client.close()
        assert daemon.logged().count("wait_here()") == WORKERS


def test_a_warm_up_reaches_none_of_it(make_daemon, limit):
    """Its scripts run in a child of the template that becomes no worker."""
    daemon = make_daemon()
    seen = daemon.directory / "seen"
    script = daemon.script("warm-up.php", f"""<?php
        $links = array_map(fn($fd) => @readlink("/proc/self/fd/$fd"), scandir('/proc/self/fd'));
        file_put_contents('{seen}', json_encode([posix_getrlimit()['soft openfiles'], $links]));""")
    daemon.conf.write_text(f'pm = {{ mode = "static"; max_children = {WORKERS}; }};\n'
                           f'request = {{ slowlog_timeout = "5s"; }};\nreload = {{ warmup = ["{script}"]; }};')
    before = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    limit(resource.RLIMIT_NOFILE, 64)
    with daemon.launched():
        limit(resource.RLIMIT_NOFILE, before)
        daemon.wait_notified(lambda n: n.get("READY") == "1")
        soft, links = json.loads(seen.read_text())
        assert soft == 64
        assert not any(link and (link.startswith("socket:") or link.endswith("/mem")) for link in links), links
