# SPDX-License-Identifier: MIT
"""php-poolctl import: what it writes starts, and serves where PHP-FPM did, as PHP-FPM did."""

import pathlib
import re

import pytest

from lib import fastcgi
from lib.importer import POOLS, UNITS, serve
from lib.php import FPM_DIR, FPM_NAME, FPM_SERVICE, FPM_SOCKET, VERSION, at_least
from lib.wait import wait_until

SHIPPED = pathlib.Path(__file__).resolve().parents[2] / "conf.d" / "www.conf"
NO_NOTICE = 30711 if at_least(8, 4) else 32759  # E_ALL & ~E_NOTICE: E_STRICT is gone from 8.4 on
WHO = """<?php
echo json_encode([
    'user' => posix_getpwuid(posix_geteuid())['name'], 'group' => posix_getgrgid(posix_getegid())['name'],
    'ini' => php_ini_loaded_file(), 'cwd' => getcwd(), 'memory' => ini_get('memory_limit'),
    'agent' => ini_get('user_agent'), 'reporting' => error_reporting(), 'env' => getenv('QUOTED'),
    'plain' => getenv('PLAIN')]);"""


def test_debian(machine, importer):
    """
    Debian's own files, from php-fpm.conf on: the same socket, user and php.ini; nothing is lost. The pool
    file that php-pool comes with is in nobody's way.
    """
    machine.write(f"{POOLS}/www.conf", SHIPPED.read_text())  # other tests have removed it
    result = importer.run(f"{FPM_DIR}/php-fpm.conf")
    assert f"{FPM_DIR}/php-fpm.conf:" in result.stderr and "error_log" in result.stderr
    assert (f"systemctl disable --now {FPM_SERVICE}\n  # Leave the package php{VERSION}-fpm installed: "
            in result.stdout)
    importer.follow(result.stdout, "www")
    assert machine.show("php-pool.service", "ActiveState") == "active"
    machine.write("/srv/import/who.php", WHO)
    who = serve(fastcgi.connect_unix(machine.path(FPM_SOCKET)), "/srv/import/who.php")
    assert (who["user"], who["group"], who["ini"]) == ("www-data", "www-data", f"{FPM_DIR}/php.ini")
    owner = machine.run("stat", "-c", "%U:%G %a", FPM_SOCKET).stdout
    assert owner == "www-data:www-data 660\n"


def test_way_back(machine, importer):
    """The commands of php-pool(7): PHP-FPM has its socket again, and nothing of the import is left."""
    result = importer.run(f"{FPM_DIR}/php-fpm.conf")
    importer.follow(result.stdout, "www")
    machine.write("/srv/import/who.php", WHO)
    serve(fastcgi.connect_unix(machine.path(FPM_SOCKET)), "/srv/import/who.php")
    machine.run("sh", "-c", "systemctl list-units --all --plain --no-legend 'php-pool*@*' | awk '{ print $1 }' "
                "| xargs systemctl disable --now php-pool.service")
    assert machine.run("sh", "-c", f"ls {UNITS}/*.wants | grep php-pool", check=False).stdout == ""
    assert machine.run("test", "-e", FPM_SOCKET, check=False).returncode == 1
    machine.systemctl("enable", "--now", FPM_NAME)
    serve(fastcgi.connect_unix(machine.path(FPM_SOCKET)), "/srv/import/who.php")
    assert machine.show("php-pool@www.service", "ActiveState") == "inactive"


def test_one_pool_after_the_other(machine, importer):
    """The commands of php-pool(7): one pool moves, the other stays with PHP-FPM and its master."""
    moved = f"{FPM_DIR}/pool.d/shop.conf"
    machine.write(moved, f"[shop]\nuser = www-data\nlisten = /run/php/{FPM_NAME}-$pool.sock\npm = static\n"
                  "pm.max_children = 1\nphp_admin_value[user_agent] = shop\n")
    machine.write("/srv/import/who.php", WHO)
    try:
        machine.systemctl("start", FPM_NAME)
        importer.run(f"{FPM_DIR}/php-fpm.conf")
        machine.run("mv", moved, f"{moved}.moved")
        machine.systemctl("reload", FPM_NAME)
        wait_until(lambda: not machine.path(f"/run/php/{FPM_NAME}-shop.sock").exists(), what="PHP-FPM's socket gone")
        importer.start("shop")
        shop = fastcgi.connect_unix(machine.path(f"/run/php/{FPM_NAME}-shop.sock"))
        who = serve(shop, "/srv/import/who.php")
        assert who["agent"] == "shop" and int(machine.show("php-pool@shop.service", "MainPID")) > 0
        serve(fastcgi.connect_unix(machine.path(FPM_SOCKET)), "/srv/import/who.php")
        assert machine.show("php-pool@www.service", "MainPID") == "0"
    finally:
        machine.remove(moved, f"{moved}.moved")


