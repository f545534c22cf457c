# SPDX-License-Identifier: MIT
"""packaging/make-debs: what it hands to dpkg-buildpackage, which a script stands in for."""

import os
import subprocess

import pytest

from lib.debian import copy_checkout

# Leaves what there is of source beside the packages.
STAND_IN = """#!/bin/sh
find . -type f >../files
"""


@pytest.fixture
def make_debs(tmp_path):
    programs, tree = tmp_path / "bin", tmp_path / "tree"
    programs.mkdir()
    (programs / "dpkg-buildpackage").write_text(STAND_IN)
    (programs / "dpkg-buildpackage").chmod(0o755)
    copy_checkout(tree)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}

    def run(directory):
        return subprocess.run([tree / "packaging/make-debs", directory], cwd=tree, env=environment, text=True,
                              capture_output=True)

    run.tree = tree
    return run


@pytest.mark.parametrize("directory", ["debs", "packaging/debs", "../debs"])
def test_it_does_not_pack_what_it_makes(make_debs, directory):
    result = make_debs(directory)
    assert result.returncode == 0, result
    files = (make_debs.tree / directory / "files").read_text().splitlines()
    assert "./debian/control" in files and "./daemon/meson.build" in files
    assert [name for name in files if "debs/" in name] == []


def test_a_directory_that_is_there_is_left_alone(make_debs):
    (make_debs.tree / "debs").mkdir()
    result = make_debs("debs")
    assert result.returncode != 0 and "debs" in result.stderr
    assert list((make_debs.tree / "debs").iterdir()) == []
