# SPDX-License-Identifier: MIT
"""Unit tests in C mirror the tree, and link what they test as it is."""

import re
import subprocess


def test_names_mirror_the_tree(source_dir):
    """test-LAYER-FILE.c is of daemon/LAYER/…/FILE.c, or of a header that has code."""
    tests = [p.stem.removeprefix("test-") for p in (source_dir / "tests/unit").glob("test-*.c")]
    assert tests
    lost = [t for t in tests for layer, _, name in [t.partition("-")]
            if not any((source_dir / "daemon" / layer).rglob(f"{name}.[ch]"))]
    assert lost == []


def test_every_test_is_built(source_dir):
    text = (source_dir / "tests/meson.build").read_text()
    assert [p.name for p in (source_dir / "tests/unit").glob("test-*.c")
            if f"'{p.stem.removeprefix('test-')}':" not in text] == []


def test_tests_link_libraries(source_dir):
    """No test compiles a file of the daemons a second time, or sees what is static there."""
    assert not re.search(r"'\S*daemon/\S+\.c'", (source_dir / "tests/meson.build").read_text())
    includes = {path.name for path in (source_dir / "tests").rglob("*.[ch]")
                if re.search(r'#include "[^"]+\.c"', path.read_text())}
    assert includes == {"planted-decoder.c"}  # a decoder with a fault, which its fuzzer has to find


def functions(paths):
    """{function that is defined: where}"""
    lines = subprocess.run(["nm", "-g", "-o", "--defined-only", *paths], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    return {line.split()[-1]: line.split(":")[0] for line in lines if " T " in line}


def test_nothing_is_replaced_at_link_time(source_dir, build_dir):
    ours = functions((build_dir / "daemon").glob("lib*.a"))
    tests = functions(o for o in (build_dir / "tests").glob("test-*.p/unit_test-*.o")
                      if (source_dir / "tests/unit" / o.stem.removeprefix("unit_")).exists())
    assert ours and tests
    assert {name for name in tests if name in ours} - {"main"} == set()
