# SPDX-License-Identifier: MIT
"""The control socket as a unit: it is there exactly while its pool runs, and root's alone."""

import contextlib
import re
import socket
import threading
import time

import pytest

from lib import dbus
from lib.load import Load
from lib.php import VERSION
from lib.scripts import HELLO, LONG, SHORT, Running
from lib.wait import wait_until

SOCKET = "/run/php-pool/www.control.sock"
UNIT = "php-pool-control@www.socket"

# Everything that a script can try, as the user that the manager has too.
ATTACK = r"""<?php
$path = '/run/php-pool/' . $_GET['pool'] . '.control.sock';
$out = ['connect' => (bool) @stream_socket_client("unix://$path", $code, $error, 1)];
$out['unlink'] = @unlink($path);
$out['rename'] = @rename($path, '/run/php-pool/x');
$out['bind'] = (bool) @stream_socket_server("unix://$path");
$out['new'] = (bool) @stream_socket_server('unix:///run/php-pool/zzz.control.sock');
$out['directory'] = @mkdir('/run/php-pool/zzz');
$out['write'] = @file_put_contents('/run/php-pool/zzz', 'x') !== false;
foreach (range(3, 40) as $fd) {
    $stream = @fopen("php://fd/$fd", 'r+');
    $name = $stream ? (string) @stream_socket_get_name($stream, false) : '';
    if (str_contains($name, 'control')) $out["fd $fd"] = true;
}
echo implode(' ', array_keys(array_filter($out)));
"""


@contextlib.contextmanager
def hammering(path, threads=2):
    """Connects to the control socket again and again, as root; counts what came of it."""
    done, counts = threading.Event(), {"connected": 0, "refused": 0, "absent": 0}

    def hammer():
        while not done.is_set():
            with socket.socket(socket.AF_UNIX) as one:
                try:
                    one.settimeout(5)
                    one.connect(str(path))
                    counts["connected"] += 1
                except FileNotFoundError:
                    counts["absent"] += 1
                except OSError:
                    counts["refused"] += 1
            done.wait(0.0005)

    running = [threading.Thread(target=hammer, daemon=True) for _ in range(threads)]
    for thread in running:
        thread.start()
    try:
        yield counts
    finally:
        done.set()
        for thread in running:
            thread.join()


def gone(pool):
    return pool.active == "inactive" and not pool.machine.path(SOCKET).exists()


def test_there_while_the_pool_runs(machine, pool):
    assert not machine.path(SOCKET).exists(), "the pool's socket waits, the pool does not run"
    pool.start()
    assert machine.run("stat", "-c", "%A %U %G", SOCKET).stdout == "srw------- root root\n"
    assert machine.run("stat", "-c", "%A %U", "/run/php-pool").stdout == "drwxr-xr-x root\n"
    inode = machine.run("stat", "-c", "%i", SOCKET).stdout
    machine.systemctl("restart", pool.unit)
    pool.ctl("reload", "www")
    machine.run("kill", "-KILL", pool.manager)
    wait_until(lambda: pool.active == "active", what="the next manager")
    assert machine.run("stat", "-c", "%i", SOCKET).stdout == inode, "one socket all along"
    machine.systemctl("stop", pool.unit)
    wait_until(lambda: gone(pool), what="no control socket")
    assert machine.show(UNIT, "Result") == "success"


def test_the_log_does_not_speak_of_it(machine, pool):
    """A thousand pools that come and go have records of their services; not of this, unless it fails."""
    pool.start()
    pool.ctl("stop", "www")
    wait_until(lambda: machine.show(UNIT, "ActiveState") == "inactive", what="no control socket")
    assert machine.journal("-u", UNIT, since=pool.born) == []
    machine.run("mkdir", "-p", SOCKET)
    try:
        machine.systemctl("start", pool.unit, check=False)
        assert any("Failed" in r["MESSAGE"] for r in machine.journal("-u", UNIT, since=pool.born))
    finally:
        machine.run("rmdir", SOCKET)


def test_started_alone_it_does_nothing(machine, pool):
    machine.systemctl("start", UNIT)
    wait_until(lambda: machine.show(UNIT, "ActiveState") == "inactive", what="gone again")
    assert gone(pool) and machine.show(UNIT, "Result") == "success"


