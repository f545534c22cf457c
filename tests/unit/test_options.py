# SPDX-License-Identifier: MIT
"""What php-poolctl makes of each line of options.def. None of these comes as far as to run a verb."""

import subprocess

import pytest

from lib.commands import options, verbs


@pytest.fixture
def ctl(build_dir):
    def run(*arguments):
        return subprocess.run([build_dir / "daemon/php-poolctl", *arguments], text=True, capture_output=True,
                              timeout=30)
    return run


def test_only_its_verbs_take_an_option(ctl, source_dir):
    arguments = verbs(source_dir)
    for letter, name, argument, owners in options(source_dir):
        if not owners:
            continue
        for verb in arguments.keys() - owners:
            words = ["x"] * len(arguments[verb])
            for given in ([f"--{name}=A=1"], [f"-{letter}", "A=1"]) if argument else ([f"--{name}"], [f"-{letter}"]):
                if given[0] == "-0" or name == "timeout":  # that one looks at its argument first
                    continue
                result = ctl(verb, *words, *given)
                assert result.returncode == 2
                assert result.stderr == f"php-poolctl {verb} takes no --{name}, see --help.\n"


def test_arguments(ctl, source_dir):
    for _, name, argument, _ in options(source_dir):
        result = ctl(f"--{name}") if argument else ctl(f"--{name}=x")
        assert result.returncode == 2 and name in result.stderr, result


@pytest.mark.parametrize("given, said", [
    ("--timeout=soon", '--timeout takes a time such as 30 or 5min, not "soon".\n'),
    ("--param=NAME", '--param takes NAME=VALUE, not "NAME".\n'),
    ("--param==VALUE", '--param takes NAME=VALUE, not "=VALUE".\n'),
])
def test_wrong_arguments(ctl, given, said):
    result = ctl("request", given, "www", "/x.php")
    assert (result.returncode, result.stderr) == (2, said)


def test_too_many_pairs(ctl):
    result = ctl("request", *["--param=A=1"] * 257, "www", "/x.php")
    assert (result.returncode, result.stderr) == (2, "--param may be given 256 times.\n")


def test_help_and_version_come_first(ctl):
    """They are done when they are met, whatever else there is."""
    assert ctl("--version", "--no-such-option").stdout.startswith("php-poolctl ")
    result = ctl("nonsense", "-h", "--version")
    assert result.returncode == 0 and result.stdout.startswith("php-poolctl [OPTION…] VERB …\n")
    assert ctl("--timeout=soon", "--help").returncode == 2
