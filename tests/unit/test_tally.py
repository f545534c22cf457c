# SPDX-License-Identifier: MIT
"""What a person reads of a test run: see tests/lib/tally.py."""

import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

TALLY = pathlib.Path(__file__).resolve().parent.parent / "lib/tally.py"
PYTEST = ("def test():\n>       assert x\n" + "E       AssertionError: not what it was\n"
          + "E         + and more\n" * 3000)
MESON = "[ RUN      ] test\n[  ERROR   ] --- 0x1 != 0\n[   LINE   ] --- a.c:1: error: Failure!\n"
ASAN = "noise\n" * 500 + "==1==ERROR: AddressSanitizer: heap-use-after-free\n" + "    #0 0x1 in f\n" * 500


@pytest.fixture
def logs(tmp_path):
    (tmp_path / "steps").touch()
    (tmp_path / "ended").touch()
    return tmp_path


def add(logs, name, status=0, passed=0, failed=(), log=""):
    """A step that has ended; `failed` are what its failed tests said, (as pytest has it, as meson has it)."""
    with open(logs / "steps", "a") as steps:
        steps.write(f"{status}\t7\t{name}\n")
    (logs / f"{name}.log").write_text(log)
    if passed or failed:
        suite = ElementTree.Element("testsuite")
        for n in range(passed):
            ElementTree.SubElement(suite, "testcase", classname="good", name=f"g{n}")
        for n, (failure, error) in enumerate(failed):
            case = ElementTree.SubElement(suite, "testcase", classname="bad", name=f"b{n}")
            ElementTree.SubElement(case, "failure").text = failure
            ElementTree.SubElement(case, "system-err").text = error
        ElementTree.ElementTree(suite).write(logs / f"{name}.xml")


def tally(*args):
    return subprocess.run([sys.executable, "-B", TALLY, *args], text=True, capture_output=True)


def test_all_passed(logs):
    add(logs, "run")
    add(logs, "daemon", passed=3)
    result = tally(logs)
    assert (result.returncode, result.stdout.splitlines()[-1]) == (0, "4 passed, 0 failed")


@pytest.mark.parametrize("said, why", [((PYTEST, ""), "AssertionError: not what it was"),
                                       (("", MESON), "[  ERROR   ] --- 0x1 != 0"),
                                       (("", ASAN), "==1==ERROR: AddressSanitizer: heap-use-after-free"),
                                       (("", ""), "it says nothing"), (("a\nthe last\n\n", ""), "the last"),
                                       (("E  \u202e[31m" + "x" * 5000, ""), " [31m" + "x" * 100)])
def test_one_line_of_why(logs, said, why):
    add(logs, "daemon", 1, 1, [said])
    result = tally(logs)
    [line] = [line for line in result.stdout.splitlines() if "FAILED" in line]
    assert line.startswith(f"FAILED: daemon: bad: b0: {why.strip()}") and len(line) < 300
    assert (result.returncode, result.stdout.splitlines()[-1]) == (1, "1 passed, 1 failed")


def test_what_is_printed_has_a_bound(logs):
    """Whatever fails: hundreds of tests with thousands of lines each are a page and a line each."""
    add(logs, "daemon", 1, 5, [(PYTEST, ASAN)] * 400, log="x\n" * 100000)
    step, all_ = tally("--step", "daemon", logs).stdout, tally(logs).stdout
    assert len(step.splitlines()) < 250 and f"all that it said is in {logs}/daemon.log" in step
    assert "and 390 more" in step
    assert len(all_.splitlines()) < 410
    assert all(f"FAILED: daemon: bad: b{n}: " in all_ for n in range(400))


@pytest.mark.parametrize("alone, line", [
    ({"passed": 2}, "6 passed, 0 failed"), ({"status": 1, "passed": 1, "failed": [("", "")]}, "5 passed, 1 failed"),
    ({"status": 2}, "4 passed, 2 failed")])
def test_what_ran_once_more(logs, alone, line):
    """It counts once, and one that failed beside others and passed alone is told."""
    add(logs, "daemon", 1, 4, [(PYTEST, "")] * 2)
    add(logs, "daemon-alone", **{"status": 0, **alone})
    xml = logs / "daemon-alone.xml"
    if xml.exists():  # those that passed are the first of those that failed before
        xml.write_text(re.sub(r'"good" name="g(\d)"', r'"bad" name="b\1"', xml.read_text().replace('"b0"', '"b1"')))
    result = tally(logs)
    assert (result.returncode, result.stdout.splitlines()[-1]) == (not line.endswith(" 0 failed"), line)
    assert result.stdout.count("passed only when it ran alone: daemon: bad: b") == alone.get("passed", 0)


@pytest.mark.parametrize("status, passed, said",
                         [(1, 0, "what broke"), (124, 4, "ended with status 124"), (2, 4, "status 2")])
def test_a_step_that_fails_without_a_test(logs, status, passed, said):
    """It ended in the middle, or before any test: never "0 failed"."""
    add(logs, "system", status, passed, log="begun\nwhat broke\n")
    result = tally(logs)
    assert said in result.stdout
    assert (result.returncode, result.stdout.splitlines()[-1]) == (1, f"{passed} passed, 1 failed")


def test_several_runs(logs):
    first, second = logs / "build-logs", logs / "build-logs-13"
    for directory in (first, second):
        directory.mkdir()
        add(directory, "daemon", passed=2)
        (directory / "ended").touch()
    assert tally(first, second).stdout.splitlines()[-1] == "4 passed, 0 failed"
    (second / "steps").unlink()
    result = tally(first, second)
    assert (result.returncode, result.stdout.splitlines()[-1]) == (1, "2 passed, 1 failed")


def test_a_run_that_broke_off(logs):
    """Its machine died, or bootstrap did: what passed until then is not all."""
    add(logs, "daemon", passed=2)
    (logs / "ended").unlink()
    result = tally(logs)
    assert "FAILED: the run broke off" in result.stdout
    assert (result.returncode, result.stdout.splitlines()[-1]) == (1, "2 passed, 1 failed")
