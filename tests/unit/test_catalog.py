# SPDX-License-Identifier: MIT
"""The message catalog has an entry for each id that the log uses, and what is installed has no placeholder left."""

import re
import subprocess

import pytest


def message_ids(source_dir):
    """{id: name} of messages.def."""
    text = (source_dir / "daemon/base/messages.def").read_text()
    return {id: name for name, id in re.findall(r'^MESSAGE\((\w+), "(\w+)"\)', text, re.MULTILINE)}


def catalog_entries(source_dir):
    """[(id, headers, body)] of the catalog, as systemd reads it: headers, an empty line, text."""
    text = (source_dir / "units/php-pool.catalog").read_text()
    parts = re.split(r"^-- (\S+)\n", text, flags=re.MULTILINE)[1:]
    return [(id, *entry.split("\n\n", 1)) for id, entry in zip(parts[::2], parts[1::2])]


def test_one_entry_per_message(source_dir):
    messages = message_ids(source_dir)
    ids = [id for id, _, _ in catalog_entries(source_dir)]
    assert len(ids) == len(set(ids))
    assert {messages[id] for id in messages.keys() - set(ids)} == set(), "messages without a catalog entry"
    assert set(ids) - messages.keys() == set(), "catalog entries without a message"
    assert all(re.fullmatch(r"[0-9a-f]{32}", id) for id in ids)


def test_entries_are_complete(source_dir):
    for id, headers, body in catalog_entries(source_dir):
        fields = dict(line.split(": ", 1) for line in headers.splitlines())
        assert fields.keys() == {"Subject", "Defined-By", "Documentation"}, id
        assert fields["Defined-By"] == "php-pool"
        assert len(body.strip()) > 100, id


def test_entries_name_only_their_messages(source_dir):
    for _, _, body in catalog_entries(source_dir):
        for id in re.findall(r"MESSAGE_ID=(\w+)", body):
            assert id in message_ids(source_dir)


def test_the_manual_names_only_messages(source_dir):
    for page in (source_dir / "man").iterdir():
        for id in re.findall(r"MESSAGE_ID=([0-9a-f]{32})", page.read_text()):
            assert id in message_ids(source_dir), page


@pytest.fixture(scope="module")
def installed(build_dir, tmp_path_factory):
    """Where the build is installed."""
    root = tmp_path_factory.mktemp("installed")
    subprocess.run(["meson", "install", "-C", build_dir, "--no-rebuild", "--quiet", "--destdir", root], check=True,
                   capture_output=True)
    return root


@pytest.mark.parametrize("pattern, number", [
    ("**/system/php-pool*", 5), ("**/sysusers.d/php-pool.conf", 1), ("**/tmpfiles.d/php-pool.conf", 1),
    ("**/man/man*/php-pool*", 5)])
def test_no_placeholders(installed, pattern, number):
    files = list(installed.glob(pattern))
    assert len(files) >= number, files
    for file in files:
        assert not re.search(r"@[A-Z_]+@", file.read_text()), file


def test_units_run_what_is_installed(installed):
    units = [unit for unit in installed.glob("**/system/php-pool*") if "Exec" in unit.read_text()]
    commands = {command for unit in units
                for command in re.findall(r"^Exec\w+=\+?(\S+/php-\S+)", unit.read_text(), re.MULTILINE)}
    assert commands
    for command in commands:
        assert (installed / command.lstrip("/")).exists(), command


def test_the_log_is_asked_by_unit(source_dir):
    """Any process may say in a record which pool it is about; journald itself says which unit it comes from."""
    commands = []
    for path in ("README.md", "man/php-pool.7.scd", "man/php-poold.8.scd", "man/php-poolctl.1.scd",
                 "units/php-pool.catalog"):
        text = (source_dir / path).read_text()
        commands += [line for line in re.findall(r"journalctl .*", text)
                     if re.search(r"\b(PHP|REQUEST|HTTP|MESSAGE)_", line)]
    assert len(commands) > 5
    for command in commands:
        assert "-u php-pool@" in command or "-u 'php-pool@" in command or "_SYSTEMD_SLICE=" in command, command
