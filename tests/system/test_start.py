# SPDX-License-Identifier: MIT
"""How a pool comes up: by systemctl start, by its first request, over TCP; and how it fails to."""

import re

from lib.fastcgi import Connection
from lib.messages import MESSAGE_ID
from lib.scripts import HELLO
from lib.wait import wait_until

UNITS = ("php-pool@www.service", "php-pool@www.socket", "php-pool-status@www.socket",
         "php-pool.service", "php-pool.slice")


def test_systemctl_start(pool):
    pool.start()
    assert pool.active == "active"
    assert pool.show("Type") == "notify" and pool.show("StatusText")
    assert "php-poold" in pool.machine.read(f"/proc/{pool.manager}/cmdline")
    children = pool.children()
    assert len(children) >= 2 and all("php-pool-worker" in args for args in children.values()), children
    assert pool.run(HELLO) == "hello"


def test_first_request_starts_an_enabled_pool(machine):
    with machine.pool("www", start=False) as pool:
        machine.systemctl("enable", "--now", pool.socket_unit)
        assert pool.active == "inactive"
        assert machine.show(pool.socket_unit, "ActiveState") == "active"
        assert pool.run("<?php echo php_sapi_name();") == "fpm-fcgi"
        assert pool.active == "active"


def test_tcp_by_a_drop_in(machine):
    with machine.pool("www", socket_="[Socket]\nListenStream=127.0.0.1:9000\n") as pool:
        script = pool.script("page.php", HELLO)
        with Connection(machine.tcp(9000)) as connection:
            assert connection.request(script).text == "hello"
        assert pool.get(script) == "hello"  # and the Unix socket as before


def test_a_pool_runs_as_its_user(pool):
    assert pool.run("<?php echo posix_getpwuid(posix_geteuid())['name'];") == "www-data"
    uid = pool.machine.run("id", "-u", "www-data").stdout.strip()
    for pid in (pool.manager, *pool.children()):
        assert re.search(rf"^Uid:(\t{uid}){{4}}$", pool.machine.read(f"/proc/{pid}/status"), re.M)


def test_workers_inherit_nothing_of_systemd(pool):
    names = pool.run("<?php echo implode(' ', array_keys(getenv()));").split()
    forbidden = {"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC"}
    assert not forbidden & set(names)
    for pid in pool.children():
        environment = pool.machine.path(f"/proc/{pid}/environ").read_bytes()
        assert not any(name.encode() + b"=" in environment for name in forbidden)


def test_without_sockets_it_names_the_socket_unit(pool):
    result = pool.machine.run("runuser", "-u", "www-data", "--", "php-poold", "www", check=False)
    assert result.returncode != 0
    assert "php-pool@www.socket" in result.stdout + result.stderr


def test_preload_that_fails_fails_the_start(machine):
    conf = 'php = { admin_value = ["opcache.preload=/srv/www/missing.php"]; };'
    with machine.pool("www", conf) as pool:
        result = machine.systemctl("start", pool.unit, check=False)
        assert result.returncode != 0
        record = pool.logged(lambda r: "missing.php" in r["MESSAGE"])
        assert int(record["PRIORITY"]) <= 4
        assert pool.logged(lambda r: True, f"MESSAGE_ID={MESSAGE_ID['START_FAILED']}")


def test_broken_pool_file_fails_the_start(machine):
    with machine.pool("www", "pm = { max_children = 0; };\nno_such_key = 1;\n") as pool:
        assert machine.systemctl("start", pool.unit, check=False).returncode != 0
        text = "\n".join(r["MESSAGE"] for r in pool.journal())
        assert re.search(r"www\.conf:1\b.*pm\.max_children", text), text
        assert re.search(r"www\.conf:2\b.*no_such_key", text), text


def test_a_start_that_failed_once_is_tried_again(machine):
    """The pool comes up by itself once its file is right: Restart=, without a limit."""
    with machine.pool("www", "no_such_key = 1;") as pool:
        assert machine.systemctl("start", pool.unit, check=False).returncode != 0
        machine.write(pool.file, "")
        assert pool.run(HELLO) == "hello"


def test_opcache_preload(machine):
    conf = 'php = { admin_value = ["opcache.preload=/srv/www/preload.php"]; };'
    with machine.pool("www", conf) as pool:
        pool.script("preload.php", "<?php function preloaded() { return 'known at once'; }")
        assert pool.run("<?php echo preloaded();") == "known at once"


def test_static_and_ondemand(machine):
    with machine.pool("www", 'pm = { mode = "static"; max_children = 3; };') as pool:
        pool.start()
        assert pool.run(HELLO) == "hello"
        wait_until(lambda: pool.status()["total-processes"] == 3, what="three workers")
    with machine.pool("www", 'pm = { mode = "ondemand"; process_idle_timeout = "1s"; };') as pool:
        pool.start()
        wait_until(lambda: pool.status()["total-processes"] == 0, what="no worker")
        assert pool.run(HELLO) == "hello"
        assert pool.status()["total-processes"] >= 1
        wait_until(lambda: pool.status()["total-processes"] == 0, what="no worker again")


def test_one_unit_for_all_pools(machine):
    with machine.pool("www") as www, machine.pool("shop") as shop:
        for pool in (www, shop):
            machine.systemctl("enable", pool.unit, pool.socket_unit)
        machine.systemctl("start", "php-pool.service")
        wait_until(lambda: (www.active, shop.active) == ("active", "active"), what="both pools started")
        generations = [pool.status()["generation"] for pool in (www, shop)]
        machine.systemctl("reload", "php-pool.service")
        assert [pool.status()["generation"] for pool in (www, shop)] == [g + 1 for g in generations]
        machine.systemctl("stop", "php-pool.service")
        assert (www.active, shop.active) == ("inactive", "inactive")


def test_units_verify(machine):
    result = machine.run("systemd-analyze", "verify", *UNITS, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_exposure(pool):
    pool.start()
    out = pool.machine.run("systemd-analyze", "security", "--no-pager", pool.unit).stdout
    exposure = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", out)[1])
    assert exposure <= 2.0, out
