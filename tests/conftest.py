# SPDX-License-Identifier: MIT
"""The builds that are tested. pytest.ini says where tests/lib is."""

import os
import pathlib
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
