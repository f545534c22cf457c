# SPDX-License-Identifier: MIT
"""
Which file of a source tree uses which: foo.c and foo.h are one unit, "room/foo"; a list is one
of its own, "room/foo.def". An arrow leads from a unit to
another one whose header it includes, or whose function or variable its object files need.
"""

import collections
import ctypes
import json
import pathlib
import re
import subprocess

SUFFIXES = (".c", ".h", ".def")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)', re.MULTILINE)


def sources(top):
    """All source files below a directory."""
    return sorted(path for path in top.rglob("*") if path.suffix in SUFFIXES)


def unit_of(top, path):
    path = path.relative_to(top)
    return str(path if path.suffix == ".def" else path.with_suffix(""))


def includes(top):
    """(file, what it includes, whether in angle brackets) of every #include."""
    for path in sources(top):
        for bracket, what in INCLUDE.findall(path.read_text()):
            yield path, what, bracket == "<"


def of_includes(top):
    """{(unit, other unit): the files that are included}. Everything in quotes has to be below top."""
    arrows = collections.defaultdict(set)
    for path, what, system in includes(top):
        if not system:
            assert (top / what).is_file(), f"{path} includes {what}, which does not exist"
            unit, other = unit_of(top, path), unit_of(top, top / what)
            if other != unit:
                arrows[unit, other].add(what)
    return dict(arrows)


def compiled(build, top):
    """
    (source file, object file) of all of a build's that are below a directory. The build may have been made when it was
    mounted elsewhere: its paths are relative to itself.
    """
    for command in json.loads((build / "compile_commands.json").read_text()):
        source = (build / command["file"]).resolve()
        if source.is_relative_to(top):
            yield source, build / command["output"]


def object_files(build, top):
    return [path for _, path in compiled(build, top)]


def objects(build, top, optional=frozenset()):
    """
    {unit: its object files} of a build: several where there are several PHPs. Every .c file has to have one, but for
    units that not every build has.
    """
    found = collections.defaultdict(list)
    for source, path in compiled(build, top):
        found[unit_of(top, source)].append(path)
    expected = {unit_of(top, path) for path in sources(top) if path.suffix == ".c"}
    assert expected, f"no source files in {top}"
    missing, gone = sorted(expected - found.keys() - optional), sorted(found.keys() - expected)
    assert not missing and not gone, f"not built: {missing}; gone: {gone}"
    return dict(found)


def symbols(paths):
    """{object file: what it defines for others, and what it needs of them}."""
    found, path = {path: (set(), set()) for path in paths}, None
    # Two of them, so that it names each.
    command = subprocess.run(["nm", "-gP", *paths, paths[0]], check=True, capture_output=True, text=True)
    for line in command.stdout.splitlines():
        if line.endswith(":"):
            path = pathlib.Path(line[:-1])
        elif line:
            name, kind = line.split()[:2]
            found[path][kind in "Uw"].add(name)
    return found


def by_unit(units):
    """{unit: what its object files define for others, and what they need of them}, as objects() finds them."""
    found, joined = symbols([path for paths in units.values() for path in paths]), {}
    for unit, paths in units.items():
        for path in paths:
            assert found[path][0], f"{unit} defines nothing: are its object files any?"
        joined[unit] = tuple(set().union(*(found[path][i] for path in paths)) for i in range(2))
    return joined


def is_ours(name):
    """
    Whether a symbol is not the C library's, nor a sanitizer's: a unit that stands before the C library means the
    programs that it is linked to.
    """
    return not name.startswith("__") and not hasattr(ctypes.CDLL("libc.so.6"), name)


def of_symbols(units):
    """{(unit, other unit): the symbols that are needed}."""
    found = by_unit(units)
    homes, arrows = collections.defaultdict(set), collections.defaultdict(set)
    for unit, (defined, _) in found.items():
        for name in filter(is_ours, defined):
            homes[name].add(unit)
    for unit, (_, needed) in found.items():
        for name in needed & homes.keys():
            for other in homes[name] - {unit}:
                arrows[unit, other].add(name)
    return dict(arrows)


def interface(units):
    """{symbol that is defined for others: (unit, the other units that need it)}."""
    found = by_unit(units)
    return {name: (unit, {other for other, (_, needed) in found.items() if name in needed and other != unit})
            for unit, (defined, _) in found.items() for name in filter(is_ours, defined)}


def join(*several):
    arrows = collections.defaultdict(set)
    for some in several:
        for arrow, what in some.items():
            arrows[arrow] |= what
    return dict(arrows)


def circles(arrows):
    """The sets of units that can all be reached from each other, by Tarjan's algorithm."""
    follow = collections.defaultdict(set)
    for unit, other in arrows:
        follow[unit].add(other)
    found, index, low, stack = [], {}, {}, []

    def visit(unit):
        index[unit] = low[unit] = len(index)
        stack.append(unit)
        for other in sorted(follow[unit]):
            if other not in index:
                visit(other)
            if other in stack:
                low[unit] = min(low[unit], low[other])
        if low[unit] == index[unit]:
            at = stack.index(unit)
            found.append(frozenset(stack[at:]))
            del stack[at:]

    for unit in sorted({unit for arrow in arrows for unit in arrow}):
        if unit not in index:
            visit(unit)
    return {circle for circle in found if len(circle) > 1}


def describe(circle, arrows):
    """A line for each arrow of a circle."""
    return [f"{unit} -> {other}: {', '.join(sorted(what))}"
            for (unit, other), what in sorted(arrows.items()) if {unit, other} <= circle]