def test_connecting_starts_no_pool(machine, pool):
    """However a pool ends, and however many connect meanwhile: what was stopped stays so."""
    hello = pool.script("hello.php", HELLO)
    with hammering(machine.path(SOCKET)) as counts:
        for _ in range(10):
            assert pool.get(hello) == "hello"
            machine.systemctl("stop", pool.unit)
            starts = pool.show("InvocationID")
            wait_until(lambda: gone(pool), what="stopped")
            before = counts["absent"]
            wait_until(lambda: counts["absent"] > before + 20, what="attempts at no socket")
            assert gone(pool) and pool.show("InvocationID") == starts
    assert counts["connected"] > 0
    assert machine.show(UNIT, "Result") == "success"


def test_idle_exits_under_connections(machine):
    """Each is an end of its own, and none loses a request."""
    with machine.pool("www", 'idle_exit = "50ms"; pm = { mode = "static"; max_children = 2; };') as pool:
        hello = pool.script("hello.php", HELLO)
        with hammering(machine.path(SOCKET)) as counts:
            for _ in range(15):
                assert pool.get(hello) == "hello"
                wait_until(lambda: gone(pool), what="its end")
        assert counts["connected"] > 0
        assert pool.show("Result") == "success" and pool.show("NRestarts") == "0"
        assert machine.show(UNIT, "Result") == "success"


def test_restarts_and_kills_under_connections(machine, pool):
    """More starts than a unit has by default, and no request is lost."""
    short = pool.script("short.php", SHORT)
    with hammering(machine.path(SOCKET), threads=1), Load(lambda: pool.get(short), clients=4) as load:
        for _ in range(12):
            machine.systemctl("restart", pool.unit)
            load.wait_for(2)
        assert load.lost == [], load
    manager = pool.manager
    with hammering(machine.path(SOCKET), threads=1):
        machine.run("kill", "-KILL", manager)
        wait_until(lambda: pool.active == "active" and pool.manager not in (0, manager), what="the next manager")
    assert machine.show(UNIT, "ActiveState") == "active"
    assert pool.run(HELLO) == "hello" and pool.status()["state"] == "running"


def test_a_pool_that_does_not_start(machine, pool):
    """It is tried again and again, once a second, whoever connects; then it comes up. A reload is of no use to it."""
    machine.write(pool.file, "unknown = 1;\n")
    pool.machine.systemctl("start", "--no-block", pool.unit)
    with hammering(machine.path(SOCKET), threads=1):
        wait_until(lambda: int(pool.show("NRestarts")) >= 7, 30, "more starts than a unit has by default")
        begun, restarts = time.monotonic(), int(pool.show("NRestarts"))
        wait_until(lambda: int(pool.show("NRestarts")) >= restarts + 3, 30, "three starts")
        assert time.monotonic() - begun > 2
        assert machine.run("php-poolctl", "reload", "--all").stderr == ""
        result = machine.run("php-poolctl", "status", "www", check=False)
        assert result.returncode == 1 and "journalctl -u php-pool@www says why" in result.stderr, result
        machine.write(pool.file, "")
        wait_until(lambda: pool.active == "active", what="it runs")
    assert pool.run(HELLO) == "hello"
    machine.systemctl("stop", pool.unit)
    wait_until(lambda: gone(pool), what="stopped")


def test_stop_of_a_manager_that_has_ended(machine):
    """ExecStop= is run for it too, while its socket is still open: nobody waits there for an answer."""
    with machine.pool("www", 'idle_exit = "50ms";') as pool:
        begun = machine.journal_end()
        for _ in range(3):
            assert pool.run(HELLO) == "hello"
            wait_until(lambda: gone(pool), what="its end")
        assert pool.run(HELLO) == "hello"
        said = [r["MESSAGE"] for r in machine.journal("-u", pool.unit, since=begun)]
        assert "Pool www stops: it had nothing to do for idle_exit; its socket starts it again." in said
        assert not any("does not answer" in message or "ailed" in message for message in said), said


def test_no_script_reaches_it(machine, pool):
    attack = pool.script("attack.php", ATTACK)
    assert pool.get(attack, query="pool=www") == ""
    machine.systemctl("reload", pool.unit)
    assert pool.status()["generation"] == 2
    with machine.pool("shop") as shop:
        shop.start()
        assert pool.get(attack, query="pool=shop") == ""


