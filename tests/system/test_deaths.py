# SPDX-License-Identifier: MIT
"""Failures of the system and of whole pools: each costs what it must, is told, and heals when its cause is gone."""

import os

import pytest

from lib import php
from lib.messages import MESSAGE_ID
from lib.scripts import HELLO
from lib.wait import wait_until

WORKER = f"/usr/libexec/php-pool/php-pool-worker-{php.VERSION}"
UNIT_STARTING = "7d4958e842da4a758f6c1cdc7b36dcc5"  # systemd's own, sd-messages(3)
UPLOAD = "<?php echo $_FILES['f']['error'];"
FORM = b'--cut\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n%s\r\n--cut--\r\n'
MULTIPART = {"CONTENT_TYPE": "multipart/form-data; boundary=cut"}
STATIC = 'pm = { mode = "static"; max_children = %d; };\n'

# What keeps the service from starting, and what mends it: (pool file, worker executable), before and after.
LOOPS = {
    "pool file": (("no_such_key = 1;\nno_other_key = 2;\n", f'exec {WORKER} "$@"'), ("", f'exec {WORKER} "$@"')),
    "worker executable": (("", "kill -SEGV $$"), ("", f'exec {WORKER} "$@"')),
}


@pytest.mark.parametrize("case", LOOPS)
def test_a_crash_loop(machine, case):
    """At most one start a second, one record of ours for each; and it comes up by itself once it can."""
    (conf, script), (mended_conf, mended_script) = LOOPS[case]
    worker = f"/srv/www/workers/php-pool-worker-{php.VERSION}"
    with machine.pool("www", conf, service="[Service]\nEnvironment=PHP_POOL_WORKER_DIR=/srv/www/workers\n") as pool:
        machine.write(worker, f"#!/bin/sh\n{script}\n", mode=0o755)
        assert machine.systemctl("start", pool.unit, check=False).returncode != 0
        wait_until(lambda: int(pool.show("NRestarts")) >= 4, timeout=30, what="four starts")

        wait_until(lambda: len(pool.journal("SYSLOG_IDENTIFIER=php-pool")) >= 4, what="four records")
        ours = pool.journal("SYSLOG_IDENTIFIER=php-pool")  # before the starts, of which there may be one more soon
        starts = [int(r["__MONOTONIC_TIMESTAMP"]) for r in machine.journal("UNIT=" + pool.unit, since=pool.born)
                  if r.get("MESSAGE_ID") == UNIT_STARTING]
        gaps = [after - before for before, after in zip(starts, starts[1:])]
        assert len(gaps) >= 3 and min(gaps) >= 1_000_000, gaps
        assert 4 <= len(ours) <= len(starts), ours
        assert {r["MESSAGE_ID"] for r in ours} == {MESSAGE_ID["START_FAILED"]}
        assert all("no_such_key" in r["MESSAGE"] and "no_other_key" in r["MESSAGE"] or "SIGSEGV" in r["MESSAGE"]
                   for r in ours)

        machine.write(worker, f"#!/bin/sh\n{mended_script}\n", mode=0o755)
        machine.write(pool.file, mended_conf)
        wait_until(lambda: pool.active == "active", what="the pool, by itself")
        assert pool.run(HELLO) == "hello"


def test_a_storm_is_counted_in_the_journal(machine):
    with machine.pool("www", STATIC % 2) as pool:
        script = pool.script("die.php", "<?php posix_kill(getmypid(), 9);")
        for _ in range(8):
            pool.crash(script)
        wait_until(lambda: pool.status()["idle-processes"] == 2, what="two idle workers")
        pool.machine.systemctl("stop", pool.unit)
        assert len(pool.journal(f"MESSAGE_ID={MESSAGE_ID['WORKER_DIED']}")) == 5
        (record,) = pool.journal(f"MESSAGE_ID={MESSAGE_ID['WORKERS_DIED']}")
        assert (record["PHP_WORKER_DEATHS"], record["PHP_SCRIPT"], record["PRIORITY"]) == ("3", script, "4")


def test_no_more_processes(machine):
    """RLIMIT_NPROC: it says so, serves with the workers that it has, and has them all once it may."""
    # A user of its own, as the kernel counts a user's processes wherever they are.
    machine.run("useradd", f"--uid={61000 + os.getpid() % 1000}", "few", check=False)
    hogs = "for i in 1 2 3 4 5 6; do sleep infinity & done; exec sleep infinity"
    machine.run("systemd-run", "--unit=hogs", "--property=User=few", "sh", "-c", hogs)
    try:
        wait_until(lambda: machine.run("pgrep", "-cu", "few", "-x", "sleep", check=False).stdout == "7\n", what="hogs")
        with machine.pool("www", STATIC % 8, "[Service]\nUser=few\nGroup=www-data\nLimitNPROC=13\n") as pool:
            hello = pool.script("hello.php", HELLO)
            pool.start()
            record = pool.logged(lambda r: "Failed to fork" in r["MESSAGE"])
            assert "Resource temporarily unavailable" in record["MESSAGE"]
            assert 1 <= pool.status()["total-processes"] <= 4
            for _ in range(20):
                assert pool.get(hello) == "hello"

            # One that dies is replaced in between all the same.
            victim = pool.status()["processes"][0]["pid"]
            machine.run("kill", "-KILL", victim)
            wait_until(lambda: victim not in (p["pid"] for p in pool.status()["processes"]), what="its death")
            assert pool.get(hello) == "hello"

            machine.systemctl("stop", "hogs.service")
            wait_until(lambda: pool.status()["idle-processes"] == 8, timeout=30, what="all workers")
            assert pool.get(hello) == "hello"
            assert pool.show("NRestarts") == "0"
    finally:
        machine.systemctl("stop", "hogs.service", check=False)


def test_no_room_for_uploads(machine):
    """The script is told (UPLOAD_ERR_CANT_WRITE), and the next upload that fits is stored."""
    conf = STATIC % 1 + 'php = { admin_value = ["upload_tmp_dir=/var/full"]; };'
    service = "[Service]\nTemporaryFileSystem=/var/full:size=64k,mode=1777\n"
    with machine.pool("www", conf, service) as pool:
        script, pid = pool.script("upload.php", UPLOAD), pool.script("pid.php", "<?php echo getmypid();")
        before = pool.get(pid)
        for size, error in ((1000, "0"), (200_000, "7"), (1000, "0"), (200_000, "7"), (60_000, "0")):
            body = FORM % (b"x" * size)
            assert pool.get(script, method="POST", body=body, extra=MULTIPART) == error
        assert pool.get(pid) == before, "the same worker went on"


def test_killed_again_and_again(pool):
    """SIGKILL of the manager: who connects then is answered by a worker that goes, or waits for the next manager."""
    hello = pool.script("hello.php", HELLO)
    for _ in range(5):
        assert pool.get(hello) == "hello"
        manager = pool.manager
        pool.machine.run("kill", "-KILL", manager)
        # Until it is gone, a worker may still hand it a connection.
        wait_until(lambda: not pool.machine.path(f"/proc/{manager}").exists(), what="its end")
        clients = [pool.connect() for _ in range(8)]
        for client in clients:
            client.start(hello)
        for client in clients:
            with client:
                assert client.response().text == "hello"
        assert wait_until(lambda: pool.manager, what="the next manager") != manager
