# SPDX-License-Identifier: MIT
"""What surrounds PHP-FPM on a machine, and what becomes of it with php-poolctl import."""

import json
import re

from lib import php
from lib.importer import UNITS
from lib.php import FPM, FPM_DIR, FPM_NAME, FPM_SERVICE, FPM_SOCKET
from lib.wait import wait_until

WHO = "<?php echo json_encode(['user' => posix_getpwuid(posix_geteuid())['name']]);"


def test_links_to_the_socket(machine, importer):
    """Debian's alternative, and an administrator's own link: they are there after a boot, too, without PHP-FPM."""
    machine.systemctl("start", FPM_NAME)
    machine.run("ln", "-s", f"php/{FPM_NAME}.sock", "/run/own.sock")
    links = ["/run/php/php-fpm.sock", "/run/own.sock"]
    machine.write("/srv/import/who.php", WHO)
    try:
        assert machine.run("readlink", "-f", links[0]).stdout == f"{FPM_SOCKET}\n"
        result = importer.run(f"{FPM_DIR}/php-fpm.conf")
        assert all(f"listen: {link}, which leads to it, becomes" in result.stderr for link in links)
        importer.follow(result.stdout, "www")
        machine.systemctl("stop", "php-pool@www.socket", "php-pool@www.service")
        assert machine.run("sh", "-c", f"ls {' '.join(links)}", check=False).stdout == ""
        machine.systemctl("start", "php-pool@www.socket")
        for link in links:
            page = machine.run("php-poolctl", "request", f"--socket={link}", "www", "/srv/import/who.php").stdout
            assert json.loads(page)["user"] == "www-data"
    finally:
        machine.remove(*links)

    importer.run("--force", f"{FPM_DIR}/php-fpm.conf")  # PHP-FPM does not run, and its link is gone
    assert 'Symlinks="/run/php/php-fpm.sock"\n' in machine.read(f"{UNITS}/php-pool@www.socket.d/import.conf")


def test_a_pool_that_is_there_already(machine, importer, pool):
    """Its socket moves with the commands that import names, though enable --now leaves one that is active."""
    machine.write("/srv/import/who.php", WHO)
    assert pool.get("/srv/import/who.php")
    importer.pools.append("www")
    result = importer.run("--force", f"{FPM_DIR}/php-fpm.conf")
    assert "  systemctl stop php-pool@www.socket php-pool@www.service\n" in result.stdout
    importer.follow(result.stdout, "www")
    request = ("php-poolctl", "request", f"--socket={FPM_SOCKET}", "www", "/srv/import/who.php")
    assert json.loads(machine.run(*request).stdout)["user"] == "www-data"
    machine.systemctl("restart", pool.unit)
    machine.systemctl("stop", pool.socket_unit, pool.unit)
    machine.systemctl("daemon-reload")
    assert "systemctl stop" not in importer.run("--force", f"{FPM_DIR}/php-fpm.conf").stdout


HOOKS = {"/etc/letsencrypt/renewal-hooks/deploy/php": f"# systemctl reload {FPM_NAME}\nservice {FPM_NAME} reload\n",
         "/usr/local/bin/deploy": f"set -e\nsystemctl restart {FPM_SERVICE}\n",
         "/etc/cron.d/php-reload": f"0 4 * * * root pkill -USR2 {FPM}\n",
         "/etc/logrotate.d/ours": f"/var/log/x {{\n  postrotate\n    invoke-rc.d {FPM_NAME} reload\n  endscript\n}}\n",
         "/srv/site/.git/hooks/post-receive": f"sudo systemctl reload {FPM_NAME}\n",
         "/etc/monit/conf.d/php": f"check process php-fpm with pidfile /run/php/{FPM_NAME}.pid\n",
         "/usr/local/sbin/up": f"service {FPM_NAME} start\n",
         "/etc/sudoers.d/deploy": f"deploy ALL=NOPASSWD: /bin/systemctl reload {FPM_NAME}\n"}
NO_HOOKS = {"/usr/local/bin/other": "systemctl reload nginx\necho fpm php\n",
            "/usr/local/bin/binary": f"\0systemctl reload {FPM_NAME}\n"}


def test_deploy_hooks(machine, importer):
    """What reloads PHP-FPM would do nothing any more, in silence: it is named, with what to write."""
    assert "is for PHP-FPM" not in importer.run("--dry-run", f"{FPM_DIR}/php-fpm.conf").stderr
    try:
        for path, text in {**HOOKS, **NO_HOOKS}.items():
            machine.run("mkdir", "-p", path.rsplit("/", 1)[0])
            machine.write(path, text)
        result = importer.run(f"{FPM_DIR}/php-fpm.conf", status=5)
        told = re.findall(r"^(\S+):(\d+): is for PHP-FPM, .* systemctl reload php-pool.service$", result.stderr, re.M)
        assert dict(told) == {path: str(next(i for i, line in enumerate(text.split("\n"), 1)
                                             if "fpm" in line and line[0] != "#")) for path, text in HOOKS.items()}
        assert "systemctl reload php-pool.service" in result.stdout
    finally:
        machine.remove(*HOOKS, *NO_HOOKS, "/etc/letsencrypt", "/etc/monit", "/srv/site")


def test_units_that_need_it(machine, importer):
    """They would start PHP-FPM again, or do not start without it."""
    path = f"{UNITS}/nginx.service.d/php.conf"
    machine.write(path, f"[Unit]\nAfter={FPM_SERVICE}\nWants={FPM_SERVICE}\n")
    try:
        told = importer.run("--dry-run", f"{FPM_DIR}/php-fpm.conf", status=5).stderr
        assert re.findall(rf"^{path}:(\d+): (.*)$", told, re.M) == \
            [("3", "needs PHP-FPM, and may start it: write php-pool.service instead")]
    finally:
        machine.remove(path.rsplit("/", 1)[0])


def test_monitors_and_upgrades(machine, pool):
    """The commands of php-pool(7): workers by their title, and processes that run a PHP that was replaced."""
    library = machine.run("sh", "-c", f"readlink -f $(ldd /usr/libexec/php-pool/php-pool-worker-{php.VERSION} | "
                          "awk '/libphp/ { print $3 }')").stdout.strip()
    replace = f"cp {library} {library}.new && mv {library}.new {library}"
    machine.run("sh", "-c", replace)  # once, so that it lies in the machine's own layer: of others, maps tells nothing
    stale = r"grep -l 'libphp.*(deleted)' /proc/[0-9]*/maps 2>/dev/null | wc -l"
    pool.configure('pm = { mode = "static"; max_children = 2; };')
    pool.start()
    wait_until(lambda: len(machine.run("pgrep", "-f", "^php-pool-worker: www .worker",
                                       check=False).stdout.split()) == 2,
               what="two workers with their title")
    assert machine.run("systemctl", "is-active", "php-pool@www").stdout == "active\n"
    machine.run("sh", "-c", replace)
    assert int(machine.run("sh", "-c", stale).stdout) > 0
    machine.systemctl("start", "php-pool.service")
    machine.systemctl("reload", "php-pool.service")
    wait_until(lambda: int(machine.run("sh", "-c", stale).stdout) == 0, what="the old generation's end")
    machine.systemctl("stop", "php-pool.service")