def test_only_root_may_ask(machine, pool):
    pool.start()

    def as_user(*command):
        return machine.run("runuser", "-u", "www-data", "--", "php-poolctl", *command, check=False)

    for words, *command in (("get the status of", "status", "www"), ("reload", "reload", "www"),
                            ("stop", "stop", "www")):
        result = as_user(*command)
        assert (result.returncode, result.stderr) == (
            1, f"Failed to {words} pool www: only root may speak to a pool's manager.\n")
    result = as_user("reload", "--all")
    assert result.returncode == 1 and "1 of 1 pools did not reload: www\n" in result.stderr
    result = as_user("list")
    # What needs no answer of the manager: its state, and the PHP that its file asks for.
    line = rf"^www +active \(running\) +{re.escape(VERSION)} +- "
    assert result.returncode == 0 and re.search(line, result.stdout, re.M), result
    assert result.stderr == ("Pools without figures could not be asked: only root may speak to a pool's manager.\n")
    assert pool.active == "active" and pool.status()["generation"] == 1


# ---- What root runs for a pool ----

def test_a_root_directory_has_no_say(machine):
    """ExecReload= and ExecStop= are root's: what stands below a customer's directory is not what they run."""
    jail, evil = "/srv/jail", "#!/bin/sh\necho root >/pwned\n"
    machine.run("sh", "-c", f"mkdir -p {jail}/usr/bin {jail}/bin && cp -a /bin/sh {jail}/bin/ && mkdir -p "
                            f"{jail}/srv/www && ln -s usr/lib {jail}/lib; ln -s usr/lib64 {jail}/lib64; true")
    machine.write(f"{jail}/usr/bin/php-poolctl", evil, 0o755)
    binds = "/usr/lib /usr/lib64 /usr/sbin /usr/libexec /usr/share /etc /run/systemd/journal"
    service = (f"[Service]\nRootDirectory={jail}\nMountAPIVFS=yes\nBindReadOnlyPaths={binds}\n"
               "ExecStart=\nExecStart=/usr/sbin/php-poold %i\n")
    try:
        with machine.pool("www", service=service) as pool:
            pool.start()
            machine.systemctl("reload", pool.unit)
            assert pool.status()["generation"] == 2
            machine.systemctl("stop", pool.unit)
            assert pool.show("Result") == "success"
            assert machine.run("sh", "-c", f"ls /pwned {jail}/pwned", check=False).stdout == ""
    finally:
        machine.run("rm", "-rf", "--one-file-system", jail)


LIBRARY = """
#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void begin(void)
{
        if (geteuid() == 0)
                close(open("/pwned", O_CREAT | O_WRONLY, 0644));
}
"""


def test_an_environment_file_has_no_say(machine, tmp_path):
    """One that the application may write names no library that root loads."""
    machine.write("/srv/evil.c", LIBRARY)
    machine.run("cc", "-shared", "-fPIC", "-o", "/srv/evil.so", "/srv/evil.c")
    names = ("LD_PRELOAD", "LD_AUDIT")
    machine.write("/srv/app.env", "".join(f"{name}=/srv/evil.so\n" for name in names)
                  + "LD_DEBUG=all\nLD_DEBUG_OUTPUT=/pwned\nMAINPID=1\nRUNTIME_DIRECTORY=/srv\nAPP=mine\n")
    try:
        with machine.pool("www", service="[Service]\nEnvironmentFile=/srv/app.env\n") as pool:
            assert pool.run("<?php echo getenv('APP'), getenv('LD_PRELOAD');") == "mine/srv/evil.so"
            machine.systemctl("reload", pool.unit)
            assert pool.status()["generation"] == 2
            machine.systemctl("stop", pool.unit)
            assert pool.show("Result") == "success"
        assert machine.run("sh", "-c", "ls /pwned*", check=False).stdout == ""
    finally:
        machine.remove("/srv/evil.c", "/srv/evil.so", "/srv/app.env")


def test_as_a_dynamic_user(machine):
    # systemd would move what this machine has
    machine.run("rm", "-rf", "/var/log/php-pool/www", "/var/cache/php-pool/www")
    with machine.pool("www", service="[Service]\nUser=pool-www\nGroup=\nDynamicUser=yes\nPrivateUsers=yes\n") as pool:
        pool.start()
        machine.systemctl("reload", pool.unit)
        assert pool.status()["generation"] == 2
        machine.systemctl("stop", pool.unit)
        assert pool.show("Result") == "success"
    machine.run("rm", "-rf", "/var/log/private/php-pool", "/var/log/php-pool/www")


# ---- Who may be a pool ----

@pytest.mark.parametrize("service", [
    "User=\nGroup=\n", "User=root\n", "User=0\nGroup=www-data\n", "Group=root\n", "Group=0\n",
    "SupplementaryGroups=root\n"], ids=repr)
