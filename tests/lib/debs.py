# SPDX-License-Identifier: MIT
"""
Debian packages that only a Machine has: mail servers exclude one another, and none is wanted on the machine that runs
the tests.

    debs.py BUILD_DIR PACKAGE…    downloads them, with what they need, to where tests look for them
"""

import fcntl
import pathlib
import subprocess
import sys


def download(build_dir, package):
    """The package's file and those of what it needs and this machine lacks; fetched once for each build."""
    directory = pathlib.Path(build_dir).resolve() / "debs" / package
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        complete = directory / "complete"
        if not complete.exists():
            subprocess.run(["apt-get", "install", "-q", "-y", "--no-install-recommends", "--download-only",
                            "-o", f"Dir::Cache::archives={directory}", "-o", "Debug::NoLocking=1", package],
                           check=True, stdout=subprocess.DEVNULL, timeout=300)
            complete.touch()
    return sorted(directory.glob("*.deb"))


if __name__ == "__main__":
    for name in sys.argv[2:]:
        print(*download(sys.argv[1], name), sep="\n")