def test_status_listen(machine, importer):
    """What is printed starts the status socket, too, and a monitor finds FPM's page where it was."""
    machine.write("/tmp/monitored.conf", "[global]\n[monitored]\nuser = www-data\n"
                  "listen = /run/monitored.sock\npm = static\npm.max_children = 1\npm.status_path = /status\n"
                  "pm.status_listen = 127.0.0.1:9125\nlisten.allowed_clients = 127.0.0.1\n")
    result = importer.run("/tmp/monitored.conf")
    importer.follow(result.stdout, "monitored")
    machine.write("/srv/import/who.php", WHO)
    serve(fastcgi.connect_unix(machine.path("/run/monitored.sock")), "/srv/import/who.php")
    status = serve(fastcgi.Connection(machine.tcp(9125)), "/status", query="json")
    assert status["pool"] == "monitored" and status["process manager"] == "static"


def test_home_stays_writable(machine, importer):
    """As in PHP-FPM, a pool writes to the home that its file names; other homes are read-only."""
    machine.run("mkdir", "-p", "/home/wild/tmp", "/home/other")
    machine.run("chown", "www-data", "/home/wild/tmp", "/home/other")
    try:
        machine.write("/tmp/wild.conf", "[global]\n[wild]\nuser = www-data\nlisten = /run/wild.sock\n"
                      "pm = ondemand\npm.max_children = 1\nphp_value[upload_tmp_dir] = /home/wild/tmp\n")
        importer.run("/tmp/wild.conf")
        importer.start("wild")
        machine.write("/srv/import/writable.php", "<?php echo json_encode(array_map('is_writable', "
                      "['/home/wild/tmp', '/home/other', '/etc']));")
        page = serve(fastcgi.connect_unix(machine.path("/run/wild.sock")), "/srv/import/writable.php")
        assert page == [True, False, False]
    finally:
        machine.remove("/home/wild", "/home/other")


def test_never_overwrites(machine, importer):
    machine.write(f"{POOLS}/www.conf", "pm = { max_children = 7; };\n")
    result = importer.run(f"{FPM_DIR}/pool.d/www.conf", status=1)
    assert f"{POOLS}/www.conf exists." in result.stderr and "--force" in result.stderr
    assert machine.read(f"{POOLS}/www.conf") == "pm = { max_children = 7; };\n"
    assert machine.run("test", "-e", f"{UNITS}/php-pool@www.service.d", check=False).returncode == 1

    importer.run("--force", f"{FPM_DIR}/pool.d/www.conf")
    result = importer.run(f"{FPM_DIR}/pool.d/www.conf", status=1)
    assert len(re.findall(r"exists\.$", result.stderr, re.MULTILINE)) == 3


def test_dry_run_writes_nothing(machine, importer):
    before = machine.run("find", POOLS, UNITS, "-printf", "%p %T@ %s\n").stdout
    result = importer.run("--dry-run", f"{FPM_DIR}/pool.d/www.conf")
    assert f"### {POOLS}/www.conf\n" in result.stdout
    assert f"### {UNITS}/php-pool@www.socket.d/import.conf\n" in result.stdout
    assert machine.run("find", POOLS, UNITS, "-printf", "%p %T@ %s\n").stdout == before


def test_output(machine, importer):
    importer.run("--output=/tmp/imported", f"{FPM_DIR}/pool.d/www.conf")
    assert "ListenStream=/run/php" in machine.read(f"/tmp/imported{UNITS}/php-pool@www.socket.d/import.conf")
    assert machine.run("test", "-e", f"{UNITS}/php-pool@www.socket.d", check=False).returncode == 1
    machine.remove("/tmp/imported")


