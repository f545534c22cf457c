# SPDX-License-Identifier: MIT
"""packaging/make-debs: what it hands to dpkg-buildpackage, which a script stands in for."""

import os
import subprocess

import pytest

from lib.debian import copy_checkout

# Leaves what there is of source beside the packages, and their version.
STAND_IN = """#!/bin/sh
find . -type f >../files
sed -n '1s/.*(\\(.*\\)).*/\\1/p' debian/changelog >../version
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
    run.version = lambda directory: (tree / directory / "version").read_text().strip()
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


def git(tree, *args, date=None):
    names = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "safe.directory=*")
    environment = {**os.environ, **({"GIT_COMMITTER_DATE": date} if date else {})}
    return subprocess.run(["git", *names, "-C", tree, *args], env=environment, check=True, text=True,
                          capture_output=True).stdout.strip()


def is_newer(version, other):
    return subprocess.run(["dpkg", "--compare-versions", version, "gt", other], check=False).returncode == 0


def test_the_version_is_that_of_the_commit(make_debs):
    """In UTC, so that two commits sort by their times: an upgrade is one."""
    assert make_debs("plain").returncode == 0
    versions = [make_debs.version("plain")]
    release = versions[0].partition("~deb")[2]
    git(make_debs.tree, "init", "-q")
    for date, when in (("2030-01-02T23:59:58+0000", "20300102235958"), ("2030-01-03T01:00:00+0100", "20300103000000")):
        git(make_debs.tree, "commit", "-q", "--allow-empty", "-m", date, date=date)
        assert make_debs(when).returncode == 0
        versions.append(make_debs.version(when))
        commit = git(make_debs.tree, "log", "-1", "--format=%h")
        assert versions[-1] == versions[0].replace("~deb", f"+git{when}.{commit}~deb") and release
    assert is_newer(versions[1], versions[0]) and is_newer(versions[2], versions[1])
