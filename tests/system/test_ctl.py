# SPDX-License-Identifier: MIT
"""php-poolctl, verb by verb, with its exit statuses: systemctl's."""

import json
import re

import pytest

from lib.php import VERSION
from lib.scripts import HELLO, LONG, Running
from lib.wait import wait_until


def test_list(machine, pool):
    with machine.pool("shop", start=False):
        pool.run(HELLO)
        out = machine.run("php-poolctl", "list").stdout
        www = next(line for line in out.splitlines() if re.search(r"\bwww\b", line))
        shop = next(line for line in out.splitlines() if re.search(r"\bshop\b", line))
        assert "running" in www and "inactive" in shop, out
        assert out.splitlines()[0].split() == ["POOL", "STATE", "PHP", "WORKERS", "REQUESTS", "SOCKETS"]
        full = pool.status()["php-version"]
        assert full.startswith(f"{VERSION}.")
        assert f") {full} " in re.sub(" +", " ", www) and f") {VERSION} " in re.sub(" +", " ", shop), out
        by_name = {entry["pool"]: entry for entry in json.loads(machine.run("php-poolctl", "list", "--json").stdout)}
        assert (by_name["www"]["php-version"], by_name["shop"]["php-version"]) == (full, VERSION)
        assert "missing" not in out
        pool.machine.run("rm", "/run/php-pool/www.sock")
        assert "/run/php-pool/www.sock (missing)" in machine.run("php-poolctl", "list").stdout


def test_list_names(machine, pool):
    """Everybody gets them, of pools with a file or a unit, and a manager that is stuck holds up nobody."""
    with machine.pool("shop", start=False):
        pool.start()
        pool.machine.run("rm", pool.file)
        machine.run("kill", "-STOP", pool.manager)
        try:
            assert machine.run("php-poolctl", "list", "--names").stdout.split() == ["shop", "www"]
            user = machine.run("runuser", "-u", "nobody", "--", "php-poolctl", "list", "--names")
            assert (user.stdout.split(), user.stderr) == (["shop", "www"], "")
        finally:
            machine.run("kill", "-CONT", pool.manager)
        machine.systemctl("stop", "dbus.socket", "dbus.service")
        try:
            user = machine.run("runuser", "-u", "nobody", "--", "php-poolctl", "list", "--names")
            assert (user.stdout.split(), user.stderr) == (["shop"], "")
        finally:
            machine.systemctl("start", "dbus.socket")


LOAD = {
    "bash": ". /usr/share/bash-completion/bash_completion; "
            "for program; do _completion_loader $program; complete -p $program; done",
    "zsh": "autoload -Uz compinit; compinit -u -D; for program; do echo $program $_comps[$program]; done",
}


@pytest.mark.parametrize("shell", LOAD)
def test_shells_find_the_completion(machine, shell):
    out = machine.run(shell, "-c", LOAD[shell], shell, "php-poolctl", "php-poold").stdout
    name = "_php_pool" if shell == "bash" else "_php-poolctl"
    assert len(out.splitlines()) == 2 and all(name in line.split() for line in out.splitlines()), out


def test_status(pool):
    pool.run(HELLO)
    out = pool.ctl("status", "www").stdout
    assert "www" in out and "running" in out
    status = pool.status()
    assert (status["pool"], status["state"], status["process-manager"]) == ("www", "running", "dynamic")
    assert status["generation"] == 1 and status["max-children"] == 16
    wait_until(lambda: pool.status()["requests"] == 1, what="the request counted")
    workers = status["processes"]
    assert len(workers) == status["total-processes"] == status["idle-processes"] + status["active-processes"]
    assert {worker["pid"] for worker in workers} <= pool.children().keys()


def test_status_of_a_pool_that_does_not_run(pool):
    result = pool.ctl("status", "www", check=False)
    assert result.returncode == 3, result
    assert "www" in result.stdout + result.stderr


def test_status_of_a_busy_worker(pool):
    running = Running(pool, pool.script("long.php", LONG), query="a=1", uri="/shown?a=1")
    busy = [w for w in pool.status()["processes"] if w["state"] == "Running"]
    assert [(w["request-method"], w["request-uri"], w["script"]) for w in busy] == [
        ("GET", "/shown?a=1", "/srv/www/long.php")]
    assert pool.status()["active-processes"] == 1
    assert running.finish()


