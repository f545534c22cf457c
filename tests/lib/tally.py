# SPDX-License-Identifier: MIT
"""
Adds up what ./bootstrap test ran.

    tally.py LOGS…                 of all steps; the last line is "N passed, N failed"
    tally.py --step NAME LOGS      of one, when it has ended

LOGS/steps has a line "STATUS<tab>SECONDS<tab>NAME" for each step; NAME.xml, where there is one, has its tests in
JUnit's form, as meson and pytest write it; NAME.log is its whole output. What failed in a step may have been run
once more, by a step NAME-alone: what passes there is told, and is no failure. LOGS/ended is there once all steps have
ended. What is printed has a bound, however much failed. Exits with 1 when a test failed, or a step for a reason that
no test shows, or when there were not all steps.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree

ALONE = "-alone"
LINE_MAX = 200  # characters of what a test said
EXCERPTS_MAX = 10  # failed tests of a step that are shown with more than a line of why
EXCERPT_LINES = 20
# What says in one line what was wrong, where there are many.
WHY = re.compile(r"ERROR: \w+Sanitizer|runtime error:|\[\s+ERROR\s+\]|^E  |error:")


def short(line):
    line = "".join(c if c.isprintable() else " " for c in line).strip()
    return line if len(line) <= LINE_MAX else line[:LINE_MAX] + " …"


class Failure:
    def __init__(self, name, said):
        self.name = name
        self.lines = [line for line in said.splitlines() if line.strip()]

    def why(self):
        telling = [line for line in self.lines if WHY.search(line)] or self.lines[-1:]
        return short(telling[0].removeprefix("E  ")) if telling else "it says nothing"


class Step:
    def __init__(self, logs, line):
        self.logs = logs
        status, seconds, self.name = line.split("\t")
        self.status, self.seconds = int(status), int(seconds)
        self.log = logs / f"{self.name}.log"
        self.passed, self.failed, self.skipped, self.unstable = [], [], [], []
        try:
            for case in xml.etree.ElementTree.parse(logs / f"{self.name}.xml").iter("testcase"):
                self._count(case)
        except (FileNotFoundError, xml.etree.ElementTree.ParseError):  # it got to no test, or is none
            if self.status == 0:
                self.passed.append(self.name)
        if self.status != 0 and (not self.failed or self.status != 1):
            said = self.log.read_text(errors="replace") if self.log.exists() else ""
            self.failed.append(Failure(f"ended with status {self.status}", said))

    def _count(self, case):
        name = f"{case.get('classname')}: {case.get('name')}"
        bad = case.find("failure") if case.find("failure") is not None else case.find("error")
        if bad is not None:
            said = [bad.text or bad.get("message") or ""]
            said += [case.findtext(kind) or "" for kind in ("system-out", "system-err")]
            self.failed.append(Failure(name, "\n".join(said)))
        elif case.find("skipped") is not None:
            self.skipped.append(name)
        else:
            self.passed.append(name)

    def take_back(self, alone):
        """What passed when it ran alone has not failed."""
        self.unstable = [failure for failure in self.failed if failure.name in alone.passed]
        self.failed = [failure for failure in self.failed if failure.name not in alone.passed]
        self.passed += [failure.name for failure in self.unstable]

    def summary(self):
        return f"{self.name}: {len(self.passed)} passed, {len(self.failed)} failed, in {self.seconds} s"

    def show(self):
        """When it has ended: of those that failed, the last of what they said."""
        for failure in self.failed[:EXCERPTS_MAX]:
            print(f"FAILED: {self.name}: {failure.name}")
            print("".join(f"    {short(line)}\n" for line in failure.lines[-EXCERPT_LINES:]), end="")
        if len(self.failed) > EXCERPTS_MAX:
            print(f"and {len(self.failed) - EXCERPTS_MAX} more")
        print(self.summary() + (f"; all that it said is in {self.log}" if self.failed else ""), flush=True)

    def list(self):
        for name in self.skipped:
            print(f"skipped: {self.name}: {name}")
        for failure in self.unstable:
            print(f"passed only when it ran alone: {self.name}: {failure.name}: {failure.why()}")
        for failure in self.failed:
            print(f"FAILED: {self.name}: {failure.name}: {failure.why()}")
        print(self.summary())


def steps(logs):
    return [Step(logs, line) for line in (logs / "steps").read_text().splitlines()]


def merged(logs):
    """Those that count: each with what its tests did alone."""
    found = {step.name: step for step in steps(logs)}
    for name, alone in found.items():
        if name.endswith(ALONE):
            found[name.removesuffix(ALONE)].take_back(alone)
    return [step for name, step in found.items() if not name.endswith(ALONE)]


def main():
    if sys.argv[1] == "--step":
        next(step for step in steps(pathlib.Path(sys.argv[3])) if step.name == sys.argv[2]).show()
        return
    n_passed = n_failed = 0
    for logs in map(pathlib.Path, sys.argv[1:]):
        if len(sys.argv) > 2:
            print(f"{logs}:")
        found = merged(logs) if (logs / "steps").exists() else []
        for step in found:
            step.list()
        n_passed += sum(len(step.passed) for step in found)
        n_failed += sum(len(step.failed) for step in found)
        if any(step.failed for step in found):
            print(f"All that each step said is in {logs}/")
        if not found or not (logs / "ended").exists():
            n_failed += 1
            print(f"FAILED: the run broke off, after {len(found)} steps in {logs}")
    print(f"{n_passed} passed, {n_failed} failed")
    sys.exit(1 if n_failed or not n_passed else 0)


main()
