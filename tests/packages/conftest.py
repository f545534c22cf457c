# SPDX-License-Identifier: MIT
"""
The packages of this tree in two versions, and for each test a machine that has the older one of them installed.
The newer one is of another build: its manager and its workers refuse those of the older one.
"""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from lib import readme
from lib.debian import SOURCE, copy_checkout
from lib.debs import debs
from lib.machine import Machine
from lib.php import VERSION

DEBS, TREE = "/srv/debs", "/srv/php-pool-tree"
# What the tests of packages use of the tree.
PARTS = ("README.md", "packaging/debian/tests", "tests/lib")


def build(tree, directory, version):
    result = subprocess.run([tree / "packaging/make-debs", directory, version], stderr=subprocess.PIPE, text=True)
    assert result.returncode == 0, result.stderr


def readme_install():
    """README's first command, for the PHP under test."""
    command = readme.install()[0].replace("./build-package/", "./")
    return re.sub(r"php[\d.]+-pool", f"php{VERSION}-pool", command)


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """A directory with the packages: 1 has the older ones, 2 the newer ones. $PHP_POOL_PACKAGES may be such a one."""
    if "PHP_POOL_PACKAGES" in os.environ:
        return pathlib.Path(os.environ["PHP_POOL_PACKAGES"])
    directory = tmp_path_factory.mktemp("packages")
    build(SOURCE, directory / "1", "0.1.0-1~test")
    other = directory / "tree"
    copy_checkout(other)
    with open(other / "daemon/scoreboard/scoreboard.h", "a") as header:
        header.write("/* Another build. */\n")
    build(other, directory / "2", "0.2.0-1~test")
    shutil.rmtree(other)
    return directory


@pytest.fixture
def machine(packages):
    with Machine() as machine:
        # Of "./bootstrap run", where systemd is PID 1: there, it has installed what it built.
        machine.run("find", "/etc", "/usr", "/var/log", "/var/cache", "-xdev", "-name", "*php-pool*", "-prune",
                    "-exec", "rm", "-rf", "{}", "+")
        machine.systemctl("daemon-reload")
        machine.run("mkdir", "-p", DEBS, TREE)
        for part in PARTS:
            target = machine.path(TREE) / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if (SOURCE / part).is_dir():
                shutil.copytree(SOURCE / part, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(SOURCE / part, target)
        for version in "12":
            (machine.path(DEBS) / version).mkdir()
            for deb in debs(packages / version):
                shutil.copy(deb, machine.path(DEBS) / version)
        # The index of manuals takes longer than all else.
        machine.run("rm", "-f", "/usr/sbin/policy-rc.d", "/var/lib/man-db/auto-update")
        machine.run("sh", "-ec", f"cd {DEBS}/1; DEBIAN_FRONTEND=noninteractive "
                    + readme_install().replace("apt install", "apt-get -q -y install"))
        yield machine
