# SPDX-License-Identifier: MIT
"""
base <- {fastcgi, scoreboard, config, ipc} <- {poolfile, status} <- {manager, worker, ctl, sendmail}; the last four
never meet. Rooms are folders of a layer; what lies in the layer itself is its wiring.
"""

import itertools
import json
import re
import subprocess

import pytest

from lib import arrows

SHARED = {"base", "fastcgi", "scoreboard", "status", "config", "ipc"}  # by manager and worker
MAY_INCLUDE = {
    "base": {"base"},
    "fastcgi": {"base", "fastcgi"},
    "scoreboard": {"base", "scoreboard"},
    "config": {"base", "config"},
    "ipc": {"base", "ipc"},
    "poolfile": {"base", "config", "poolfile"},
    "status": {"base", "scoreboard", "status"},
    "manager": SHARED | {"poolfile", "manager"},
    "worker": SHARED | {"worker"},
    "ctl": SHARED | {"poolfile", "ctl"},
    "sendmail": {"base", "sendmail"},
}
# Which rooms of its layer a room may include, or call without that, besides itself; the layer's name stands for its
# wiring.
ROOMS = {
    "manager/decide": set(),
    "manager/traffic": set(),
    "manager/pool": {"manager/decide", "manager/traffic"},
    "manager/life": {"manager/decide", "manager/pool", "manager/traffic"},
    "manager/face": {"manager/pool", "manager/traffic", "manager/life"},
    "worker/request": set(),
    "worker/transport": {"worker/request"},
    "worker/php": {"worker/request"},
    "worker/serve": {"worker", "worker/request", "worker/transport", "worker/php"},
    "ctl/import": {"ctl"},
    "ctl/completion": set(),
}

# What a room may include of another one, where that is not all of it.
DOORS = {
    ("worker/serve", "worker/transport"): {"worker/transport/transport.h"},
    ("worker/serve", "fastcgi"): set(),
    ("worker/php", "fastcgi"): set(),
    ("worker/request", "fastcgi"): set(),
}

# Part of the build only where the manual is.
OPTIONAL = {"poolfile/settings-man"}

PHP = re.compile(r"^(php|php_.*|SAPI|zend.*|Zend/.*|main/.*|TSRM.*|ext/.*|sapi/.*)\.h$")


def includes(source_dir):
    """(layer, room, file, what it includes, whether in angle brackets) of every source file."""
    daemon = source_dir / "daemon"
    for path, what, system in arrows.includes(daemon):
        room = str(path.parent.relative_to(daemon))
        yield room.partition("/")[0], room, path.relative_to(source_dir), what, system


def room_of(unit):
    return unit.rpartition("/")[0]


def may_use(unit, other):
    """Whether a file may have something of another one."""
    room, there = room_of(unit), room_of(other)
    layer = room.partition("/")[0]
    if there.partition("/")[0] != layer:
        return there.partition("/")[0] in MAY_INCLUDE[layer]
    return room not in ROOMS or there in ROOMS[room] | {room}


def upwards(found):
    return [f"{unit} uses {other}: {', '.join(sorted(what))}"
            for (unit, other), what in sorted(found.items()) if not may_use(unit, other)]


@pytest.fixture(scope="module")
def by_symbols(build_dir, source_dir):
    daemon = source_dir / "daemon"
    return arrows.of_symbols(arrows.objects(build_dir, daemon, OPTIONAL))


@pytest.fixture(scope="module")
def all_arrows(by_symbols, source_dir):
    return arrows.join(arrows.of_includes(source_dir / "daemon"), by_symbols)


def test_every_folder_is_a_layer(source_dir):
    folders = {path.name for path in (source_dir / "daemon").iterdir() if path.is_dir()}
    assert folders == MAY_INCLUDE.keys()


def test_every_folder_within_is_a_room(source_dir):
    daemon = source_dir / "daemon"
    rooms = {str(path.relative_to(daemon)) for path in daemon.rglob("*") if path.is_dir() and path.parent != daemon}
    assert {room for room in rooms if not room.endswith("__pycache__")} == ROOMS.keys()


def test_the_identity_is_of_all_that_manager_and_worker_share(source_dir):
    build = (source_dir / "daemon/meson.build").read_text()
    hashed = re.search(r"host_machine\.cpu_family\(\),\s*((?:'\w+',?\s*)+)", build)[1]
    used = {layer: {what.partition("/")[0] for of, _, _, what, system in includes(source_dir)
                    if of == layer and not system} for layer in ("manager", "worker")}
    shared = (used["manager"] & used["worker"]) | {"base", "scoreboard"}
    assert set(re.findall(r"\w+", hashed)) == shared == SHARED


def test_includes_go_downwards(source_dir):
    wrong = [f"{file} includes {what}" for layer, _, file, what, system in includes(source_dir)
             if not system and what.partition("/")[0] not in MAY_INCLUDE[layer]]
    assert wrong == []


def test_rooms_include_as_they_may(source_dir):
    wrong = [f"{file} includes {what}" for layer, room, file, what, system in includes(source_dir)
             if not system and room in ROOMS and what.startswith(f"{layer}/")
             and what.rpartition("/")[0] not in ROOMS[room] | {room}]
    assert wrong == []


