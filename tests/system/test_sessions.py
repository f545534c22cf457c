# SPDX-License-Identifier: MIT
"""Session files live as long as the pool's own gc_maxlifetime says, under Debian's own phpsessionclean.service."""

import pytest

from lib import php
from lib.wait import wait_until

DEFAULT = "/var/lib/php/sessions"
OWN = "/srv/sessions"
INI = f"{php.EMBED_DIR}/php.ini"
CLEAN = "/etc/systemd/system/phpsessionclean.service.d"

# Debian's script goes by the time of change, which nobody can set: for it, 24 minutes begin with the test's mark.
FIND = """#!/bin/bash
args=()
for arg; do
    if [ "$arg" = -cmin ]; then skip=1; args+=('!' -newerct "@$(cat /srv/fake/mark)")
    elif [ -n "$skip" ]; then skip=
    else args+=("$arg")
    fi
done
exec /usr/bin/find "${args[@]}"
"""


@pytest.fixture
def clean(machine, pool):
    """Runs phpsessionclean.service as if 24 minutes had passed since files were made."""
    # One of the machine's own: in that which it shares with this one, sessions come and go.
    machine.run("sh", "-c", f"rm -rf {DEFAULT} && install -d -m 1733 {DEFAULT}")
    machine.run("mkdir", "-p", "/srv/fake", CLEAN, OWN)
    machine.run("chown", "www-data", OWN)
    machine.write("/srv/fake/find", FIND)
    machine.run("chmod", "+x", "/srv/fake/find")
    machine.write(f"{CLEAN}/test.conf", "[Service]\nEnvironment=PATH=/srv/fake:/usr/sbin:/usr/bin:/sbin:/bin\n")
    machine.run("cp", "-a", INI, "/srv/php.ini")
    machine.systemctl("daemon-reload")

    def run():
        machine.run("sh", "-c", "date +%s.%N > /srv/fake/mark")
        machine.systemctl("start", "phpsessionclean.service")
    try:
        yield run
    finally:
        machine.run("sh", "-c", f"mv /srv/php.ini {INI}; rm -f {DEFAULT}/sess_*")
        machine.remove("/srv/fake", CLEAN, OWN)
        machine.systemctl("daemon-reload")


def make(machine, directory, name, minutes, owner="www-data"):
    """A session that was last used so many minutes ago."""
    path = f"{directory}/sess_{name}"
    machine.run("sh", "-c", f"mkdir -p {directory} && touch -d '{minutes} minutes ago' {path} && chown {owner} {path}")


def sessions(machine, directory):
    listed = machine.run("find", directory, "-name", "sess_*", "-printf", "%f\n").stdout
    return {name.removeprefix("sess_") for name in listed.split()}


def test_longer_than_others(machine, clean):
    """embed/php.ini has two hours, PHP-FPM's and the others' 24 minutes; each user's files have their own time."""
    machine.run("sed", "-i", "s/^session.gc_maxlifetime = .*/session.gc_maxlifetime = 7200/", INI)
    for name, minutes, owner in (("young", 30, "www-data"), ("new", 0, "www-data"), ("old", 180, "www-data"),
                                 ("other", 30, "nobody")):
        make(machine, DEFAULT, name, minutes, owner)
    used = machine.run("stat", "-c", "%Y", f"{DEFAULT}/sess_young").stdout
    clean()
    assert sessions(machine, DEFAULT) == {"young", "new"}
    assert machine.run("stat", "-c", "%Y", f"{DEFAULT}/sess_young").stdout == used
    machine.run("touch", "-d", "3 hours ago", f"{DEFAULT}/sess_young")
    clean()
    assert sessions(machine, DEFAULT) == {"new"}


@pytest.mark.parametrize("key", ["value", "admin_value"])
def test_by_the_pool_file(machine, pool, clean, key):
    pool.configure(f'php = {{ {key} = [ "session.gc_maxlifetime=7200" ]; }};')
    make(machine, DEFAULT, "young", 30)
    make(machine, DEFAULT, "old", 180)
    clean()
    assert sessions(machine, DEFAULT) == {"young"}


