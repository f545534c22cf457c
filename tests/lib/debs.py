# SPDX-License-Identifier: MIT
"""
Files of Debian packages. Those that are downloaded only a Machine has: mail servers exclude one another, and none
is wanted on the machine that runs the tests.
"""

import fcntl
import pathlib
import subprocess


def debs(directory):
    """The paths of the packages in a directory, without those of debug symbols."""
    return [str(path) for path in sorted(pathlib.Path(directory).glob("*.deb")) if "-dbgsym_" not in path.name]


def fetch(directory, package):
    return subprocess.run(["apt-get", "install", "-q", "-y", "--no-install-recommends", "--download-only",
                           "-o", f"Dir::Cache::archives={directory}", "-o", "Debug::NoLocking=1", package],
                          stdout=subprocess.DEVNULL, timeout=300).returncode == 0


def download(build_dir, package):
    """The package's file and those of what it needs and this machine lacks; fetched once for each build."""
    directory = pathlib.Path(build_dir).resolve() / "debs" / package
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        complete = directory / "complete"
        if not complete.exists():
            if not fetch(directory, package):  # the list of packages may be out of date
                subprocess.run(["apt-get", "update", "-q"], check=True, stdout=subprocess.DEVNULL,
                               timeout=300)
                assert fetch(directory, package), f"{package} cannot be downloaded"
            complete.touch()
    return sorted(directory.glob("*.deb"))