def test_rooms_include_what_is_for_them(source_dir):
    wrong = [f"{file} includes {what}" for _, room, file, what, system in includes(source_dir)
             if not system and what not in DOORS.get((room, what.rpartition("/")[0]), {what})]
    assert wrong == []


def test_only_one_room_sees_php(source_dir):
    wrong = [f"{file} includes {what}" for _, room, file, what, system in includes(source_dir)
             if system and PHP.match(what) and room != "worker/php"]
    assert wrong == []


def test_only_the_reader_of_pool_files_sees_libconfig(source_dir):
    wrong = [f"{file} includes {what}" for layer, _, file, what, _ in includes(source_dir)
             if what == "libconfig.h" and layer != "poolfile"]
    assert wrong == []


def test_only_tables_see_libsmartcols(source_dir):
    """Every cell has to pass the function that escapes it."""
    assert [str(file) for _, _, file, what, _ in includes(source_dir)
            if what == "libsmartcols.h"] == ["daemon/ctl/table.c"]


def test_the_worker_reads_no_pool_file(source_dir):
    wrong = [f"{file} includes {what}" for layer, _, file, what, _ in includes(source_dir)
             if what == "poolfile/parse.h" and layer == "worker"]
    assert wrong == []


def test_the_codec_has_no_descriptors(source_dir):
    system = {"sys/socket.h", "unistd.h", "fcntl.h", "sys/uio.h", "base/fd.h", "base/io.h"}
    wrong = [f"{file} includes {what}" for layer, _, file, what, _ in includes(source_dir)
             if layer == "fastcgi" and what in system]
    assert wrong == []


def test_no_symbol_is_used_upwards(by_symbols):
    assert upwards(by_symbols) == []


def test_no_circle_between_files(all_arrows):
    assert [arrows.describe(circle, all_arrows) for circle in arrows.circles(all_arrows)] == []


def test_no_circle_between_rooms():
    """Not by what they may include either; a layer's wiring stands above some of its rooms and below others."""
    rooms = {(room, other) for room, others in ROOMS.items() for other in others}
    layers = {(layer, other) for layer, others in MAY_INCLUDE.items() for other in others - {layer}}
    assert not arrows.circles(rooms) and not arrows.circles(layers)


def test_what_others_can_call_is_called(build_dir, source_dir):
    """
    A function that no other file of the daemon uses is static; unless it is a decision of its file that a unit test
    puts questions to, or one that its header has "for tests".
    """
    daemon, tests = source_dir / "daemon", source_dir / "tests"
    ours = arrows.interface(arrows.objects(build_dir, daemon, OPTIONAL))
    asked = {name for _, needed in arrows.symbols(arrows.object_files(build_dir, tests)).values() for name in needed}
    headers = "\n".join(path.read_text() for path in daemon.rglob("*.h"))
    alone = {name: unit for name, (unit, users) in ours.items() if not users and name != "main"}
    assert len(ours) > 300 and len(asked) > 300

    def stays(name, unit):
        uses = len(re.findall(rf"\b{name}\b", (daemon / f"{unit}.c").read_text()))
        return name in asked and (uses > 1 or re.search(rf"/\* For tests:[^;]*\b{name}\(", headers))

    assert {name: unit for name, unit in alone.items() if not stays(name, unit)} == {}


# Files of PHP and of PHP-FPM.
FOREIGN = {"fpm_conf.c", "main/main.c"}


def test_files_that_comments_and_documents_name_are_there(source_dir):
    daemon = source_dir / "daemon"
    there = [f"/{path.relative_to(source_dir)}" for top in (daemon, source_dir / "tests") for path in top.rglob("*")]
    texts = {path: "\n".join(re.findall(r"/\*.*?\*/", path.read_text(), re.DOTALL)) for path in arrows.sources(daemon)}
    texts |= {path: path.read_text() for path in [source_dir / "README.md", *(source_dir / "docs").glob("*.md")]}
    gone = [f"{path.relative_to(source_dir)}: {name}" for path, text in texts.items()
            for name in re.findall(r"(?<![\w.%>*-])((?:[\w-]+/)*[\w-]+\.(?:c|h|def))\b", text)
            if "NAME" not in name and name not in FOREIGN and not any(path.endswith(f"/{name}") for path in there)]
    assert len(texts) > 200
    assert gone == []


# ---- That these tests would find what they look for ----

@pytest.fixture
def plant(tmp_path):
    """Makes a tree of sources and a build of it: of each .c file, an object file with each of these options."""
    def make(files, options=((),)):
        top, commands = tmp_path / "sources", []
        for name, text in files.items():
            path = top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for name, number in itertools.product(files, range(len(options))):
            if name.endswith(".c"):
                output = f"{number}-{name.replace('/', '_')}.o"
                subprocess.run(["cc", *options[number], f"-I{top}", "-c", top / name, "-o", tmp_path / output],
                               check=True)
                commands.append({"directory": str(tmp_path), "file": f"sources/{name}", "output": output})
        (tmp_path / "compile_commands.json").write_text(json.dumps(commands))
        return top

    make.build = tmp_path
    return make


