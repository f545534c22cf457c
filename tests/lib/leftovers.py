# SPDX-License-Identifier: MIT
"""
leftovers.py before|after RESULTS: says what a test run left on the machine, and exits with 1 if it left
anything.

A process of the run is one that inherited $PHP_POOL_BOOTSTRAP from it; temporary files go below $TMPDIR or
are known by their names: what else happens on the machine meanwhile is not mistaken for the run's.
"""

import json
import os
import pathlib
import re
import sys

RUN = os.environ["PHP_POOL_BOOTSTRAP"]
TMPDIR = pathlib.Path(os.environ["TMPDIR"])
OURS = re.compile(r"php-pool(?!-bootstrap|-machine)|php-pool-machine\.%s\.|pytest|%s" % (RUN, TMPDIR.name))
INSTALLED = ("/usr/sbin/php-poold", "/usr/bin/php-poolctl", "/usr/libexec/php-pool", "/etc/php-pool",
             "/lib/systemd/system/php-pool@.service", "/run/php-pool",
             "/run/php-pool-sendmail")


def mounts():
    return [line for line in pathlib.Path("/proc/mounts").read_text().splitlines() if OURS.search(line)]


def files():
    cgroups = [f"/sys/fs/cgroup{name}" for name in ("", "/unified", "/systemd")]
    temporary = [str(path) for directory in ("/tmp", "/var/tmp", "/dev/shm", *cgroups)
                 for path in pathlib.Path(directory).glob("*") if OURS.search(path.name)]
    inside = [str(path) for path in TMPDIR.iterdir()]
    installed = [path for path in INSTALLED if pathlib.Path(path).exists()]
    return temporary + inside + installed


def processes():
    """Those of this run, without this one and those that wait for it."""
    mark = f"PHP_POOL_BOOTSTRAP={RUN}\0".encode()
    waiting, pid = set(), os.getpid()
    while pid > 1:
        waiting.add(str(pid))
        pid = int(re.search(r"PPid:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])
    found = []
    for directory in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if directory.name not in waiting and mark in (directory / "environ").read_bytes():
                command = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                found.append(f"{directory.name} {command}")
        except OSError:  # gone, or a kernel thread
            continue
    return found


def main():
    when, results = sys.argv[1], pathlib.Path(sys.argv[2])
    state = {"mounts": mounts(), "files": files(), "processes": processes()}
    memory = results / "before.json"
    if when == "before":
        memory.write_text(json.dumps(state))
        return
    before = json.loads(memory.read_text())
    if pathlib.Path("/run/systemd/system").exists():  # php-pool was installed here, and runs
        before["files"] += INSTALLED
    left = [f"{kind}: {item}" for kind in state for item in state[kind] if item not in before[kind]]
    print("\n".join(left) or "nothing was left behind")
    sys.exit(1 if left else 0)


main()
