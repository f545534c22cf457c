# SPDX-License-Identifier: MIT
"""
The packages' own tests, packaging/debian/tests, in the layout of autopkgtest: each on a machine of its own with a
systemd that was booted for it. And what Debian's checker has to say.
"""

import os
import re
import subprocess

import pytest

from lib.debian import SOURCE
from lib.debs import debs

from .conftest import DEBS, TREE

TESTS = SOURCE / "packaging/debian/tests"
LONGEST = 1500


def names():
    lists = re.findall(r"^Tests: (.*)$", (TESTS / "control").read_text(), re.M)
    return [name for names in lists for name in names.split(", ")]


@pytest.mark.parametrize("name", names())
def test_package(machine, name):
    result = machine.run("env", f"PHP_POOL_DEBS={DEBS}", f"{TREE}/packaging/debian/tests/{name}", check=False,
                         timeout=LONGEST)
    print(result.stdout, result.stderr)
    assert result.returncode == 0, result.stderr[-4000:]


def test_lintian(packages, tmp_path):
    result = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", *debs(packages / "1"),
                             *(packages / "1").glob("*.changes")], capture_output=True, text=True,
                            env={**os.environ, "TMPDIR": str(tmp_path)})  # it leaves files there
    assert result.returncode == 0, result.stdout + result.stderr