ONE = frozenset({"base/a", "base/b"})


@pytest.mark.parametrize("options", [[], ["-fsanitize=address,undefined"], ["-O2", "-g", "-fPIC"]])
def test_a_circle_of_symbols_is_found(plant, options):
    top = plant({"base/a.c": "int b(void); int a(void) { return b(); }",
                 "base/b.c": "int a(void); int b(void) { return a(); }",
                 "base/c.c": "int a(void); int c(void) { return a(); }"}, [options])
    found = arrows.of_symbols(arrows.objects(plant.build, top))
    assert found == {("base/a", "base/b"): {"b"}, ("base/b", "base/a"): {"a"}, ("base/c", "base/a"): {"a"}}
    assert arrows.circles(found) == {ONE}
    assert arrows.describe(ONE, found) == ["base/a -> base/b: b", "base/b -> base/a: a"]


def test_a_circle_of_includes_is_found(plant):
    top = plant({"base/a.h": "#pragma once\n#include \"base/b.h\"\n",
                 "base/b.h": "#pragma once\n# include \"base/a.h\"\n"})
    assert arrows.circles(arrows.of_includes(top)) == {ONE}


def test_a_circle_of_both_is_found(plant):
    top = plant({"base/a.h": "#pragma once\nint a(void);\n",
                 "base/a.c": "#include \"base/a.h\"\nint b(void); int a(void) { return b(); }",
                 "base/b.c": "#include \"base/a.h\"\nint b(void) { return 0; }"})
    by_includes, by_symbols = arrows.of_includes(top), arrows.of_symbols(arrows.objects(plant.build, top))
    assert not arrows.circles(by_includes) and not arrows.circles(by_symbols)
    assert arrows.circles(arrows.join(by_includes, by_symbols)) == {ONE}


def test_a_circle_through_many_files_is_found(plant):
    names = "abcdefg"
    top = plant({f"base/{name}.h": f'#include "base/{other}.h"\n' for name, other in zip(names, names[1:] + names[0])})
    assert arrows.circles(arrows.of_includes(top)) == {frozenset(f"base/{name}" for name in names)}


def test_a_symbol_of_one_php_only_is_seen(plant):
    top = plant({"base/a.c": "int b(void), c(void);\n#ifdef NEWER\n#define b c\n#endif\nint a(void) { return b(); }",
                 "base/b.c": "int b(void) { return 0; }", "base/c.c": "int c(void) { return 0; }"}, [[], ["-DNEWER"]])
    assert arrows.of_symbols(arrows.objects(plant.build, top)).keys() == {("base/a", "base/b"), ("base/a", "base/c")}


def test_an_upward_call_without_an_include_is_found(plant):
    top = plant({"base/a.c": "extern int m; int a(void) { return m; }", "manager/m.c": "int m = 1;",
                 "manager/life/l.c": "int w(void); int l(void) { return w(); }",
                 "worker/w.c": "int w(void) { return 0; }",
                 "manager/traffic/t.c": "int l(void); int t(void) { return l(); }"})
    assert not arrows.of_includes(top)
    assert upwards(arrows.of_symbols(arrows.objects(plant.build, top))) == [
        "base/a uses manager/m: m", "manager/life/l uses worker/w: w", "manager/traffic/t uses manager/life/l: l"]


def test_what_the_c_library_has_is_its_own(plant):
    top = plant({"base/a.c": "int pclose(void); int a(void) { return pclose(); }",
                 "base/b.c": "int pclose(void) { return 0; }"})
    assert arrows.of_symbols(arrows.objects(plant.build, top)) == {}


def test_what_is_not_built_is_no_proof(plant):
    top = plant({"base/a.c": "int a;"})
    (top / "base/forgotten.c").write_text("int forgotten;")
    with pytest.raises(AssertionError, match="base/forgotten"):
        arrows.objects(plant.build, top)
    (top / "base/forgotten.c").unlink()
    assert arrows.objects(plant.build, top).keys() == {"base/a"}
    (plant.build / "0-base_a.c.o").unlink()
    with pytest.raises(subprocess.CalledProcessError):
        arrows.of_symbols(arrows.objects(plant.build, top))
    with pytest.raises(AssertionError, match="no source"):
        arrows.objects(plant.build, plant.build / "nothing")


def test_an_object_file_without_symbols_is_no_proof(plant):
    top = plant({"base/a.c": "static int a __attribute__((unused));"})
    with pytest.raises(AssertionError, match="base/a defines nothing"):
        arrows.of_symbols(arrows.objects(plant.build, top))


def test_what_nobody_uses_is_found(plant):
    top = plant({"base/a.c": "int b(void); int a(void) { return b(); } int x = 1;",
                 "base/b.c": "int a(void); int b(void) { return 0; } int c(void) { return 0; }"
                           "int pclose(void) { return c(); }"})
    found = arrows.interface(arrows.objects(plant.build, top))
    assert found == {"a": ("base/a", set()), "x": ("base/a", set()), "b": ("base/b", {"base/a"}),
                     "c": ("base/b", set())}
