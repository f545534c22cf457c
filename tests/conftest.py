# SPDX-License-Identifier: MIT
"""The builds that are tested. pytest.ini says where tests/lib is."""

import os
import pathlib
import resource
import signal
import subprocess

import pytest

from lib import extensions
from lib.daemon import AS_USER, USER, given_away

HERE = pathlib.Path(__file__).resolve().parent

# Machines and managers are cleaned up also when the run is ended from outside.
signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_addoption(parser):
    parser.addoption("--all-extensions", action="store_true",
                     help="run with all of PHP's extensions that are enabled here, not just those that tests need")


@pytest.fixture(scope="session")
def source_dir():
    return HERE.parent


@pytest.fixture(scope="session")
def build_dir(source_dir):
    """The build under test: $BUILD_DIR, or build/."""
    directory = pathlib.Path(os.environ.get("BUILD_DIR", source_dir / "build")).resolve()
    assert (directory / "build.ninja").exists(), f"no build in {directory}"
    if subprocess.run([*AS_USER, "test", "-x", directory / "daemon/php-poold"]).returncode != 0:
        pytest.exit(f"{USER.pw_name}, the user that the pools of tests run as, cannot get to {directory}: tests have "
                    "to be in a folder that everybody may enter. (./bootstrap test brings that about by itself.)", 2)
    return directory


@pytest.fixture(scope="session", autouse=True)
def workers(build_dir):
    """What is not installed finds its own workers."""
    os.environ["PHP_POOL_WORKER_DIR"] = str(build_dir / "daemon")


@pytest.fixture(scope="session")
def scan_dir(request, tmp_path_factory):
    """The directory of ini files that enable PHP's extensions."""
    enable = extensions.enable_all if request.config.getoption("--all-extensions") else extensions.enable
    return enable(given_away(tmp_path_factory.mktemp("extensions")))


@pytest.fixture
def descriptors():
    """For tests with more clients than the soft limit of 1024 allows."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