def test_no_pool_is_root(machine, service):
    with machine.pool("www", service=f"[Service]\n{service}") as pool:
        assert machine.systemctl("start", pool.unit, check=False).returncode != 0
        record = pool.logged(lambda r: "would run as root" in r["MESSAGE"])
        assert record["PRIORITY"] == "3" and record["MESSAGE_ID"] == "b752ef5e5e2b42f996929a6c8e696ea1"
        assert all(word in record["MESSAGE"] for word in ("User=", "Group=", "php-pool@www.service"))


def test_no_pool_has_the_name_of_a_socket(machine):
    """The unit refuses before it takes the path from the pool whose socket that is."""
    with machine.pool("x") as pool:
        machine.systemctl("start", "php-pool-status@x.socket")
        try:
            inode = machine.run("stat", "-c", "%i", "/run/php-pool/x.status.sock").stdout
            for unit in ("php-pool@x.status.socket", "php-pool@x.status.service",
                         "php-pool@x.control.socket", "php-pool@x.sock.socket"):
                assert machine.systemctl("start", unit, check=False).returncode != 0, unit
            machine.systemctl("reset-failed")
            assert machine.run("stat", "-c", "%i", "/run/php-pool/x.status.sock").stdout == inode
            machine.systemctl("restart", pool.unit)
            assert pool.status()["pool"] == "x"
        finally:
            machine.systemctl("stop", "php-pool-status@x.socket", pool.unit)


def test_files_that_no_pool_can_have(machine):
    files = [f"/etc/php-pool/conf.d/{name}.conf" for name in ("x.status", "y.sock", "a b", "-x")]
    for file in files:
        machine.write(file, "")
    machine.write("/etc/php-pool/conf.d/.hidden.conf", "")
    try:
        for command in (["check"], ["list"], ["list", "--json"]):
            result = machine.run("php-poolctl", *command, check=False)
            assert result.returncode == (1 if command == ["check"] else 0), result
            for file in files:
                assert re.search(rf"^{re.escape(file)}: no pool can be called \".*\": ", result.stderr, re.M), result
            assert "hidden" not in result.stderr and "x.status" not in result.stdout
        for verb in ("status", "reload", "stop", "top", "check"):
            result = machine.run("php-poolctl", verb, "x.status", check=False)
            assert result.returncode == 4 and result.stderr.startswith('No pool can be called "x.status": '), result
        result = machine.run("php-poolctl", "request", "x.status", "/x.php", check=False)
        assert result.returncode == 4 and result.stderr.startswith('No pool can be called "x.status": '), result
    finally:
        machine.remove(*files, "/etc/php-pool/conf.d/.hidden.conf")


# ---- All pools ----

@contextlib.contextmanager
def evil(machine, behave, names=("evil",)):
    """Pools that run, and of which something else answers."""
    unit = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n"
    units = [f"php-pool@{name}.service" for name in names]
    files = [f"/etc/php-pool/conf.d/{name}.conf" for name in names] + [f"/etc/systemd/system/{unit}" for unit in units]
    with contextlib.ExitStack() as stack:
        for file in files:
            machine.write(file, 'reload = { start_timeout = "1s"; };\n' if file.endswith(".conf") else unit)
        machine.systemctl("daemon-reload")
        machine.systemctl("start", *units)
        for name in names:
            stack.enter_context(dbus.Peer(machine.path(f"/run/php-pool/{name}.control.sock"), behave))
        try:
            yield
        finally:
            machine.systemctl("stop", *units)
            machine.remove(*files)
            machine.systemctl("daemon-reload")


# Far beyond what php-poolctl waits, as a busy machine has its share in it, and far below "for ever".
@pytest.mark.parametrize("behave, seconds", [
    (dbus.silent, 60), (dbus.closes, 60), (dbus.garbage, 60), (dbus.never_answers, 75),
    (dbus.garbage_for_an_answer, 60), (dbus.fails_with("no\nno"), 60),
    (dbus.fails_with("x", "System.Error.ENOENT"), 60), (dbus.only_says_that_it_lives, 100)],
    ids=lambda value: getattr(value, "__name__", ""))
