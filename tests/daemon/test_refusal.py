# SPDX-License-Identifier: MIT
"""Programs that die as of the sandbox: told where there is one, and the script sees what it would see anyway."""

import pytest

from lib import php

# Each way to wait for a program that exits as a shell does whose program died of SIGSYS (128 + 31).
CODE = """<?php
$none = [];
exec('exit 159', $lines, $status);
$seen[] = $status;
system('exit 159', $status);
$seen[] = $status;
passthru('kill -SYS $$', $status);
$seen[] = $status;
$seen[] = shell_exec('echo out; exit 159');
$seen[] = pclose(popen('exit 7', 'r'));
$seen[] = proc_close(proc_open('exit 159', [], $none));
$program = proc_open(['sh', '-c', 'kill -SYS $$'], [], $none);
while (($was = proc_get_status($program))['running'])
    usleep(1000);
$seen[] = $was['signaled'] ? $was['termsig'] : 0;
file_put_contents('none://x', 'x');
echo json_encode($seen);
"""
SEEN = '[159,159,31,"out\\n",7,159,31]'

# open_basedir reports as the system does, in two messages; the last line is the system's own refusal.
RESTRICTED = """<?php
@fopen('/etc/passwd', 'r'); @file_get_contents('/etc/hostname');
@mkdir('/etc/x'); @include '/etc/x.php';
if (isset($_GET['refused']))
    @chmod('/proc/version', 0777);
echo 'done';
"""


def make_worker(directory, build_dir, option):
    worker = directory / "worker"
    worker.write_text(f"#!/bin/sh\nexec setpriv {option} {build_dir}/daemon/php-pool-worker-{php.VERSION} \"$@\"\n")
    worker.chmod(0o755)
    return worker


def test_open_basedir_is_no_sandbox(make_daemon, build_dir, tmp_path):
    worker = make_worker(tmp_path, build_dir, "--no-new-privs")
    with make_daemon('php = { admin_value = [ "open_basedir=/proc:/tmp" ]; };', worker=worker) as daemon:
        script = daemon.script("restricted.php", RESTRICTED)
        assert daemon.get(script) == "done"
        assert daemon.logged().count("SANDBOX in php-pool(7)") == 0
        assert daemon.get(script, query="refused") == "done"
        assert daemon.logged().count("SANDBOX in php-pool(7)") == 1


@pytest.mark.parametrize("sandbox", [True, False])
def test_programs(make_daemon, build_dir, tmp_path, sandbox):
    worker = make_worker(tmp_path, build_dir, "--no-new-privs" if sandbox else "")
    with make_daemon('pm = { mode = "static"; max_children = 2; };', worker=worker) as daemon:
        for _ in range(4):
            assert daemon.run(CODE).endswith(SEEN)
        assert daemon.logged().count("SANDBOX in php-pool(7)") == int(sandbox)
