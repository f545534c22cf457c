# SPDX-License-Identifier: MIT
"""
php.version: the pool runs that PHP, or the newest; a reload changes it. A worker that has another PHP than its own
does not start, and one sentence says why.
"""

import os
import re
import signal
import subprocess
import threading

import pytest

from lib import php
from lib.daemon import SANITIZERS
from lib.load import Load
from lib.scripts import HELLO, LONG, Running
from lib.wait import wait_until

STATIC = 'pm = { mode = "static"; max_children = 4; };\n'
PHP = "<?php echo PHP_VERSION;"
NAME = f"php-pool-worker-{php.VERSION}"
OTHERWISE = ", or choose another PHP by php.version."

several = pytest.mark.skipif(len(php.ALL) < 2, reason="the build has one PHP")


def conf(version):
    return STATIC + f'php = {{ version = "{version}"; }};\n'


def refused(daemon):
    """The words of a reload that was refused; the pool is as it was."""
    generation = daemon.status()["generation"]
    result = daemon.ctl("reload", "www")
    assert result.returncode == 1, result
    assert daemon.status()["generation"] == generation and daemon.run(HELLO) == "hello"
    return result.stderr


def run_worker(daemon, directory, code):
    """Has the pool start this in the worker's place."""
    script = daemon.directory / f"script-{directory.name}"
    script.write_text(f"#!/bin/sh\n{code}\n")
    script.chmod(0o755)
    worker = directory / NAME
    worker.unlink(missing_ok=True)
    worker.symlink_to(script)


@pytest.fixture
def real(build_dir):
    return build_dir / "daemon" / NAME


@pytest.fixture
def replaceable(make_daemon, real):
    """A pool whose worker can be replaced: replaceable.worker_dir has it."""
    with make_daemon(STATIC, worker=real) as daemon:
        daemon.wait_idle(4)
        yield daemon


# ---- What the pool file says ----

@pytest.mark.parametrize("version", php.ALL)
def test_the_pool_runs_what_its_file_says(make_daemon, version):
    with make_daemon(conf(version)) as daemon:
        full = daemon.get(daemon.script("php.php", PHP))
        assert full.startswith(f"{version}.") and daemon.status()["php-version"] == full
        assert f"Pool www is ready: PHP {full}, " in daemon.logged()
        assert any(f", generation 1, PHP {full}" in n.get("STATUS", "") for n in daemon.notifications)


def test_without_a_word_it_is_the_newest(make_daemon):
    with make_daemon(STATIC) as daemon:
        assert daemon.get(daemon.script("php.php", PHP)).startswith(f"{php.VERSION}.")


MALFORMED = ['"8"', '"8.4.1"', '"../x"', '"latest"', '" 8.4"', '"8.4 "', '"08.4"', '"8.04"', '"8,4"', '"8.x"', "8.4",
             "84",
             '[ "8.4" ]', "true", '"8.4/../8.2"']
NOT_THERE = {
    '"9.9"': r"9\.9 is not installed here: there (is|are) [0-9., and]+; the newest that this php-pool knows is 8\.6",
    '"7.4"': r"7\.4 is too old, php-pool runs PHP 8\.2 and later: there (is|are) [0-9., and]+",
}


@pytest.mark.parametrize("value", [*MALFORMED, *NOT_THERE])
def test_a_version_that_is_none(daemon, build_dir, value):
    """The reload is refused and check says the same, with file, line and key."""
    daemon.conf.write_text(f"{STATIC}php = {{\n  version = {value};\n}};\n")
    why = NOT_THERE.get(value, r'must be "" or a version of two numbers, such as "8\.4", not ')
    if value == "8.4":
        why += r"8\.4 without quotes"
    wanted = rf"{daemon.conf}:3: php\.version(\[0\])?: {why}"
    assert re.search(wanted, refused(daemon))
    for command in ([build_dir / "daemon/php-poolctl", "check", daemon.conf],
                    [build_dir / "daemon/php-poold", "--check", f"--config={daemon.conf}", "www"]):
        result = subprocess.run(command, env={**os.environ, **SANITIZERS}, text=True, capture_output=True)
        assert result.returncode != 0 and re.search(wanted, result.stderr), result


def test_a_start_that_finds_none(make_daemon, real):
    daemon = make_daemon(worker=real)
    (daemon.worker_dir / NAME).unlink()
    with daemon.failing() as status:
        assert status == 78
    assert (f"Pool www does not start: {daemon.conf}: php.version: no PHP is installed here: there is no worker in "
            f"{daemon.worker_dir}; install the package phpX.Y-pool") in daemon.logged()


