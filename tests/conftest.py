# SPDX-License-Identifier: MIT
"""The builds that are tested. pytest.ini says where tests/lib is."""

import os
import pathlib
import resource
import signal

import pytest

HERE = pathlib.Path(__file__).resolve().parent

# Machines and managers are cleaned up also when the run is ended from outside.
signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def source_dir():
    return HERE.parent


@pytest.fixture(scope="session")
def build_dir(source_dir):
    """The build under test: $BUILD_DIR, or build/."""
    directory = pathlib.Path(os.environ.get("BUILD_DIR", source_dir / "build")).resolve()
    assert (directory / "build.ninja").exists(), f"no build in {directory}"
    return directory


@pytest.fixture(scope="session", autouse=True)
def workers(build_dir):
    """What is not installed finds its own workers."""
    os.environ["PHP_POOL_WORKER_DIR"] = str(build_dir / "daemon")


@pytest.fixture
def descriptors():
    """For tests with more clients than the soft limit of 1024 allows."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