@pytest.mark.parametrize("text, line", [
    ("[a]\nuser = b\npm = 'static\n", 3), ("[a]\nunknown = 1\n", 2), ("[a]\nuser = b\npm = static\n", 1),
    ("include = /tmp/included.conf\n", 2)])
def test_errors_name_file_and_line(machine, importer, text, line):
    machine.write("/tmp/included.conf", "[a]\npm.max_children = x\n")
    machine.write("/tmp/wrong.conf", text)
    result = importer.run("/tmp/wrong.conf", status=1)
    name = "included" if "include" in text else "wrong"
    assert re.match(rf"/tmp/{name}\.conf:{line}: ", result.stderr), result.stderr
    assert result.stdout == ""


def test_unreadable(importer):
    result = importer.run("/tmp/no-such-file.conf", status=1)
    assert "/tmp/no-such-file.conf" in result.stderr


def test_every_directive(machine, importer, source_dir):
    """A file with all of them: three pools, on TCP, with access control lists, in a root of its own."""
    machine.write("/tmp/every.conf", (source_dir / "tests/data/fpm/every.conf").read_text())
    machine.run("mkdir", "-p", "/srv/jail", "/srv/import")
    result = importer.run("/tmp/every.conf", status=5, environment="EVERY_TMP=/var")
    assert "/tmp/every.conf:96: apparmor_hat: not imported" in result.stderr
    assert "/tmp/every.conf:96: apparmor_hat: not imported" in machine.read(f"{POOLS}/jail.conf")
    importer.start("every", "acl", "jail")
    machine.write("/srv/import/who.php", WHO)
    machine.write("/srv/jail/who.php", WHO)

    who = serve(fastcgi.Connection(machine.tcp(9123)), "/srv/import/who.php")
    assert (who["user"], who["group"], who["memory"]) == ("www-data", "nogroup", "64M")
    assert who["agent"] == "it's every; \"quoted\"" and who["reporting"] == NO_NOTICE
    assert who["env"] == "a \"b\" 100% c\\d" and who["plain"] == "value"
    pid = machine.show("php-pool@every.service", "MainPID")
    assert machine.run("ps", "-o", "ni=", "-p", pid).stdout.strip() == "-3"
    assert machine.show("php-pool.slice", "TasksMax") == "27"

    acl = machine.run("getfacl", "-p", "/run/php/acl.sock").stdout
    assert "user:www-data:rw-" in acl and "group:www-data:rw-" in acl and "other::---" in acl
    for user, status in (("www-data", 0), ("nobody", 1)):
        command = ["runuser", "-u", user, "--",
                   "php-poolctl", "request", "--socket=/run/php/acl.sock", "acl", "/srv/import/who.php"]
        assert machine.run(*command, check=False).returncode == status

    who = serve(fastcgi.connect_unix(machine.path("/srv/jail.sock")), "/who.php")
    assert who["user"] == "daemon" and who["cwd"] == "/"


def test_accounts_that_are_root_by_another_name(machine, importer):
    """An account is its number: the name toor, or a user whose own group is root's, is refused like root."""
    rest = "listen = /run/r.sock\npm = static\npm.max_children = 1\n"
    machine.run("useradd", "--no-create-home", "--non-unique", "--uid", "0", "toor")
    machine.run("useradd", "--no-create-home", "--gid", "root", "rooted")
    try:
        for lines in ("user = toor", "user = rooted", "user = www-data\ngroup = root"):
            machine.write("/tmp/root.conf", f"[r]\n{lines}\n{rest}")
            result = importer.run("/tmp/root.conf", status=1)
            assert "scripts never run as root" in result.stderr, result
        assert machine.run("test", "-e", f"{POOLS}/r.conf", check=False).returncode == 1
        machine.write("/tmp/root.conf", f"[r]\nuser = rooted\ngroup = www-data\n{rest}")
        importer.run("/tmp/root.conf")
    finally:
        for user in ("toor", "rooted"):
            machine.run("sed", "-i", f"/^{user}:/d", "/etc/passwd", "/etc/shadow", "/etc/group")