def test_check_names_what_is_there(replaceable, build_dir):
    for version in ("8.9", "8.10"):
        (replaceable.worker_dir / f"php-pool-worker-{version}").touch(0o755)
    (replaceable.worker_dir / "php-pool-worker-8.11").mkdir()
    replaceable.conf.write_text(conf("9.9"))
    there = sorted([php.VERSION, "8.9", "8.10"], key=lambda version: [int(n) for n in version.split(".")])
    said = f"there are {there[0]}, {there[1]} and {there[2]}; the newest that this php-pool knows is 8.6"
    assert said in refused(replaceable)


# ---- When it changes ----

def test_the_newest_is_looked_for_at_each_reload(replaceable, real):
    """A newer one, which is the old one under another name here."""
    newer = replaceable.worker_dir / "php-pool-worker-99.9"
    newer.symlink_to(real)
    assert (f"php-pool-worker-99.9 is the worker of PHP {php.VERSION} under another name: install the package "
            f"php99.9-pool again{OTHERWISE}") in refused(replaceable)
    replaceable.conf.write_text(conf(php.VERSION))
    replaceable.reload()
    assert replaceable.status()["generation"] == 3
    newer.unlink()
    replaceable.conf.write_text(STATIC)
    replaceable.reload()
    assert replaceable.run(HELLO) == "hello"


def test_a_template_that_dies_is_replaced_by_one_of_the_same_php(replaceable, real):
    (replaceable.worker_dir / "php-pool-worker-99.9").symlink_to(real)
    os.kill(*replaceable.templates(), signal.SIGKILL)
    wait_until(lambda: "generation 2 took over, PHP " in replaceable.logged(), what="the next generation")
    assert replaceable.run(HELLO) == "hello"
    assert "99.9" not in replaceable.logged()


def test_a_pool_whose_php_is_removed_goes_on(replaceable, real):
    replaceable.conf.write_text(conf(php.VERSION))
    replaceable.reload()
    (replaceable.worker_dir / NAME).unlink()
    (replaceable.worker_dir / "php-pool-worker-99.9").symlink_to(real)
    assert (f"php.version: {php.VERSION} is not installed here: there is 99.9; install the package "
            f"php{php.VERSION}-pool") in refused(replaceable)


@several
def test_from_php_to_php_under_load(make_daemon):
    """Each reload is one like any other: the next PHP serves before the one before goes, and nothing is lost."""
    with make_daemon(conf(php.ALL[0])) as daemon:
        script = daemon.script("php.php", "<?php usleep(2000); echo PHP_VERSION;")
        slow = daemon.script("slow.php", LONG)
        seen, kept = set(), threading.local()

        def send():
            """Over a new connection and over one that this client keeps."""
            seen.add(daemon.get(script))
            if not hasattr(kept, "connection"):
                kept.connection = daemon.connect()
            seen.add(kept.connection.request(script, keep=True).text)

        with Load(send, clients=8) as load:
            for version in [*php.ALL[1:], *php.ALL[-2::-1]] * 2:
                running = Running(daemon, slow)
                daemon.conf.write_text(conf(version))
                result = daemon.ctl("reload", "www")
                assert result.returncode == 0, result
                full = daemon.get(script)
                assert full.startswith(f"{version}.") and daemon.status()["php-version"] == full
                assert f"took over, PHP {full}." in daemon.logged()
                load.wait_for(50)
                assert running.finish(), "a request of the PHP before"
        assert load.lost == [] and load.answered > 100, load
        assert sorted({".".join(version.split(".")[:2]) for version in seen}) == sorted(php.ALL)


@several
def test_check_looks_at_the_extensions_of_the_pools_php(build_dir, tmp_path):
    """Each PHP has a directory of its own."""
    places = set()
    for version in php.ALL:
        pool_file = tmp_path / "www.conf"
        pool_file.write_text(f'php = {{ version = "{version}"; value = [ "extension=nowhere" ]; }};\n')
        result = subprocess.run([build_dir / "daemon/php-poolctl", "check", pool_file], text=True, capture_output=True)
        assert result.returncode == 1
        places.add(re.search(r"extension: (/\S+)/nowhere\.so is not there", result.stderr)[1])
    assert len(places) == len(php.ALL)


# ---- A worker that has another PHP than its own ----

VERSION_ID = "unsigned php_version_id(void) { return 90900; }"


def make_library(directory, name, source=""):
    directory.mkdir(exist_ok=True)
    path = directory / name
    subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", f"-Wl,-soname,{name}", "-o", path], input=source,
                   text=True,
                   check=True)
    return path


