# SPDX-License-Identifier: MIT
"""Both servers, and the files that they serve."""

import contextlib

import pytest

from compat import tables
from compat.case import PROFILES, Tree, sections
from compat.pair import Pair


@pytest.fixture(scope="session")
def root():
    with Tree(tables.CASES) as root:
        yield root


@pytest.fixture(scope="session")
def pair_of(build_dir, root, scan_dir):
    """Both servers with the settings of a profile; those of the last one run until another is asked for."""
    with contextlib.ExitStack() as stack:
        current = {}

        def get(profile):
            if profile not in current:
                current.clear()
                stack.close()
                current[profile] = stack.enter_context(
                    Pair(build_dir, root, PROFILES[profile], sections(tables.CASES, root), scan_dir))
            return current[profile]

        yield get
