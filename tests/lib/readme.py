# SPDX-License-Identifier: MIT
"""The commands that README.md prints, for tests that do as it says."""

import pathlib
import re

README = pathlib.Path(__file__).resolve().parent.parent.parent / "README.md"


def install():
    """Those of its section on packages, each on a line: apt's, systemctl's, and nginx's."""
    block = re.search(r"## Install\n.*?\n\n((?:    [^\n]*\n)+)", README.read_text(), re.S)[1]
    commands = [line.strip() for line in block.replace("\\\n", " ").splitlines()]
    assert len(commands) == 3 and commands[0].startswith("apt install ./build-package/"), commands
    return commands


def first_page():
    """The command that makes a page and fetches it."""
    return re.search(r"A first page:\n\n    ([^\n]*)\n", README.read_text())[1]
