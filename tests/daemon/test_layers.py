# SPDX-License-Identifier: MIT
"""base <- {fastcgi, scoreboard, config, ipc} <- {manager, worker, ctl, sendmail}; the last four never meet."""

import re

LOWER = {"base", "fastcgi", "scoreboard", "config", "ipc"}
MAY_INCLUDE = {
    "base": {"base"},
    "fastcgi": {"base", "fastcgi"},
    "scoreboard": {"base", "scoreboard"},
    "config": {"base", "config"},
    "ipc": {"base", "ipc"},
    "manager": LOWER | {"manager"},
    "worker": LOWER | {"worker"},
    "ctl": LOWER | {"ctl"},
    "sendmail": {"base", "sendmail"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)', re.MULTILINE)
PHP = re.compile(r"^(php|php_.*|SAPI|zend.*|Zend/.*|main/.*|TSRM.*|ext/.*|sapi/.*)\.h$")


def includes(source_dir):
    """(layer, file, what it includes, whether in angle brackets) of every source file."""
    for path in sorted((source_dir / "daemon").glob("*/*")):
        if path.suffix in (".c", ".h", ".def"):
            for bracket, what in INCLUDE.findall(path.read_text()):
                yield path.parent.name, path.relative_to(source_dir), what, bracket == "<"


def test_every_folder_is_a_layer(source_dir):
    folders = {path.name for path in (source_dir / "daemon").iterdir() if path.is_dir()}
    assert folders == MAY_INCLUDE.keys()


def test_the_identity_is_of_all_that_manager_and_worker_share(source_dir):
    build = (source_dir / "daemon/meson.build").read_text()
    hashed = re.search(r"host_machine\.cpu_family\(\),\s*((?:'\w+',?\s*)+)", build)[1]
    used = {layer: {what.partition("/")[0] for of, _, what, system in includes(source_dir) if of == layer and not system}
            for layer in ("manager", "worker")}
    shared = (used["manager"] & used["worker"]) | {"base"}
    assert set(re.findall(r"\w+", hashed)) == shared == LOWER


def test_includes_go_downwards(source_dir):
    wrong = [f"{file} includes {what}" for layer, file, what, system in includes(source_dir)
             if not system and what.partition("/")[0] not in MAY_INCLUDE[layer]]
    assert wrong == []


def test_only_the_worker_sees_php(source_dir):
    wrong = [f"{file} includes {what}" for layer, file, what, system in includes(source_dir)
             if system and PHP.match(what) and layer != "worker"]
    assert wrong == []


def test_only_the_reader_of_pool_files_sees_libconfig(source_dir):
    wrong = [f"{file} includes {what}" for layer, file, what, _ in includes(source_dir)
             if what == "libconfig.h" and layer != "config"]
    assert wrong == []


def test_the_worker_reads_no_pool_file(source_dir):
    wrong = [f"{file} includes {what}" for layer, file, what, _ in includes(source_dir)
             if what == "config/parse.h" and layer == "worker"]
    assert wrong == []


def test_the_codec_has_no_descriptors(source_dir):
    system = {"sys/socket.h", "unistd.h", "fcntl.h", "sys/uio.h", "base/fd.h", "base/io.h"}
    wrong = [f"{file} includes {what}" for layer, file, what, _ in includes(source_dir)
             if layer == "fastcgi" and what in system]
    assert wrong == []
