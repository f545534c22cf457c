# SPDX-License-Identifier: MIT
"""php-poolctl import in a machine, and what it is held against: pages of a pool."""

import json
import shlex

from lib.php import FPM_NAME, FPM_SERVICE

POOLS = "/etc/php-pool/conf.d"
UNITS = "/etc/systemd/system"


class Importer:
    def __init__(self, machine):
        self.machine, self.pools = machine, []
        machine.run("sh", "-c", f"cp -a {POOLS} /tmp/pools-before; mkdir -p {UNITS}")
        # Its script for another init: update-rc.d fails with that where none was there at installation.
        machine.remove(f"/etc/init.d/{FPM_NAME}")
        machine.systemctl("enable", FPM_SERVICE)
        machine.systemctl("stop", FPM_SERVICE, check=False)

    def clean(self):
        self.machine.systemctl("stop", FPM_SERVICE, check=False)
        units = [unit for pool in self.pools
                 for unit in (f"php-pool@{pool}.socket", f"php-pool-status@{pool}.socket",
                              f"php-pool@{pool}.service")]
        if units:
            self.machine.systemctl("disable", "--now", "php-pool.service", *units, check=False)
            self.machine.systemctl("reset-failed", *units, check=False)
        self.machine.run("sh", "-c", f"rm -rf {UNITS}/php-pool*.d /srv/jail /srv/import {POOLS} && "
                         f"mv /tmp/pools-before {POOLS}")
        self.machine.systemctl("daemon-reload")

    def run(self, *args, status=0, environment=""):
        command = f"{environment} php-poolctl import {shlex.join(map(str, args))}"
        result = self.machine.run("sh", "-c", command, check=False)
        assert result.returncode == status, result
        return result

    def start(self, *pools):
        """Checks what was written for the pools and starts their sockets."""
        self.pools += pools
        self.machine.systemctl("daemon-reload")
        for pool in pools:
            self.machine.run("php-poolctl", "check", pool)
            units = [f"php-pool@{pool}.socket", f"php-pool@{pool}.service"]
            result = self.machine.run("systemd-analyze", "verify", *units)
            assert "php-pool" not in result.stderr, result
            self.machine.systemctl("start", units[0])

    def follow(self, stdout, *pools):
        """Runs the commands that import says come next, as they stand there."""
        self.pools += pools
        commands = [line.strip() for line in stdout.split("\n") if line.startswith("  ")]
        assert any("enable --now" in command for command in commands)
        self.machine.run("sh", "-exc", "\n".join(commands))


def serve(connection, script, **kwargs):
    with connection:
        response = connection.request(script, **kwargs)
    assert response.status == 200, response
    return json.loads(response.text)
