# SPDX-License-Identifier: MIT
"""php-poolctl check and import look at the paths that settings name, as the pool's user and its sandbox would."""

import pytest

POOLS = "/etc/php-pool/conf.d"
UNITS = "/etc/systemd/system"
SERVICE = f"{UNITS}/php-pool@places.service.d"
INI = "/srv/places/php.ini"


@pytest.fixture
def places(machine):
    """A pool `places`, which does not run; the function checks it with these lines."""
    machine.run("install", "-d", "-o", "www-data", "/srv/places/good", "/home/places")
    machine.run("install", "-d", "-m", "0700", "/srv/places/roots")
    machine.run("mkdir", "-p", SERVICE)

    def check(conf, drop_in="", status=0):
        machine.write(f"{POOLS}/places.conf", conf)
        machine.write(f"{SERVICE}/override.conf", drop_in)
        result = machine.run("php-poolctl", "check", "places", check=False)
        assert result.returncode == status, result
        return result.stderr
    try:
        yield check
    finally:
        machine.remove(f"{POOLS}/places.conf", SERVICE, "/srv/places", "/home/places")


WARNINGS = {
    "upload_tmp_dir=/usr/share/up": "the sandbox has /usr read-only; write ReadWritePaths=/usr/share/up to a drop-in "
                                    "of php-pool@places.service",
    "session.save_path=/home/places/s": "the sandbox has /home read-only; write ReadWritePaths=/home/places/s",
    "error_log=/etc/php.log": "the sandbox has /etc read-only",
    "mail.log=/boot/mail.log": "the sandbox has /boot read-only",
    "session.save_path=/tmp": "is in the pool's own /tmp: other programs find it as /var/cache/php-pool/places/tmp",
    "session.save_path='2;0700;/srv/places/none'": "/srv/places/none is not there; make it: install -d -o www-data -g "
                                                   "www-data -m 0700 /srv/places/none",
    "upload_tmp_dir=/srv/places/roots": "cannot be written by www-data",
    "sys_temp_dir=/srv/places/roots/x": "cannot be written by www-data",
    "error_log=/srv/places/roots/log": "cannot be written by www-data",
    "error_log=/srv/places/none/log": "is not there, nor is its directory; make that: install -d -o www-data -g "
                                      "www-data -m 0700 /srv/places/none\n",
    "mail.log=/dev/stderr": "is no file: standard error of a pool is a socket of the journal",
    "xdebug.log=/proc/self/fd/2": "is no file: standard error of a pool is a socket of the journal",
    "upload_tmp_dir=/etc/passwd": "the sandbox has /etc read-only",
    "soap.wsdl_cache_dir=/srv/places/php.ini": "is no directory",
    "auto_prepend_file=/srv/places/none.php": "is not there",
    "curl.cainfo=/srv/places/roots/ca.pem": "cannot be read by www-data",
}
SILENT = ["upload_tmp_dir=/srv/places/good", "session.save_path=/var/lib/php/sessions", "error_log=syslog",
          "error_log=",
          "error_log=/srv/places/good/new.log", "upload_tmp_dir=", "error_log=relative.log",
          "error_log=/dev/stderr", "error_log=/proc/self/fd/2", "auto_prepend_file=/etc/hostname",
          "curl.cainfo=/etc/ssl/certs/ca-certificates.crt"]


@pytest.mark.parametrize("value", WARNINGS)
def test_warnings(machine, places, value):
    machine.write(INI, "")
    text = places(f'php = {{ admin_value = [ "{value}" ]; }};')
    name = value.split("=")[0]
    assert text.startswith(f"{POOLS}/places.conf: warning: php.admin_value: {name}: /"), text
    assert WARNINGS[value] in text and text.count("\n") == 1


@pytest.mark.parametrize("value", SILENT)
def test_what_works_is_not_told(places, value):
    assert places(f'php = {{ admin_value = [ "{value}" ]; }};') == ""


def test_drop_ins_count(machine, places):
    """ReadWritePaths=, another user, groups and access control lists silence it."""
    conf = 'php = { value = [ "upload_tmp_dir=%s" ]; };'
    assert places(conf % "/home/places", "[Service]\nReadWritePaths=/home/places\n") == ""
    assert places(conf % "/home/places", "[Service]\nProtectHome=no\n") == ""
    assert "read-only" in places(conf % "/home/places", "[Service]\nReadWritePaths=/home/other\n")
    assert places(conf % "/tmp", "[Service]\nBindPaths=\n") == ""
    assert "by nobody" in places(conf % "/srv/places/good", "[Service]\nUser=nobody\nGroup=nogroup\n")
    machine.run("chown", "root:games", "/srv/places/roots")
    machine.run("chmod", "0770", "/srv/places/roots")
    assert "by www-data" in places(conf % "/srv/places/roots")
    assert places(conf % "/srv/places/roots", "[Service]\nSupplementaryGroups=games\n") == ""
    machine.run("setfacl", "-m", "u:www-data:rwx", "/srv/places/good")
    machine.run("chown", "root:root", "/srv/places/good")
    assert places(conf % "/srv/places/good") == ""
    machine.run("ln", "-s", "/home/places", "/srv/places/link")
    assert "the sandbox has /home read-only" in places(conf % "/srv/places/link")


