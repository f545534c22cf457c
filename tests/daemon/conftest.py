# SPDX-License-Identifier: MIT
"""Pools of one real manager each."""

import pathlib
import subprocess

import pytest

from lib.daemon import Daemon, given_away


@pytest.fixture(scope="session")
def sanitized(build_dir):
    """Whether the build is one with sanitizers."""
    return b"__asan_init" in (build_dir / "daemon/php-poold").read_bytes()


@pytest.fixture(scope="session")
def environment(tmp_path_factory, scan_dir, sanitized):
    """Which extensions PHP loads, and what a sanitized build needs to have them loaded: see no-deepbind.c."""
    environment = {"PHP_INI_SCAN_DIR": scan_dir}
    if not sanitized:
        return environment
    library = given_away(tmp_path_factory.mktemp("preload")) / "no-deepbind.so"
    source = pathlib.Path(__file__).with_name("no-deepbind.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", library, source], check=True)
    return {**environment, "LD_PRELOAD": library}


@pytest.fixture
def tmp_path(tmp_path):
    """Pools run there, and they are not root."""
    return given_away(tmp_path)


@pytest.fixture
def make_daemon(build_dir, tmp_path, environment):
    """Makes a Daemon, not yet started, with this pool file."""
    def make(conf="", **kwargs):
        return Daemon(build_dir, tmp_path, conf, environment=environment, **kwargs)
    return make


@pytest.fixture
def daemon(make_daemon):
    """A static pool of two workers, both idle."""
    with make_daemon('pm = { mode = "static"; max_children = 2; };') as daemon:
        daemon.wait_idle(2)
        yield daemon