def test_a_directory_of_its_own(machine, pool, clean):
    """Debian has PHP's own cleaning off, and sessionclean does not know the directory."""
    pool.configure(f'php = {{ value = [ "session.save_path=\'2;{OWN}\'", "session.gc_maxlifetime=600" ]; }};')
    for name, minutes, owner in (("young", 5, "www-data"), ("old", 20, "www-data"), ("others", 20, "nobody")):
        make(machine, OWN, name, minutes, owner)
    make(machine, f"{OWN}/a/b", "deep", 20)
    machine.run("ln", "-s", "/etc/hostname", f"{OWN}/sess_link")
    machine.run("touch", "-d", "1 hour ago", "/etc/hostname")
    clean()
    assert sessions(machine, OWN) == {"young", "others", "link"}
    assert machine.read("/etc/hostname")


def test_only_directories_of_sessions_are_gone_through(machine, pool, clean):
    """The user may have put a link to anywhere in the place of its directory."""
    pool.configure(f'php = {{ value = [ "session.save_path={OWN}/link", "session.gc_maxlifetime=600" ]; }};')
    machine.run("ln", "-s", "/srv/elsewhere", f"{OWN}/link")
    try:
        make(machine, "/srv/elsewhere/a", "old", 20)
        make(machine, "/srv/elsewhere/other", "others", 20)
        clean()
        assert sessions(machine, "/srv/elsewhere") == {"others"}
    finally:
        machine.remove("/srv/elsewhere")


def test_php_cleans_itself(machine, pool, clean):
    pool.configure(f'php = {{ value = [ "session.save_path={OWN}", "session.gc_maxlifetime=600", '
                   '"session.gc_probability=1" ]; };')
    make(machine, OWN, "old", 20)
    clean()
    assert sessions(machine, OWN) == {"old"}


def test_other_handlers_have_no_files(machine, pool, clean):
    pool.configure(f'php = {{ value = [ "session.save_path={OWN}", "session.save_handler=redis" ]; }};')
    make(machine, OWN, "old", 60)
    clean()
    assert sessions(machine, OWN) == {"old"}


def test_the_longest_of_a_user_counts(machine, pool, clean):
    """Two pools of one user cannot be told apart by their files."""
    pool.configure('php = { value = [ "session.gc_maxlifetime=60" ]; };')
    with machine.pool("other") as other:
        other.configure('php = { value = [ "session.gc_maxlifetime=7200" ]; };')
        make(machine, DEFAULT, "young", 30)
        clean()
        assert sessions(machine, DEFAULT) == {"young"}


@pytest.mark.parametrize("conf, error", [("nonsense", "Invalid argument"),
                                         ('php = { ini_scan_dir = "/srv/many"; };', "Argument list too long")])
def test_a_wrong_pool_is_left_out(machine, pool, clean, conf, error):
    """It comes first, and what is wrong with it, or in a directory of its user's, harms nobody else. It is said."""
    machine.run("mkdir", "-p", "/srv/many")
    machine.write("/srv/many/many.ini", "a = b\n" * 20000)
    machine.write("/etc/php-pool/conf.d/a-wrong.conf", conf)
    begun = machine.journal_end()
    try:
        pool.configure('php = { value = [ "session.gc_maxlifetime=7200" ]; };')
        make(machine, DEFAULT, "young", 30)
        clean()
        assert sessions(machine, DEFAULT) == {"young"}
        said = wait_until(lambda: [r["MESSAGE"] for r in machine.journal("-u", "phpsessionclean", since=begun)
                                   if "a-wrong" in r["MESSAGE"]], what="what is wrong")
        assert said == ['The sessions of pool a-wrong are left out, see "php-poolctl check a-wrong": ' + error]
    finally:
        machine.remove("/etc/php-pool/conf.d/a-wrong.conf", "/srv/many")