ENVIRONMENT = {
    "PERCENT": "100% %n %%i", "DOLLAR": "a $HOME ${HOME} $", "BACKSLASH": "a\\b\\n\\x41 \\", "QUOTE": "\"a\" 'b'",
    "SPACES": "  a  b ", "SIGNS": "; # = & | <>*?", "UTF": "\u00e4\u20ac", "PATH": "/usr/bin:/bin",
    "TMPDIR": "/srv/tmp"}


def test_environment(machine, importer):
    """Values reach scripts as in PHP-FPM, whatever they hold; names that would steer the manager do not."""
    def line(name, value):
        if "'" not in value:
            return f"env[{name}] = '{value}'\n"
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'env[{name}] = "{quoted}"\n'
    machine.write("/tmp/environment.conf", "[global]\n[surroundings]\nuser = www-data\n"
                  "listen = /run/surroundings.sock\npm = static\npm.max_children = 1\n"
                  + "".join(line(*item) for item in ENVIRONMENT.items())
                  + "env[LD_PRELOAD] = /srv/x.so\nenv[RUNTIME_DIRECTORY] = /tmp/x\nenv[PHP_INI_SCAN_DIR] = /tmp\n")
    result = importer.run("/tmp/environment.conf", status=5)
    for name in ("LD_PRELOAD", "RUNTIME_DIRECTORY", "PHP_INI_SCAN_DIR"):
        assert f"env[{name}]: not imported: " in result.stderr
    importer.start("surroundings")
    machine.write("/srv/import/environment.php", "<?php echo json_encode(getenv());")
    seen = serve(fastcgi.connect_unix(machine.path("/run/surroundings.sock")), "/srv/import/environment.php")
    assert {name: seen.get(name) for name in ENVIRONMENT} == ENVIRONMENT
    assert "LD_PRELOAD" not in seen and seen.get("RUNTIME_DIRECTORY") != "/tmp/x"


SEEN = """<?php echo json_encode(['umask' => sprintf('%04o', umask()), 'secret' => getenv('APP_SECRET'),
    'file' => getenv('FROM_FILE'), 'other' => getenv('OTHER'), 'nice' => niceness(),
    'home' => is_writable('/home/unit')]);
function niceness() { return (int) explode(' ', file_get_contents('/proc/self/stat'))[18]; }"""


def test_what_administrators_wrote_for_the_unit(machine, importer):
    """
    Drop-ins of PHP-FPM's unit, below /etc and /run (systemctl edit --runtime): scripts have the same as there, and
    what is not carried over is named.
    """
    drop_ins = {f"{UNITS}/{FPM_SERVICE}.d/override.conf":
                "[Unit]\nAfter=mariadb.service\n[Service]\nUMask=0002\nEnvironment=APP_SECRET=abc\n"
                "EnvironmentFile=/etc/unit.env\nExecStartPre=/bin/true\nMemoryMax=1G\n",
                f"/run/systemd/system/{FPM_SERVICE}.d/90-runtime.conf":
                "[Service]\nNice=3\n# ours\nReadWritePaths= \\\n  /home/unit\n",
                f"{UNITS}/{FPM_SERVICE}.d/50-hidden.conf": "[Service]\nLimitNOFILE=2048\n"}
    pool = ("[unit]\nuser = www-data\nlisten = /run/unit.sock\npm = static\npm.max_children = 1\n"
            "clear_env = no\nenv[OTHER] = $APP_SECRET\n")
    machine.write("/etc/unit.env", "FROM_FILE=x\n")
    machine.run("install", "-d", "-o", "www-data", "/home/unit")
    machine.write("/srv/import/seen.php", SEEN)
    try:
        for path, text in drop_ins.items():
            machine.run("mkdir", "-p", path.rsplit("/", 1)[0])
            machine.write(path, text)
        machine.write(f"{FPM_DIR}/pool.d/unit.conf", pool)
        machine.systemctl("daemon-reload")
        machine.systemctl("start", FPM_SERVICE)
        there = serve(fastcgi.connect_unix(machine.path("/run/unit.sock")), "/srv/import/seen.php")
        machine.systemctl("stop", FPM_SERVICE)

        result = importer.run("--force", f"{FPM_DIR}/php-fpm.conf", status=5)
        place = f"{UNITS}/{FPM_SERVICE}.d/override.conf"
        assert f"{place}:7: ExecStartPre=: not carried over: " in result.stderr
        assert f"{place}:4: UMask=: carried over" in result.stderr
        assert f"{place}:8: MemoryMax=: carried over: PHP-FPM's pools had it together" in result.stderr
        importer.start("unit")
        here = serve(fastcgi.connect_unix(machine.path("/run/unit.sock")), "/srv/import/seen.php")
        assert here == there == {"umask": "0002", "secret": "abc", "file": "x", "other": "abc", "nice": 3,
                                 "home": True}
        shown = machine.run("systemctl", "show", "php-pool@unit.service", "-p", "MemoryMax,LimitNOFILE,After").stdout
        assert "MemoryMax=1073741824" in shown and "LimitNOFILE=2048" in shown and "mariadb.service" in shown
    finally:
        machine.remove(*drop_ins, f"{FPM_DIR}/pool.d/unit.conf", "/etc/unit.env", "/home/unit")
        machine.systemctl("daemon-reload")


