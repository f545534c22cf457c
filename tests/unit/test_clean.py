# SPDX-License-Identifier: MIT
"""php-pool-clean: what root runs for a pool's service has nothing of the service's environment."""

import subprocess

SYSTEMDS = {"MAINPID": "17", "SERVICE_RESULT": "success", "JOURNAL_STREAM": "8:9"}
OTHERS = {"LD_PRELOAD": "/nowhere.so", "NOTIFY_SOCKET": "/nowhere", "PATH": "/nowhere", "MAINPIDS": "18", "LANG": "x"}


def run(build_dir, *args):
    return subprocess.run([build_dir / "daemon/php-pool-clean", *args], env={**OTHERS, **SYSTEMDS}, text=True,
                          capture_output=True, timeout=60)


def test_the_environment(build_dir):
    result = run(build_dir, "/usr/bin/env")
    assert result.returncode == 0 and result.stderr == ""
    assert dict(line.split("=") for line in result.stdout.splitlines()) == SYSTEMDS


def test_the_arguments_and_the_status(build_dir):
    result = run(build_dir, "/bin/sh", "-c", 'printf "%s|" "$@"; exit 7', "sh", "a b", "")
    assert (result.returncode, result.stdout) == (7, "a b||")


def test_what_cannot_be_run(build_dir):
    assert run(build_dir, "/nowhere").returncode == 1
    assert run(build_dir).returncode == 2