def test_ini_files_are_read(machine, places):
    """php.ini, the files beside it and the pool file's own lines: the last one counts, and is named."""
    machine.run("mkdir", "-p", "/srv/places/conf.d")
    machine.write(INI, "upload_tmp_dir = /usr/a\n[HOST=x]\nupload_tmp_dir = /usr/host\n")
    conf = f'php = {{ ini = "{INI}"; ini_scan_dir = "/srv/places/conf.d"; %s }};'
    assert places(conf % "").startswith(f"{INI}: warning: upload_tmp_dir: /usr/a cannot be written")
    machine.write("/srv/places/conf.d/10-x.ini", "upload_tmp_dir=/usr/b\n")
    machine.write("/srv/places/conf.d/20-x.txt", "upload_tmp_dir=/usr/c\n")
    assert places(conf % "").startswith("/srv/places/conf.d/10-x.ini: warning: upload_tmp_dir: /usr/b ")
    assert places(conf % 'value = [ "upload_tmp_dir=/srv/places/good" ];') == ""


# What a reload refuses, too.
FATAL = {
    'php = { ini = "/srv/places/none.ini"; };': "php.ini: /srv/places/none.ini is not there",
    'php = { ini = "/srv/places/roots/php.ini"; };': "php.ini: /srv/places/roots/php.ini cannot be read by www-data",
    'php = { ini = "/srv/places/broken.ini"; };': "/srv/places/broken.ini:2: is no ini file: ",
    'security = { script_root = "/srv/places/none"; };': "security.script_root: /srv/places/none is not there",
    'access = { log = "/srv/places/roots/a.log"; };':
        "access.log: /srv/places/roots/a.log cannot be written by www-data",
    'access = { log = "/usr/a.log"; };': "access.log: /usr/a.log cannot be written: the sandbox has /usr read-only",
    'php = { admin_value = [ "zend_extension=none.so" ]; };': "/none.so is not there",
    'reload = { warmup = [ "/srv/places/none.php" ]; };': "reload.warmup: /srv/places/none.php is not there",
    'php = { admin_value = [ "opcache.preload=/srv/places/none.php" ]; };':
        "opcache.preload: /srv/places/none.php is not",
}


@pytest.mark.parametrize("conf", FATAL)
def test_check_and_reload_refuse_alike(machine, pool, places, conf):
    """What keeps PHP from starting is an error of check, and the reload has it, too."""
    machine.write("/srv/places/broken.ini", "a=1\nb=(\n")
    pool.start()
    text = places(conf, status=1)
    assert FATAL[conf] in text and "warning" not in text
    before = machine.read(pool.file)
    machine.write(pool.file, conf)
    try:
        assert pool.ctl("reload", "www", check=False).returncode == 1
    finally:
        machine.write(pool.file, before)


def test_access_log_on_standard_error(places):
    said = places('access = { log = "/dev/stderr"; };')
    assert "warning: access.log: /dev/stderr is no file; write \"journal\"" in said


def test_access_log_of_a_pool_that_has_not_run(places):
    """Its directory is made when it starts."""
    assert places('access = { log = "/var/log/php-pool/places/a.log"; };') == ""


def test_import_tells(machine):
    """With file and line; what import itself makes writable is not told."""
    machine.write("/tmp/places.conf", """[global]
[p]
user = www-data
listen = /run/p.sock
pm = static
pm.max_children = 1
php_admin_value[upload_tmp_dir] = /usr/share/up
php_value[session.save_path] = "1;/srv/none"
php_value[sys_temp_dir] = /home/places
chdir = /srv/nowhere
""")
    machine.run("install", "-d", "-o", "www-data", "/home/places")
    try:
        result = machine.run("php-poolctl", "import", "--dry-run", "/tmp/places.conf", check=False)
        assert result.returncode == 5
        for text in ("7: php_admin_value[upload_tmp_dir]: /usr/share/up cannot be written: the sandbox has /usr "
                     "read-only",
                     "8: php_value[session.save_path]: /srv/none is not there; make it: install -d -o www-data ",
                     "10: chdir: /srv/nowhere is not there"):
            assert f"/tmp/places.conf:{text}" in result.stderr and f"# /tmp/places.conf:{text}" in result.stdout
        assert "sys_temp_dir" not in result.stderr
    finally:
        machine.remove("/home/places", "/tmp/places.conf")