def test_a_copy_of_the_unit(machine, importer):
    """systemctl edit --full: what differs from the package's file is an administrator's."""
    vendor = machine.run("cat", f"/lib/systemd/system/{FPM_SERVICE}").stdout
    copy = f"{UNITS}/{FPM_SERVICE}"
    try:
        machine.write(copy, vendor.replace("[Service]\n",
                                           "[Service]\nUMask=0027\nRestart=always\nTTYPath=/dev/tty9\n"))
        result = importer.run("--force", f"{FPM_DIR}/pool.d/www.conf", status=5)
        drop_in = machine.read(f"{UNITS}/php-pool@www.service.d/import.conf")
        assert "[Service]\nUMask=0027\nUser=www-data\n" in drop_in
        told = [line for line in result.stderr.split("\n") if line.startswith(copy)]
        assert [re.sub(r".*:\d+: (\w+)=: (\w+).*", r"\1 \2", line) for line in told] == [
            "UMask carried", "Restart nothing", "TTYPath not"]
    finally:
        machine.remove(copy)
        machine.systemctl("daemon-reload")


def test_a_pool_of_another_php(machine, importer):
    """It keeps its PHP: where that is not installed, import and check say so, and no pool starts with another."""
    machine.write("/etc/php/9.9/fpm/php-fpm.conf", "[global]\ninclude=/etc/php/9.9/fpm/pool.d/*.conf\n")
    machine.write("/etc/php/9.9/fpm/pool.d/www.conf", f"[www]\nuser = www-data\nlisten = {FPM_SOCKET}\npm = static\n"
                  "pm.max_children = 1\n")
    try:
        result = importer.run("/etc/php/9.9/fpm/php-fpm.conf", status=5)
        missing = rf"9\.9 is not installed here: there (is|are) [0-9., and]*\b{re.escape(VERSION)}\b[^;]*; " \
                  r"the newest that this php-pool knows is 8\.6\n"
        assert re.search(rf"^/etc/php/9\.9/fpm/php-fpm\.conf:1: php\.version: {missing}", result.stderr,
                         re.M), result.stderr
        pool_file = machine.read(f"{POOLS}/www.conf")
        for line in ('version = "9.9";', 'ini = "/etc/php/9.9/fpm/php.ini";',
                     'ini_scan_dir = "/etc/php/9.9/fpm/conf.d";'):
            assert line in pool_file
        result = machine.run("php-poolctl", "check", "www", check=False)
        assert result.returncode == 1
        assert re.search(rf"^{POOLS}/www\.conf:\d+: php\.version: {missing}", result.stderr, re.M), result.stderr

        # Another version with the ini files of that one is told.
        machine.write(f"{POOLS}/www.conf", pool_file.replace('"9.9"', f'"{VERSION}"'))
        machine.write("/etc/php/9.9/fpm/php.ini", "")
        machine.run("mkdir", "-p", "/etc/php/9.9/fpm/conf.d")
        result = machine.run("php-poolctl", "check", "www")
        for key, path in (("php.ini", "php.ini"), ("php.ini_scan_dir", "conf.d")):
            assert (f"warning: {key}: /etc/php/9.9/fpm/{path} is of PHP 9.9, and the pool runs PHP {VERSION}: "
                    f"/etc/php/{VERSION}/fpm/{path} would be that one's\n") in result.stderr
    finally:
        machine.remove("/etc/php/9.9")
