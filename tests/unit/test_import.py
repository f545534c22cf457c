# SPDX-License-Identifier: MIT
"""php-poolctl import: the files that it writes, below a directory. That they serve is tests/system's affair."""

import os
import re
import shutil
import subprocess
import sys

import pytest

UNITS = "etc/systemd/system"
SERVICE = f"{UNITS}/php-pool@p.service.d/import.conf"
STATUS = f"{UNITS}/php-pool-status@p.socket.d/import.conf"
SLICE = f"{UNITS}/php-pool.slice.d/import.conf"
POOL = "[p]\nuser = nobody\nlisten = /run/p.sock\npm = static\npm.max_children = 4\n"
needs_verify = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
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
        assert status is None or result.returncode == status, result
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


def test_a_pool_of_that_name_from_another_file(importer):
    """As two PHP-FPMs of Debian have, which both call theirs www."""
    first = importer.file
    importer.run(POOL)
    before = importer.files()
    importer.file = first.with_name("other.conf")
    result = importer.run(POOL, status=1)
    assert (f"{importer.pool_file} exists: a pool p was imported from {first}. Give one of the two sections another "
            "name.\n" in result.stderr and importer.files() == before)
    result = importer.run(POOL, "--force")
    assert f"{importer.pool_file} had been imported from {first}, and was overwritten.\n" in result.stderr
    assert "overwritten" not in importer.run(POOL, "--force").stderr


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


def verify(build_dir, tmp_path, importer):
    """What systemd says of the units of pool p with the drop-ins that were written: "" for nothing."""
    units = tmp_path / "units"
    shutil.copytree(importer.root / UNITS, units, dirs_exist_ok=True)
    for unit in (*(build_dir / "units").glob("*.socket"), *(build_dir / "units").glob("*.service")):
        text = re.sub(r"^(Exec\w+=[-+!:@]*)\S+", r"\1/bin/true", unit.read_text(), flags=re.MULTILINE)
        (units / unit.name).write_text(text)
    for drop_in in units.rglob("*.conf"):  # setfacl need not be installed where tests run
        drop_in.write_text(drop_in.read_text().replace("=setfacl ", "=/bin/true "))
    names = ["php-pool@p.socket", "php-pool@p.service", "php-pool-status@p.socket", "php-pool.slice"]
    result = subprocess.run(["systemd-analyze", "verify", "--man=no", *names], capture_output=True, text=True,
                            env={**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"})
    return result.stdout + result.stderr


@needs_verify
def test_verify_says_what_systemd_does_not_take(build_dir, tmp_path, importer):
    """The next test would pass with a verify that sees nothing."""
    importer.run(LISTENING)
    service = importer.root / SERVICE
    service.write_text(service.read_text() + "\nBacklog=1\nWorkingDirectory=/usr/-/x/../../..\n")
    text = verify(build_dir, tmp_path, importer)
    assert "Backlog" in text and "not normalized" in text


@needs_verify
@pytest.mark.parametrize("lines", [
    "listen = '/run/a %n $b \"x\" ;y.sock'\nchdir = '/srv/-/%h/$HOME ;x'",
    "env[A] = '%n ${B} $B \\ \" ; # x'\nenv[B] = '\"'\nenv[C] = \"'\"\nenv[D] = '\\'\nenv[E] = ' \\n\\x41 '",
    "listen.mode = 000777\nlisten.backlog = 2147483647\nlisten.owner = 033\nlisten.group = 00",
    "listen.acl_users = www-data,root\nlisten.acl_groups = a.b-c_d",
    "process.priority = 20\nrlimit_files = 2147483647\nrlimit_core = unlimited",
    "chroot = //srv/./a//\nchdir = /b/", "listen = [::1]:9000\nlisten.allowed_clients = ::1,10.0.0.1,x",
    "listen = *:65535\nlisten.backlog = -1", "php_value[a] = '/home/a b:/home/%h:/home/c;d:/home/e'",
    "env[A\u202e] = x\nphp_value[a b] = \u202ec\naccess.log = /\u2066/%n", "user = 033\ngroup = nogroup",
    "apparmor_hat = x\nenv[LD_PRELOAD] = /x\nenv[TMPDIR] = /srv/%tmp"])
def test_systemd_takes_what_is_written(build_dir, tmp_path, importer, lines):
    text = LISTENING.replace("nobody", "www-data") + lines + "\n"  # systemd warns of nobody
    status = importer.run(text, status=None).returncode
    assert status in (0, 5)
    assert verify(build_dir, tmp_path, importer) == ""


@pytest.mark.parametrize("user", ["root", "0", "00", "www-data\ngroup = root", "www-data\ngroup = 00"])
def test_scripts_are_never_root(importer, user):
    """As for PHP-FPM, the whole file is refused, and nothing of its other pools is written."""
    other = POOL.replace("[p]", "[other]").replace("p.sock", "other.sock")
    result = importer.run(other + POOL.replace("user = nobody", f"user = {user}"), status=1)
    assert re.search(r"fpm.conf:\d+: (user|group): \"\w+\" is root: scripts never run as root", result.stderr)
    assert importer.files() == {}


def test_notes_do_not_turn_a_terminal_round(importer):
    result = importer.run(POOL + "env[\u202egpj.exe] = x\n", status=5)
    assert "env[???gpj.exe]: not imported" in result.stderr
    assert "\u202e" not in result.stderr + "".join(importer.files().values())


# Mounts a file system that its user serves, and does not, on a directory; then becomes the command.
SILENT_FUSE = """
import ctypes, os, sys
fd = os.open("/dev/fuse", os.O_RDWR)
os.set_inheritable(fd, True)
options = f"fd={fd},rootmode=40000,user_id=65534,group_id=65534".encode()
if ctypes.CDLL(None).mount(b"silent", sys.argv[1].encode(), b"fuse", 0, options) < 0:
    sys.exit(77)
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_a_file_system_of_the_user_that_does_not_answer(importer, tmp_path):
    """The kernel asks the user's own program, for the user: nothing of it holds up root for long."""
    directory = tmp_path / "silent"
    directory.mkdir()
    for above in (tmp_path, *tmp_path.parents):
        if above.stat().st_uid == os.geteuid() and above != above.parent:
            above.chmod(above.stat().st_mode | 0o011)
    importer.file.write_text(POOL + f"php_value[session.save_path] = {directory}/sessions\n")
    command = [sys.executable, "-c", SILENT_FUSE, directory,
               importer.program, "import", "--dry-run", importer.file]
    # In PID and mount namespaces of its own, so that nothing of it is left.
    result = subprocess.run(["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child",
                             *command], capture_output=True, text=True, timeout=60)
    if result.returncode in (1, 77) and "###" not in result.stdout:
        pytest.skip("no file system can be mounted here")
    assert f"{directory}/sessions cannot be used: Connection timed out" in result.stderr, result
