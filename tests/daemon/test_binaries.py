# SPDX-License-Identifier: MIT
"""What the executables link: the manager no PHP, the worker no reader of pool files, neither of them tables."""

import re
import subprocess

import pytest

from lib import php


def readelf(*arguments):
    return subprocess.run(["readelf", *arguments], text=True, capture_output=True, check=True).stdout


@pytest.mark.parametrize("name, wanted, forbidden", [
    ("php-poold", "libsystemd", ("libphp", "libsmartcols")),
    ("php-poolctl", "libsmartcols", ("libphp",)),
    (f"php-pool-worker-{php.VERSION}", "libphp", ("libconfig", "libsmartcols")),
])
def test_linked_libraries(build_dir, name, wanted, forbidden):
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", readelf("-d", build_dir / "daemon" / name))
    assert any(library.startswith(wanted) for library in needed), needed
    assert not any(library.startswith(forbidden) for library in needed), needed


@pytest.mark.parametrize("name", ["php-poold", "php-poolctl", f"php-pool-worker-{php.VERSION}"])
def test_hardening(build_dir, name):
    out = readelf("-hdlW", build_dir / "daemon" / name)
    assert re.search(r"Type:\s+DYN", out) and "GNU_RELRO" in out and re.search(r"\bNOW\b", out)
    assert re.search(r"GNU_STACK .* RW ", out)
