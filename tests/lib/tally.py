# SPDX-License-Identifier: MIT
"""
tally.py RESULTS: adds up what ./bootstrap test ran. RESULTS/steps has a line "STATUS<tab>NAME" for each
step; NAME.xml, where there is one, has its tests in JUnit's form, as meson and pytest write it. The last
line is "N passed, N failed"; exits with 1 when a test failed, or a step for a reason that no test shows.
"""

import pathlib
import sys
import xml.etree.ElementTree


def count(path):
    """Names of the tests in a file: passed, failed, skipped."""
    passed, failed, skipped = [], [], []
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname')}: {case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif case.find("skipped") is not None:
            skipped.append(name)
        else:
            passed.append(name)
    return passed, failed, skipped


def main():
    results = pathlib.Path(sys.argv[1])
    n_passed = n_failed = 0
    for line in (results / "steps").read_text().splitlines():
        status, step = line.split("\t")
        path = results / f"{step}.xml"
        passed, failed, skipped = count(path) if path.exists() else ([], [], [])
        if status != "0" and not failed:
            failed = [f"ended with status {status}"]
        elif status == "0" and not path.exists():
            passed = [step]
        for verdict, names in (("FAILED", failed), ("skipped", skipped)):
            for name in names:
                print(f"{verdict}: {step}: {name}")
        print(f"{step}: {len(passed)} passed, {len(failed)} failed")
        n_passed += len(passed)
        n_failed += len(failed)
    print(f"{n_passed} passed, {n_failed} failed")
    sys.exit(1 if n_failed or not n_passed else 0)


main()