def test_check(pool):
    good = pool.ctl("check", "www")
    assert good.stderr == ""
    pool.machine.write(pool.file, 'pm = {\n  max_children = 0;\n  mode = "lazy";\n};\nunknown = 1;\n')
    for arguments in (["php-poolctl", "check", "www"], ["php-poolctl", "check", pool.file],
                      ["php-poold", "--check", "www"]):
        result = pool.machine.run(*arguments, check=False)
        assert result.returncode != 0
        for line, key in ((2, r"pm\.max_children"), (3, r"pm\.mode"), (5, "unknown")):
            assert re.search(rf"{pool.file}:{line}\b.*{key}", result.stderr), result


def test_check_names_what_comes_later(pool):
    pool.machine.write(pool.file, 'security = { allowed_clients = [ "127.0.0.1" ]; };\n')
    result = pool.machine.run("php-poold", "--check", "www")
    assert re.search(r"security\.allowed_clients", result.stdout + result.stderr)


def test_reload(pool):
    pool.start()
    pool.ctl("reload", "www")
    assert pool.status()["generation"] == 2
    pool.machine.write(pool.file, "\n\nunknown = 1;\n")
    result = pool.ctl("reload", "www", check=False)
    assert result.returncode == 1
    assert re.search(r"www\.conf:3\b.*unknown", result.stderr), result.stderr


def test_top(machine, pool):
    """Without a name it shows all that run. It ends with whoever reads."""
    def top(reader):
        return machine.run("sh", "-c", f"php-poolctl top | {reader}").stdout

    assert top("head -n 1") == "No pool is running.\n"
    with machine.pool("shop") as shop:
        shop.run(HELLO)
        pool.run(HELLO)
        heading, *rows = (line.split() for line in top("head -n 3").splitlines())
        assert heading == ["POOL", "STATE", "ACTIVE", "IDLE", "MAX", "QUEUE", "REQUESTS", "SLOW"]
        assert [row[0] for row in rows] == ["shop", "www"] and all(row[1] == "running" for row in rows), rows
        assert all(row[6] == "1" for row in rows), rows


def test_stop(pool):
    pool.start()
    pool.ctl("stop", "www")
    wait_until(lambda: pool.active == "inactive", what="stopped")
    assert pool.show("Result") == "success"


def test_request(pool):
    script = pool.script("page.php", "<?php echo 'a page by ', php_sapi_name(), \"\\n\";")
    assert "a page by fpm-fcgi\n" in pool.ctl("request", "www", script).stdout
    missing = pool.ctl("request", "www", "/srv/www/none.php", check=False)
    assert missing.returncode != 0
    assert "File not found." in missing.stdout


@pytest.mark.parametrize("arguments", [
    [], ["frobnicate"], ["status"], ["stop", "a", "b"], ["stop", "../etc"], ["request", "www"], ["--no"]])
def test_wrong_usage(machine, arguments):
    result = machine.run("php-poolctl", *arguments, check=False)
    assert result.returncode != 0 and result.stderr


@pytest.mark.parametrize("sockets", [["127.0.0.1:9007"], ["[::1]:9007"], ["/run/x.sock", "127.0.0.1:9007"],
                                     ["127.0.0.1:9007", "/run/x.sock"]], ids=" ".join)
def test_request_finds_the_socket(machine, sockets):
    listen = "".join(f"ListenStream={address}\n" for address in ["", *sockets])
    # Where there is a Unix socket, it is that one.
    conf = 'security = { allowed_clients = [ "192.0.2.1" ]; };' if len(sockets) > 1 else ""
    with machine.pool("elsewhere", conf, socket_=f"[Socket]\n{listen}") as pool:
        assert pool.ctl("request", "elsewhere", pool.script("hello.php", HELLO)).stdout == "hello"


def test_a_pool_without_a_file(machine):
    result = machine.run("php-poolctl", "status", "nowhere", check=False)
    assert result.returncode == 4
    assert result.stderr == "There is no pool nowhere: it has no file /etc/php-pool/conf.d/nowhere.conf.\n"


def test_unknown_pool(machine):
    result = machine.run("php-poolctl", "reload", "nowhere", check=False)
    assert result.returncode != 0 and "nowhere" in result.stderr


def test_help_and_manual(machine):
    out = machine.run("php-poolctl", "--help").stdout
    for verb in ("list", "status", "check", "reload", "stop", "import", "request"):
        assert re.search(rf"^\s+{verb}\b", out, re.MULTILINE), out
    for page in ("php-poolctl", "php-poold"):
        assert machine.run("man", "-w", page).stdout