def test_one_pool_keeps_no_other_from_its_reload(machine, behave, seconds):
    """Those before and behind it are reloaded; in the end it is said which were not, and it is a failure."""
    with machine.pool("a") as a, machine.pool("z") as z, evil(machine, behave):
        machine.systemctl("start", "php-pool.service", a.unit, z.unit)
        begun = time.monotonic()
        result = machine.systemctl("reload", "php-pool.service", check=False, timeout=300)
        assert result.returncode != 0 and time.monotonic() - begun < seconds
        assert a.status()["generation"] == z.status()["generation"] == 2
        records = machine.journal("-u", "php-pool.service", "-p", "err", since=a.born)
        said = [r["MESSAGE"] for r in records if r["SYSLOG_IDENTIFIER"] == "php-pool"]
        assert said[-1] == "1 of 3 pools did not reload: evil", said
        assert all("ool evil" in message for message in said[:-1]) and len(said) > 1, said
        assert machine.show("php-pool.service", "ActiveState") == "active"
        machine.systemctl("stop", "php-pool.service")


def test_the_sum_of_a_reload(machine):
    with machine.pool("good") as good, evil(machine, dbus.garbage, ("b", "c", "d")):
        good.start()
        result = machine.run("php-poolctl", "reload", "--all", check=False)
        assert result.returncode == 1
        assert result.stderr.splitlines()[-1] == "3 of 4 pools did not reload: b, c, d"
        assert good.status()["generation"] == 2


def test_a_reload_of_the_pools_of_one_php(machine, pool):
    """As an upgrade of that PHP asks for; others are left alone, one that says nothing is not."""
    pool.start()
    assert machine.run("php-poolctl", "reload", "--all", "--php=8.1").stdout == "0 pools reloaded\n"
    assert pool.status()["generation"] == 1
    assert machine.run("php-poolctl", "reload", "--all", f"--php={VERSION}").stdout == "1 pool reloaded\n"
    assert pool.status()["generation"] == 2
    with evil(machine, dbus.garbage, ("mute",)):
        result = machine.run("php-poolctl", "reload", "--all", "--php=8.1", check=False)
        assert result.returncode == 1 and result.stderr.splitlines()[-1] == "1 of 1 pools did not reload: mute"
    assert pool.status()["generation"] == 2
    for wrong in (["--all", "--php=8"], ["--all", "--php="], ["www", f"--php={VERSION}"]):
        result = machine.run("php-poolctl", "reload", *wrong, check=False)
        assert (result.returncode, pool.status()["generation"]) == (2, 2), result


def test_a_reload_of_all_meets_a_pool_that_stops(machine):
    """That one needs none: systemd says that it stops."""
    with machine.pool("slow") as slow, machine.pool("z") as z:
        running = Running(slow, slow.script("long.php", LONG))
        z.start()
        with machine.start("systemctl", "stop", slow.unit) as stop:
            wait_until(lambda: slow.active == "deactivating" and slow.status()["state"] == "draining", what="draining")
            result = machine.run("php-poolctl", "reload", "--all", check=False)
            assert (result.returncode, result.stderr) == (0, "")
            assert running.finish() and stop.wait(30) == 0
        assert z.status()["generation"] == 2


def test_all_units_have_a_bound(machine, pool):
    pool.start()
    for unit in (pool.unit, "php-pool.service"):
        assert machine.show(unit, "TimeoutStartUSec") == "1min 30s"
        assert machine.show(unit, "TimeoutStopUSec") != "infinity"


# ---- Units of before ----

def test_an_update_from_units_without_it(machine, pool):
    """The pool runs with units that know no control socket, then those of now come: a restart brings it."""
    text = machine.read("/lib/systemd/system/php-pool@.service")
    old = re.sub(r" php-pool-control@%i\.socket|^RootDirectoryStartOnly.*\n", "", text, flags=re.M)
    old = re.sub(r"=\+\S+/php-pool-clean ", "=", old).replace(
        "[Service]\n", "[Service]\nRuntimeDirectory=php-pool/%i\n")
    override = "/etc/systemd/system/php-pool@.service"
    machine.write(override, old)
    machine.systemctl("daemon-reload")
    try:
        assert pool.run(HELLO) == "hello"
        assert not machine.path(SOCKET).exists()
        record = pool.logged(lambda r: "no control socket" in r["MESSAGE"])
        assert record["PRIORITY"] == "4" and "daemon-reload" in record["MESSAGE"]
    finally:
        machine.remove(override)
        machine.systemctl("daemon-reload")
    result = machine.systemctl("reload", pool.unit, check=False)
    assert result.returncode != 0 and pool.run(HELLO) == "hello"
    pool.logged(lambda r: "cannot reload" in r["MESSAGE"])
    running = Running(pool, pool.script("long.php", LONG))
    machine.systemctl("restart", pool.unit)
    assert running.finish()
    machine.systemctl("reload", pool.unit)
    assert pool.status()["generation"] == 2
