# SPDX-License-Identifier: MIT
"""
The same requests to PHP-FPM and to php-pool. What comes back is the same, byte for byte, or the
difference is in differences.py with its reason; a difference that is there no longer is an error, too.
"""

import difflib

import pytest

from compat import differences, table_servers, tables
from compat.case import clean
from compat.pair import differing

# The most of a report that helps.
LINES_MAX, LINE_MAX = 40, 400

# How long to wait for what surprises, seconds: the machine may be slow.
PATIENCE = 60


def ask(server, case, root, timeout):
    """The answers of one server, each server from the same beginnings."""
    answers = []
    clean(root)
    if case.prepare:
        case.prepare(case.directory(root))
    for _ in range(case.times):
        answers.append(server.exchange(case.chunks(root), case.ends, case.keep, timeout, case.source))
        answers[-1].mask = case.mask or answers[-1].mask
    if server.profile.logs:
        answers[-1].log = server.logged()
    return answers


def lines(value):
    return value.decode("latin-1").split("\n") if isinstance(value, bytes) else [repr(value)]


def explain(fpm, pool):
    """The lines in which two answers differ, PHP-FPM's with "-", php-pool's with "+"."""
    report = []
    for name in sorted(differing(fpm, pool)):
        a, b = (lines(answer.parts()[name]) for answer in (fpm, pool))
        diff = list(difflib.unified_diff(a, b, n=0, lineterm=""))[2:LINES_MAX]
        report += [f"{name}, {sum(map(len, a))} and {sum(map(len, b))} bytes:",
            *(line[:LINE_MAX] for line in diff)]
    return "\n".join(report)


@pytest.mark.parametrize("case", tables.CASES, ids=lambda case: case.name)
def test_same_answer(case, pair_of, root):
    known, listed = differences.BY_CASE.get(case.name, (None, set()))
    for timeout in (case.timeout, PATIENCE):
        fpm, pool = (ask(server, case, root, timeout) for server in pair_of(case.profile).servers)
        found = set().union(*(differing(a, b) for a, b in zip(fpm, pool)))
        if found == listed or (known and not known.always and found < listed):
            return
        if not any(answer.connection in ("silent", "open") for answer in fpm + pool):
            break

    report = "".join(f"\n--- time {i + 1}\n{explain(a, b)}"
                     for i, (a, b) in enumerate(zip(fpm, pool)) if differing(a, b))
    pytest.fail(f"{known.title}: differ {found}, listed are {listed}{report}" if known else report,
        pytrace=False)


def test_names_are_unique():
    names = [case.name for case in tables.CASES]
    assert len(names) == len(set(names)), {name for name in names if names.count(name) > 1}


def test_web_servers_are_there():
    servers = {case.name.split("-")[1] for case in table_servers.CASES}
    assert servers >= {"nginx", "apache2", "caddy", "lighttpd", "haproxy"}


def test_differences_are_of_cases():
    names = {case.name for case in tables.CASES}
    assert all(difference.cases for difference in differences.DIFFERENCES)
    assert differences.BY_CASE.keys() <= names, differences.BY_CASE.keys() - names


def test_documentation_lists_the_differences(source_dir):
    """`python3 tests/compat/differences.py` prints what belongs there."""
    assert differences.as_markdown() in (source_dir / "docs/COMPATIBILITY.md").read_text()
