# SPDX-License-Identifier: MIT
"""A pool's own /tmp and /var/tmp: how long files stay there, who sees them, and where they are."""

import json

import pytest

from lib.manual import examples
from lib.scripts import HELLO
from lib.wait import wait_until

LEAVE = "<?php foreach (['/tmp/', '/var/tmp/'] as $d) file_put_contents($d . '%s', $d);"
LOOK = """<?php
foreach (['/tmp', '/var/tmp'] as $d)
    $out[] = array_values(array_diff(scandir($d), ['.', '..']));
echo json_encode($out);
"""
VISITS = """<?php
session_save_path('/tmp');
session_id('visitor');
session_start();
echo ++$_SESSION['visits'];
"""
CONF = "/usr/lib/tmpfiles.d/php-pool.conf"


@pytest.fixture
def www(machine):
    with machine.pool("www") as pool:
        yield pool


def leave(pool, name):
    pool.run(LEAVE % name, "leave.php")


def look(pool):
    return json.loads(pool.run(LOOK, "look.php"))


def directory(pool, name="tmp"):
    return f"/var/cache/php-pool/{pool.name}/{name}"


def test_files_outlive_a_restart(www):
    leave(www, "kept")
    www.machine.systemctl("restart", www.unit)
    assert look(www) == [["kept"], ["kept"]]


def test_a_session_outlives_an_idle_exit(machine):
    with machine.pool("idle", 'idle_exit = "100ms";') as pool:
        for visit in "123":
            assert pool.run(VISITS) == visit
            wait_until(lambda: pool.active == "inactive", what="no pool")


def test_a_reload_keeps_them(www):
    leave(www, "kept")
    www.ctl("reload", "www")
    assert look(www) == [["kept"], ["kept"]]


def test_pools_of_one_user_stay_apart(machine, www):
    with machine.pool("www.de") as other:
        leave(www, "mine")
        leave(other, "yours")
        assert look(www) == [["mine"]] * 2 and look(other) == [["yours"]] * 2
        assert "mine" not in machine.run("ls", "/tmp", "/var/tmp").stdout
        mode = machine.run("stat", "-c", "%A %U", directory(other), directory(other, "var-tmp")).stdout
        assert mode.splitlines() == ["drwx------ www-data"] * 2


def test_who_cleans_finds_them(machine):
    with machine.pool("clean") as pool:
        leave(pool, "mine")
        machine.systemctl("stop", pool.socket_unit, pool.unit)
        machine.systemctl("clean", "--what=cache", pool.unit)
        assert machine.run("ls", f"/var/cache/php-pool/{pool.name}").stdout == ""
        machine.systemctl("start", pool.socket_unit)
        assert look(pool) == [[], []]


# With PrivateTmp=, as php-pool(7) says for systemd 257.
DYNAMIC = "[Service]\nDynamicUser=yes\nPrivateTmp=yes\nUser=\nGroup=\n"


@pytest.mark.parametrize("dynamic", [False, True])
def test_boot_empties_tmp(machine, dynamic):
    with machine.pool("boot", service=DYNAMIC if dynamic else "") as pool:
        for name in ("plain", ".hidden", "..odd"):
            leave(pool, name)
        pool.run(f"<?php symlink('{pool.scripts}', '/tmp/link'); mkdir('/tmp/below'); touch('/tmp/below/file');")
        machine.systemctl("stop", pool.unit)
        machine.run("systemd-tmpfiles", "--remove", CONF)  # as an update of a package does
        assert len(machine.run("ls", "-A", directory(pool)).stdout.split()) == 5
        machine.run("systemd-tmpfiles", "--boot", "--remove", CONF)
        assert machine.run("ls", "-A", directory(pool)).stdout == ""
        assert len(machine.run("ls", "-A", directory(pool, "var-tmp")).stdout.split()) == 3
        assert machine.run("ls", pool.scripts).stdout.split() == ["leave.php", "page.php"]  # behind the link
        assert pool.run(HELLO) == "hello"


