# SPDX-License-Identifier: MIT
"""One machine for all tests here; when it is down, nothing of it may be left."""

import pathlib

import pytest

from lib.importer import Importer
from lib.machine import Machine


@pytest.fixture(scope="session")
def machine(build_dir):
    machine = Machine(build_dir)
    machine.boot()
    directory, leader = machine.directory, machine.leader
    try:
        yield machine
        assert machine.processes("php-poold") == [], "a manager outlived its test"
        assert machine.processes("php-pool-worker") == [], "a worker outlived its test"
        failed = machine.systemctl("--failed", "--plain", "--no-legend").stdout
        assert failed == "", f"units that a test left failed: {failed}"
    finally:
        machine.shut_down()
    assert not directory.exists()
    assert not pathlib.Path(f"/proc/{leader}").exists(), "the machine's PID 1 is still there"
    assert str(directory) not in pathlib.Path("/proc/mounts").read_text()


@pytest.fixture
def pool(machine):
    """A pool `www` with every default, its socket started and its service not."""
    with machine.pool("www") as pool:
        yield pool


@pytest.fixture
def importer(machine):
    """Runs imports; whatever they wrote and started is gone afterwards."""
    importer = Importer(machine)
    try:
        yield importer
    finally:
        importer.clean()
