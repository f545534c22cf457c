# SPDX-License-Identifier: MIT
"""Files and functions that can be read as a whole, and lines that fit a screen (.editorconfig)."""

import re

import pytest

from lib import sizes

FILE_MAX = 450
MEDIAN_MAX, MOST_MAX, FUNCTION_MAX = 12, 25, 80  # lines of a function: of half of them, of nine in ten, of any

C_COLUMNS, COLUMNS = 109, 119


def lines(path):
    return path.read_text().splitlines()


def sources(source_dir):
    found = [path for path in (source_dir / "daemon").rglob("*") if path.suffix in (".c", ".h", ".def")]
    assert len(found) > 100
    return found


def all_functions(source_dir):
    found = [(path.relative_to(source_dir), *function)
             for path in sources(source_dir) if path.suffix == ".c" for function in sizes.functions(path)]
    assert len(found) > 1000
    return found


def test_no_file_is_too_long(source_dir):
    assert [path for path in sources(source_dir) if len(lines(path)) > FILE_MAX] == []


def test_functions_are_short(source_dir):
    found = all_functions(source_dir)
    assert [function for function in found if function[2] > FUNCTION_MAX] == []
    lengths = [length for _, _, length in found]
    print(f"{len(found)} functions: {sizes.part(lengths, 50)}, {sizes.part(lengths, 90)}, {max(lengths)} lines")
    assert sizes.part(lengths, 50) <= MEDIAN_MAX and sizes.part(lengths, 90) <= MOST_MAX


def test_every_function_is_measured(source_dir):
    """By the clumsiest other way of counting them: braces that end something in the first column."""
    ended = sum(len(re.findall(r"^}$", path.read_text(), re.MULTILINE))
                for path in sources(source_dir) if path.suffix == ".c")
    assert ended == len(all_functions(source_dir))


def test_lines_fit(source_dir):
    folders = [source_dir / folder for folder in ("daemon", "tests", "man", "units")]
    found = [path for folder in folders for path in sorted(folder.rglob("*"))
             if path.suffix in (".c", ".h", ".def", ".py") or path.name == "meson.build"]
    wide = [f"{path.relative_to(source_dir)}:{number}"
            for path in found for number, line in enumerate(lines(path), 1)
            if len(line.expandtabs(8)) > (C_COLUMNS if path.suffix in (".c", ".h") else COLUMNS)]
    print(*wide)
    assert wide == []


# ---- That these would be found ----

SOURCE = """\
/* A
   comment */
struct {
        int a;
} b;

#define X
static int
one(int a,
    int b)
{
        if (a) {
        }
}
/* Of two. */
Type *two(void)
{

}
"""


def test_functions_are_found(tmp_path):
    path = tmp_path / "a.c"
    path.write_text(SOURCE)
    assert list(sizes.functions(path)) == [("one", 7), ("two", 4)]


@pytest.mark.parametrize("numbers, percent, expected", [
    ([7], 50, 7), ([1, 2, 3], 50, 2), ([4, 3, 2, 1], 50, 2), ([5, 9], 100, 9),
    (range(1, 11), 90, 9), (range(1, 12), 90, 10),
])
def test_the_part(numbers, percent, expected):
    assert sizes.part(numbers, percent) == expected
