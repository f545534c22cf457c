# SPDX-License-Identifier: MIT
"""What bash and zsh complete is what verbs.def and options.def have; each TAB is pressed in a real shell."""

import re
import shutil

import pytest

from lib.commands import options, verbs
from lib.shells import Shell

POOLS = ["blog", "shop", "shop-test"]

# Answers for the pools that this machine does not have.
WRAPPER = """#!/bin/sh
[ "$*" != "list --names" ] || exec printf '%s\\n' {pools}
exec {program} "$@"
"""


def of_verb(source_dir, verb, letters=False):
    """The options that a verb takes, as completion writes them; those of all verbs for None."""
    long, short = [], []
    for letter, name, argument, owners in options(source_dir):
        if verb is None or not owners or verb in owners:
            long.append(f"--{name}=" if argument else f"--{name}")
            short += [f"-{letter}"] * (letter != "0")
    return sorted(long + short * letters)


@pytest.fixture(scope="module", params=["bash", "zsh"])
def shell(request, build_dir, source_dir, tmp_path_factory):
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    home = tmp_path_factory.mktemp(request.param)
    programs = home / "bin"
    programs.mkdir()
    (programs / "php-poold").symlink_to(build_dir / "daemon/php-poold")
    wrapper = programs / "php-poolctl"
    wrapper.write_text(WRAPPER.format(pools=" ".join(POOLS), program=build_dir / "daemon/php-poolctl"))
    wrapper.chmod(0o755)
    (home / "some dir").mkdir()
    (home / "some dir/page.php").write_text("")
    (home / "some.conf").write_text("")
    with Shell(request.param, source_dir / "daemon/ctl/completion", home,
               {"PATH": f"{programs}:/usr/bin:/bin"}) as shell:
        yield shell


def test_the_tables_are_read(source_dir):
    assert verbs(source_dir)["request"] == ["POOL", "SCRIPT"] and verbs(source_dir)["list"] == []
    assert ("o", "output", "DIR", {"import"}) in options(source_dir)
    assert len(options(source_dir)) == len(re.findall(r"^OPTION\(",
                                                      (source_dir / "daemon/ctl/options.def").read_text(), re.M))
    assert len(verbs(source_dir)) == len(re.findall(r"^VERB\(", (source_dir / "daemon/ctl/verbs.def").read_text(),
                                                    re.M))


def test_verbs(shell, source_dir):
    assert shell.offers("php-poolctl ") == sorted(verbs(source_dir))
    assert shell.becomes("php-poolctl rel") == "php-poolctl reload "
    assert shell.offers("php-poolctl --json ") == sorted(verbs(source_dir))


def test_options_of_each_verb(shell, source_dir):
    for verb in verbs(source_dir):
        assert shell.offers(f"php-poolctl {verb} --") == of_verb(source_dir, verb), verb
        assert shell.offers(f"php-poolctl {verb} -") == of_verb(source_dir, verb, letters=True), verb


def test_options_before_the_verb(shell, source_dir):
    assert shell.offers("php-poolctl --") == of_verb(source_dir, None)
    assert shell.becomes("php-poolctl --dry") == "php-poolctl --dry-run "
    assert shell.becomes("php-poolctl import --outp") == "php-poolctl import --output="


def test_arguments_of_each_verb(shell, source_dir):
    """What --help shows is what is offered, and after the last of them nothing is."""
    for verb, arguments in verbs(source_dir).items():
        line = f"php-poolctl {verb} "
        for argument in arguments:
            kinds = set(re.findall(r"\w+", argument))
            assert kinds <= {"POOL", "FILE", "SCRIPT"}, f"{verb} takes {argument}: say how it is completed"
            if "POOL" in kinds:
                assert shell.offers(line) == POOLS or "FILE" in kinds
                assert shell.becomes(line + "bl") == line + "blog "
            if kinds & {"FILE", "SCRIPT"}:
                assert shell.becomes(line + "some.") == line + "some.conf "
                assert shell.becomes(line + "./some.") == line + "./some.conf "
            line += "x "
        assert shell.press(line + "\t") == ([], line), verb
        assert shell.press(line + "bl\t") == ([], line + "bl"), verb


def test_options_do_not_count_as_arguments(shell):
    for before in ("--socket=/tmp/x ", "--socket /tmp/x ", "-s /tmp/x ", "-s/tmp/x ", "--socket=localhost:9000 ",
                   "-is x ",
                   "-i ", "--param=A=B ", "-p A=B ", "-p status -q reload "):
        line = f"php-poolctl {before}request {before}"
        assert shell.offers(line) == POOLS, line
        assert shell.becomes(f"{line}shop some.") == f"{line}shop some.conf ", line
        assert "--method=" in shell.offers(f"{line}shop --"), line
    assert shell.press("php-poolctl status -- -\t") == ([], "php-poolctl status -- -")
    assert shell.offers("php-poolctl status -- sh") == ["shop", "shop-test"]


@pytest.mark.parametrize("before", ["import --output=", "import --output ", "import -o ", "request --root="])
def test_directories(shell, before):
    line = f"php-poolctl {before}"
    assert shell.becomes(line + "som") in (f"{line}some\\ dir/", f"{line}some\\ dir")
    assert shell.becomes(line + "some.") == line + "some."


@pytest.mark.parametrize("line",
                         ["php-poolctl request --body=", "php-poolctl request -b ", "php-poolctl status --socket=",
                                  "php-poolctl import ", "php-poold --config=", "php-poold --config "])
def test_files(shell, line):
    assert shell.becomes(line + "some.") == line + "some.conf "
    assert shell.becomes(line + "some\\ dir/pa") == line + "some\\ dir/page.php "


@pytest.mark.parametrize("line", ["php-poolctl request --query=", "php-poolctl request -t ", "php-poolctl request -X ",
                                  "php-poolctl status --json=", "php-poolctl --no-such=", "php-poolctl no-such-verb "])
def test_nothing(shell, line):
    assert shell.press(line + "s\t") == ([], line + "s")


def test_php_poold(shell):
    assert shell.offers("php-poold --") == ["--check", "--config=", "--help", "--version"]
    assert shell.offers("php-poold ") == POOLS
    assert shell.offers("php-poold --check ") == POOLS
    line = "php-poold --check --config=some.conf shop-"
    assert shell.becomes(line) == f"{line}test "
    assert shell.press("php-poold shop \t") == ([], "php-poold shop ")


def test_silent_where_the_program_fails(shell):
    """One that is gone, or says only what is wrong."""
    program = shell.home / "bin/php-poolctl"
    kept = program.read_text()
    try:
        program.write_text("#!/bin/sh\necho wrong >&2\nexit 1\n")
        shown = len(shell.shown)
        for line in ("php-poolctl ", "php-poolctl --", "php-poolctl status ", "php-poold "):
            assert shell.press(line + "\t") == ([], line)
        if not shutil.which("php-poolctl", path="/usr/bin:/bin"):  # where it is installed, that one is found
            program.unlink()
            assert shell.press("php-poolctl st\t") == ([], "php-poolctl st")
        assert b"wrong" not in shell.shown[shown:] and b"not found" not in shell.shown[shown:]
    finally:
        program.write_text(kept)
        program.chmod(0o755)
