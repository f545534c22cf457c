# SPDX-License-Identifier: MIT
"""
base <- {fastcgi, scoreboard, config, ipc} <- {poolfile, status} <- {manager, worker, ctl, sendmail}; the last four never
meet. Rooms are folders of a layer; what lies in the layer itself is its wiring.
"""

import re

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
# Which rooms of its layer a room may include, besides itself; the layer's name stands for its wiring.
ROOMS = {
    "manager/pool": set(),
    "manager/traffic": set(),
    "manager/life": {"manager", "manager/pool", "manager/face"},
    "manager/face": {"manager", "manager/pool", "manager/life"},
    "worker/request": set(),
    "worker/transport": {"worker/request"},
    "worker/php": {"worker/request"},
    "worker/serve": {"worker", "worker/request", "worker/transport", "worker/php"},
    "ctl/import": {"ctl"},
    "ctl/completion": set(),
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)', re.MULTILINE)
PHP = re.compile(r"^(php|php_.*|SAPI|zend.*|Zend/.*|main/.*|TSRM.*|ext/.*|sapi/.*)\.h$")


def includes(source_dir):
    """(layer, room, file, what it includes, whether in angle brackets) of every source file."""
    daemon = source_dir / "daemon"
    for path in sorted(daemon.rglob("*")):
        if path.suffix in (".c", ".h", ".def"):
            room = str(path.parent.relative_to(daemon))
            for bracket, what in INCLUDE.findall(path.read_text()):
                yield room.partition("/")[0], room, path.relative_to(source_dir), what, bracket == "<"


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
    used = {layer: {what.partition("/")[0] for of, _, _, what, system in includes(source_dir) if of == layer and not system}
            for layer in ("manager", "worker")}
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


def test_only_one_room_sees_php(source_dir):
    wrong = [f"{file} includes {what}" for _, room, file, what, system in includes(source_dir)
             if system and PHP.match(what) and room != "worker/php"]
    assert wrong == []


def test_only_the_reader_of_pool_files_sees_libconfig(source_dir):
    wrong = [f"{file} includes {what}" for layer, _, file, what, _ in includes(source_dir)
             if what == "libconfig.h" and layer != "poolfile"]
    assert wrong == []


def test_the_worker_reads_no_pool_file(source_dir):
    wrong = [f"{file} includes {what}" for layer, _, file, what, _ in includes(source_dir)
             if what == "poolfile/parse.h" and layer == "worker"]
    assert wrong == []


def test_the_codec_has_no_descriptors(source_dir):
    system = {"sys/socket.h", "unistd.h", "fcntl.h", "sys/uio.h", "base/fd.h", "base/io.h"}
    wrong = [f"{file} includes {what}" for layer, _, file, what, _ in includes(source_dir)
             if layer == "fastcgi" and what in system]
    assert wrong == []
