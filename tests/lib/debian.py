# SPDX-License-Identifier: MIT
"""
A fresh root of a Debian, as debootstrap makes it, with a systemd that can be booted and nothing else.

    debian.py RELEASE             makes the one that the others are copies of, if there is none yet
    debian.py RELEASE COMMAND…    boots a copy, runs the command inside, drops it; the output of a test run
                                  inside is build-logs-RELEASE/ then

RELEASE is 12, 13 or sid. What debootstrap made is kept beside the builds, for a day: that takes minutes.
"""

import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from lib.machine import ENVIRONMENT, Machine

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
MIRROR, SECURITY = "http://deb.debian.org/debian", "http://deb.debian.org/debian-security"
# The first of each is what debootstrap takes; then the other sources.
RELEASES = {
    "12": ("bookworm", (f"{MIRROR} bookworm-updates main", f"{SECURITY} bookworm-security main")),
    "13": ("trixie", (f"{MIRROR} trixie-updates main", f"{SECURITY} trixie-security main")),
    "sid": ("sid", (f"{MIRROR} experimental main",)),  # PHPs that are not yet in sid
}
# What makes it boot, and what apt and a person have anywhere.
PACKAGES = ("systemd-sysv", "dbus", "ca-certificates")
DAY = 24 * 60 * 60


def debootstrap(release, directory):
    suite, others = RELEASES[release]
    print(f"Making a root of Debian {release}: minutes.", flush=True)
    # Its mounts end with it, whatever happens: the directory can be removed.
    result = subprocess.run(["unshare", "--mount", "--propagation=private", "--",
                             "debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}",
                             suite, directory, MIRROR], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        sys.exit("".join(result.stdout.splitlines(keepends=True)[-10:]) + f"debootstrap made no Debian {release}.")
    sources = [f"deb {source}\n" for source in (f"{MIRROR} {suite} main", *others)]
    (directory / "etc/apt/sources.list").write_text("".join(sources))
    if release == "sid":  # a snapshot of it, as some mirrors have, has expired the week after
        (directory / "etc/apt/apt.conf.d/valid").write_text('Acquire::Check-Valid-Until "false";\n')
    (directory / "etc/dpkg/dpkg.cfg.d/throwaway").write_text("force-unsafe-io\n")  # no fsync(2) for each file
    shutil.rmtree(directory / "var/cache/apt/archives")


@contextlib.contextmanager
def base(release):
    """The directory of the root that copies are made of; made where there is none from today. It stays meanwhile."""
    kept = SOURCE / f"build-debian-{release}"
    kept.mkdir(exist_ok=True)
    with open(kept / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        root = kept / "root"
        # The directory's own time is when it got its name, at the end.
        if not root.exists() or time.time() - root.stat().st_mtime > DAY:
            shutil.rmtree(root, ignore_errors=True)
            half = kept / "half"
            shutil.rmtree(half, ignore_errors=True)
            debootstrap(release, half)
            os.utime(half)
            half.rename(root)
        yield root


@contextlib.contextmanager
def fresh_root(release):
    """A copy of its own, which is gone afterwards."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="php-pool-debian.", dir="/var/tmp"))
    try:
        with base(release) as root:
            subprocess.run(["cp", "-a", "--reflink=auto", root, directory / "root"], check=True)
        yield directory / "root"
    finally:
        shutil.rmtree(directory)


def copy_checkout(directory):
    """Copies there what is here, except builds: they and what git has are no source."""
    ignore = shutil.ignore_patterns("build*", ".git", "__pycache__")
    shutil.copytree(SOURCE, directory, symlinks=True,
                    ignore=lambda path, names: ignore(path, names) if pathlib.Path(path) == SOURCE else ())


def keep_logs(machine, release):
    """What a test run left there of its output outlives the machine."""
    written, kept = machine.path("/root/php-pool/build-logs"), SOURCE / f"build-logs-{release}"
    shutil.rmtree(kept, ignore_errors=True)
    if written.exists():
        shutil.copytree(written, kept)


@contextlib.contextmanager
def fresh_machine(release):
    """A copy, booted, with this machine's network: apt works. /root/php-pool is this checkout."""
    with fresh_root(release) as root:
        copy_checkout(root / "root/php-pool")
        with Machine(root=root, kept=True, shared_network=True) as machine:
            yield machine


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in RELEASES:
        sys.exit(__doc__)
    if len(sys.argv) == 2:
        with base(sys.argv[1]):
            sys.exit(0)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it is cleaned up then, too
    with fresh_machine(sys.argv[1]) as machine:
        try:
            status = subprocess.run(machine.command(*sys.argv[2:]), env=ENVIRONMENT).returncode
        finally:
            keep_logs(machine, sys.argv[1])
    sys.exit(status)


if __name__ == "__main__":
    main()