@pytest.mark.parametrize("dynamic", [False, True])
def test_both_age(machine, dynamic):
    with machine.pool("old", service=DYNAMIC if dynamic else "") as pool:
        leave(pool, "old")
        machine.run("systemd-tmpfiles", "--clean", CONF)
        assert look(pool) == [["old"]] * 2
        aged = machine.read(CONF)
        assert aged.count(" 10d\n") == aged.count(" 30d\n") == 2
        machine.write("/run/aged.conf", aged.replace("10d", "0").replace("30d", "0"))
        machine.run("systemd-tmpfiles", "--clean", "/run/aged.conf")
        assert look(pool) == [[], []]


def test_another_user_later(machine):
    """What the pool left is its new user's."""
    with machine.pool("moved") as pool:
        leave(pool, "mine")
        machine.systemctl("stop", pool.unit)
        pool.configure(service="[Service]\nUser=nobody\nGroup=nogroup\n")
        assert pool.run("<?php echo file_put_contents('/tmp/mine', 'changed');", "change.php") == "7"
        pool.configure(service=DYNAMIC)
        machine.systemctl("restart", pool.unit)
        assert pool.run("<?php echo file_get_contents('/tmp/mine'), unlink('/tmp/mine');", "read.php") == "changed1"


def test_below_a_root_of_its_own(machine):
    binds = ("/usr -/bin -/lib -/lib64 -/etc/php /etc/php-pool /etc/passwd /etc/group /etc/nsswitch.conf "
             "/run/systemd/journal")
    service = f"[Service]\nRootDirectory=/srv/root\nBindReadOnlyPaths={binds}\nBindPaths=/srv/jail\n"
    machine.run("mkdir", "-p", "/srv/root")
    with machine.pool("jail", service=service) as pool:
        leave(pool, "mine")
        assert machine.read(f"{directory(pool)}/mine") == "/tmp/"
        assert look(pool) == [["mine"]] * 2
    machine.remove("/srv/root")


@pytest.fixture
def printed():
    """What php-pool(7) has to say about these directories."""
    clean, variable, view, machines, shared = examples("php-pool.7", "SANDBOX", "/tmp and /var/tmp")
    return {"clean": clean, "variable": variable, "view": view, "machines": machines, "shared": shared}


@pytest.mark.parametrize("way", ["variable", "view"])
def test_a_cron_job_shares_them(machine, www, printed, way):
    """One as the pool's user with the variable, and one that root starts, with /tmp by its name."""
    place = {"variable": "sys_get_temp_dir()", "view": "'/tmp'"}[way]
    leave(www, "mine")
    machine.write("/srv/shop/cron.php", f"<?php echo file_get_contents({place} . '/mine'), get_current_user();"
                                        f"file_put_contents({place} . '/cron', getmyuid());")
    user = ["runuser", "-u", "www-data", "--"] if way == "variable" else []
    assert machine.run(*user, "sh", "-c", printed[way]).stdout.startswith("/tmp/")
    assert sorted(look(www)[0]) == ["cron", "mine"]
    machine.remove("/srv/shop")


def test_the_printed_command_empties_both(machine, www, printed):
    leave(www, "mine")
    machine.systemctl("stop", www.unit)
    machine.run("sh", "-c", printed["clean"])
    assert look(www) == [[], []]


def test_the_machines_own_by_the_printed_drop_in(machine, printed):
    machine.write("/tmp/machines", "")
    with machine.pool("all", service=printed["machines"]) as pool:
        assert "machines" in look(pool)[0]
        pool.run("<?php touch('/tmp/pools');")
        machine.run("test", "-e", "/tmp/pools")
    machine.remove("/tmp/machines", "/tmp/pools")


def test_two_pools_share_one_by_the_printed_drop_in(machine, www, printed):
    leave(www, "first")
    with machine.pool("second", service=printed["shared"]) as second:
        assert look(second)[0] == ["first"]
        leave(second, "second")
        assert sorted(look(www)[0]) == ["first", "second"]
        assert look(www)[1] == ["first"]
