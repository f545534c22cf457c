# SPDX-License-Identifier: MIT
"""php-poolctl import: the files that it writes, below a directory. That they serve is tests/system's affair."""

import re
import subprocess

import pytest

UNITS = "etc/systemd/system"
SERVICE = f"{UNITS}/php-pool@p.service.d/import.conf"
STATUS = f"{UNITS}/php-pool-status@p.socket.d/import.conf"
SLICE = f"{UNITS}/php-pool.slice.d/import.conf"
POOL = "[p]\nuser = nobody\nlisten = /run/p.sock\npm = static\npm.max_children = 4\n"
LISTENING = POOL + "pm.status_listen = /run/p.status.sock\n"


class Importer:
    def __init__(self, build_dir, tmp_path):
        self.program, self.root = build_dir / "daemon/php-poolctl", tmp_path / "root"
        self.file = tmp_path / "fpm.conf"
        self.root.mkdir()

    def run(self, text, *options, status=0):
        self.file.write_text(text)
        result = subprocess.run([self.program, "import", f"--output={self.root}", *options, self.file],
                                capture_output=True, text=True)
        assert result.returncode == status, result
        assert not list(self.root.rglob("*.import-new"))
        return result

    def files(self):
        return {str(path.relative_to(self.root)): path.read_text()
                for path in self.root.rglob("*") if path.is_file()}

    @property
    def pool_file(self):
        return next(path for path in self.root.rglob("p.conf"))


@pytest.fixture
def importer(build_dir, tmp_path):
    return Importer(build_dir, tmp_path)


def test_every_file_says_where_it_comes_from(importer):
    result = importer.run(LISTENING)
    assert len(importer.files()) == 4
    assert {text.split("\n")[0] for text in importer.files().values()} == {
        f"# Imported by php-poolctl from {importer.file}."}
    written = [line for line in result.stdout.split("\n") if line.startswith(str(importer.root))]
    assert sorted(written) == sorted(f"{importer.root}/{name}" for name in importer.files())


def test_next_commands(importer):
    """A status socket comes before its pool's, whose service could otherwise run before."""
    stdout = importer.run(LISTENING).stdout
    assert " php-pool-status@p.socket php-pool@p.socket\n" in stdout
    assert "take these pools out of it" in stdout
    assert "status@" not in importer.run("[global]\n" + POOL, "--force").stdout


def test_nothing_is_changed_unless_all_can_be_written(importer):
    importer.run(POOL)
    before = importer.files()
    (importer.root / SERVICE).unlink()
    (importer.root / SERVICE).parent.rmdir()
    (importer.root / SERVICE).parent.write_text("in the way")
    result = importer.run(LISTENING, "--force", status=1)
    assert "Failed to write" in result.stderr and "Nothing was changed." in result.stderr
    after = importer.files()
    assert {name: after[name] for name in before if name != SERVICE} == {
        name: before[name] for name in before if name != SERVICE}


def test_a_failed_rename_says_what_is_new(importer):
    importer.run(POOL)
    (importer.root / SERVICE).unlink()
    (importer.root / SERVICE).mkdir()
    result = importer.run(POOL.replace("= 4", "= 7"), "--force", status=1)
    assert f"Failed to write {importer.root}/{SERVICE}: " in result.stderr
    assert f"{importer.pool_file} was written before that, and stays." in result.stderr
    assert "Nothing was changed." not in result.stderr
    assert "max_children = 7;" in importer.pool_file.read_text()


def test_force_removes_what_is_not_needed_any_more(importer):
    importer.run("[global]\nprocess.max = 2\n" + LISTENING, status=5)
    assert {STATUS, SLICE} <= set(importer.files())
    result = importer.run("[global]\n" + POOL, status=1)
    assert f"{STATUS} exists." in result.stderr
    result = importer.run("[global]\n" + POOL, "--force")
    assert not {STATUS, SLICE} & set(importer.files())
    assert f"{STATUS} was removed: an earlier import wrote it." in result.stderr


def test_force_leaves_what_others_wrote(importer):
    importer.run("[global]\nprocess.max = 2\n" + LISTENING, status=5)
    own = "[Socket]\nListenStream=/run/mine.sock\n"
    (importer.root / STATUS).write_text(own)
    result = importer.run(POOL, "--force")
    assert importer.files()[STATUS] == own and SLICE in importer.files()
    assert f"{STATUS} is not needed, but was not imported from this file, and stays." in result.stderr


@pytest.mark.parametrize("text, replaced", [
    ("# Only\n   # comments\n\n", True), ("", True), ("pm = { max_children = 7; };\n", False),
    ("# A comment\nidle_exit = \"1min\";\n", False)])
def test_a_pool_file_of_comments_is_no_pool_file(importer, text, replaced):
    importer.run(POOL)
    pool_file = importer.pool_file
    for name in importer.files():
        (importer.root / name).unlink()
    pool_file.write_text(text)
    importer.run(POOL, status=0 if replaced else 1)
    assert (pool_file.read_text() == text) != replaced


def test_the_installed_example_holds_only_comments(source_dir, importer):
    example = (source_dir / "conf.d/www.conf").read_text()
    assert not re.search(r"^[^#\n]", example, re.MULTILINE)


def test_names_of_files_do_nothing_to_a_terminal(importer):
    importer.file = importer.file.with_name("a\x1b[31m\nb.conf")
    result = importer.run(LISTENING)
    assert "\x1b" not in result.stdout + result.stderr + "".join(importer.files().values())
    assert "?[31m?b.conf" in importer.pool_file.read_text()
    assert "\x1b" not in importer.run("[p", status=1).stderr
