# SPDX-License-Identifier: MIT
"""A pool inside a Machine: its files, its units, requests to it, and what it says of itself."""

import json

from lib import fastcgi
from lib.client import Client
from lib.wait import wait_until


class Pool(Client):
    def __init__(self, machine, name):
        super().__init__()
        self.machine, self.name = machine, name
        self.unit = f"php-pool@{name}.service"
        self.socket_unit = f"php-pool@{name}.socket"
        self.file = f"/etc/php-pool/conf.d/{name}.conf"
        self.scripts = f"/srv/{name}"
        self.born = machine.journal_end()
        self.drop_ins = [f"/etc/systemd/system/{unit}.d" for unit in (self.unit, self.socket_unit)]

    def configure(self, conf="", service="", socket_=""):
        self.machine.run("mkdir", "-p", self.scripts)
        self.machine.write(self.file, conf)
        for directory, text in zip(self.drop_ins, (service, socket_)):
            if text:
                self.machine.write(f"{directory}/test.conf", text)
        self.machine.systemctl("daemon-reload")

    def remove(self):
        self.open_gates()
        units = (self.socket_unit, self.unit)
        self.machine.systemctl("disable", *units, check=False)
        self.machine.systemctl("stop", *units, check=False)
        self.machine.systemctl("reset-failed", *units, check=False)
        self.machine.systemctl("clean", "--what=cache", self.unit, check=False)  # its own /tmp
        self.machine.remove(self.file, self.scripts, *self.drop_ins)
        self.machine.systemctl("daemon-reload")

    # ---- requests ----

    def script(self, name, code):
        """Writes a script; returns its path."""
        path = f"{self.scripts}/{name}"
        self.machine.write(path, code)
        return path

    def seen(self, path):
        return self.machine.path(path)

    def connect(self, timeout=30):
        return fastcgi.connect_unix(self.machine.path(f"/run/php-pool/{self.name}.sock"), timeout)

    # ---- life ----

    def start(self):
        self.machine.systemctl("start", self.unit)

    def show(self, name):
        return self.machine.show(self.unit, name)

    @property
    def active(self):
        return self.show("ActiveState")

    @property
    def manager(self):
        """The manager's process id, inside; 0 without one."""
        return int(self.show("MainPID"))

    def children(self, pid=None):
        """The manager's children, inside, as {pid: command line}."""
        pid = pid or self.manager
        out = self.machine.run("ps", "--ppid", pid, "-o", "pid=,args=", check=False).stdout
        return {int(line.split()[0]): line.split(None, 1)[1] for line in out.splitlines()}

    def descriptors(self, pid=None):
        """What a process (the manager) has open: the links of its /proc/PID/fd, sorted."""
        directory = self.machine.path(f"/proc/{pid or self.manager}/fd")
        links = []
        for fd in directory.iterdir():
            try:
                links.append(str(fd.readlink()))
            except FileNotFoundError:  # closed meanwhile
                continue
        return sorted(links)

    # ---- what it says ----

    def ctl(self, verb, *args, check=True, timeout=60):
        return self.machine.run("php-poolctl", verb, *args, check=check, timeout=timeout)

    def status(self):
        return json.loads(self.ctl("status", self.name, "--json").stdout)

    def journal(self, *matches, since=None):
        """Its records; those before it was made are another pool's of this name."""
        return self.machine.journal("-u", self.unit, *matches, since=since or self.born)

    def logged(self, condition, *matches, timeout=10):
        """Waits for a record that the condition holds for; returns the first."""
        return wait_until(lambda: next((r for r in self.journal(*matches) if condition(r)), None), timeout,
                          f"record in {self.unit}'s journal")