def break_worker(case, daemon, real):
    """A shell's code that starts the worker so that it is broken, and what is said of it."""
    if case == "another version":
        library = make_library(daemon.directory / "other", "version.so", VERSION_ID)
        preload = ":".join(str(path) for path in (daemon.environment.get("LD_PRELOAD"), library) if path)
        return (f'LD_PRELOAD={preload} exec {real} "$@"',
                rf"{NAME} was built for PHP {php.VERSION} and has loaded /\S*libphp\S*\.so, which is PHP 9\.9: "
                rf"install the packages libphp{php.VERSION}-embed and php{php.VERSION}-pool again")
    if case == "a library that is none":
        make_library(daemon.directory / "other", "libphp.so")
        return (f'LD_LIBRARY_PATH={daemon.directory}/other exec {real} "$@"',
                rf"{NAME} was built for PHP {php.VERSION} and finds a library of another "
                rf"\(\S+: undefined symbol: \w+\): install the packages libphp{php.VERSION}-embed and "
                rf"php{php.VERSION}-pool again")
    if case == "no library":
        broken = daemon.directory / NAME
        broken.write_bytes(real.read_bytes().replace(b"\0libphp.so\0", b"\0libphp.xy\0"))
        broken.chmod(0o755)
        return (f'exec {broken} "$@"',
                rf"{NAME} does not find the library of PHP {php.VERSION} \(libphp\.xy: cannot open shared object "
                rf"file: No such file or directory\): install the package libphp{php.VERSION}-embed")
    raise KeyError(case)


@pytest.mark.parametrize("case", ["another version", "a library that is none", "no library"])
def test_a_reload_to_a_broken_worker_is_refused(replaceable, real, case):
    code, why = break_worker(case, replaceable, real)
    run_worker(replaceable, replaceable.worker_dir, code)
    words = refused(replaceable)
    assert re.search(rf"{why}{OTHERWISE}$", words), words
    assert len(words.strip().splitlines()) == 1, words

    run_worker(replaceable, replaceable.worker_dir, f'exec {real} "$@"')
    replaceable.reload()
    assert replaceable.run(HELLO) == "hello"


@pytest.mark.parametrize("case", ["another version", "a library that is none", "no library"])
def test_a_start_with_a_broken_worker_fails(make_daemon, real, case):
    daemon = make_daemon(STATIC, worker=real)
    code, why = break_worker(case, daemon, real)
    run_worker(daemon, daemon.worker_dir, code)
    with daemon.failing() as status:
        assert status == 1
    assert re.search(rf"Pool www does not start: {why}{OTHERWISE}", daemon.logged()), daemon.logged()


@several
@pytest.mark.parametrize("version", php.ALL[:-1])
def test_the_library_of_another_php_that_is_there(replaceable, build_dir, real, version):
    """As where a link leads to the wrong one of those that a Debian has."""
    other = replaceable.directory / "other"
    other.mkdir()
    (other / "libphp.so").symlink_to((build_dir / "php" / version / "libphp.so").resolve())
    run_worker(replaceable, replaceable.worker_dir, f'LD_LIBRARY_PATH={other} exec {real} "$@"')
    words = refused(replaceable)
    assert re.search(rf"{NAME} was built for PHP {php.VERSION} and (finds a library of another|has loaded /\S+libphp"
                     rf"{version}\.so, which is PHP {version})", words), words
    assert len(words.strip().splitlines()) == 1, words


# ---- What they are linked with ----

@pytest.mark.parametrize("version", php.ALL)
def test_a_worker_finds_its_own_library(build_dir, version):
    worker = build_dir / f"daemon/php-pool-worker-{version}"
    result = subprocess.run(["ldd", worker], text=True, capture_output=True, check=True)
    found = re.search(r"libphp\.so => (\S+)", result.stdout)[1]
    assert os.path.samefile(os.path.dirname(found), build_dir / "php" / version)
    assert os.path.basename(os.path.realpath(found)) == f"libphp{version}.so"


def symbols(*options):
    output = subprocess.run(["nm", "--defined-only", *options], text=True, capture_output=True, check=True).stdout
    return {line.split()[2] for line in output.splitlines() if line.split()[1].isupper()}


@pytest.mark.parametrize("version", php.ALL)
def test_a_worker_is_in_no_functions_place(build_dir, version):
    """A function of its own with the name of one of libphp's would be called by libphp."""
    both = symbols(build_dir / f"daemon/php-pool-worker-{version}") & symbols(
        "-D", build_dir / f"php/{version}/libphp.so")
    assert not both - {"_init", "_fini", "_edata", "_end", "__bss_start"}
