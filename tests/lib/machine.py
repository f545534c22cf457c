# SPDX-License-Identifier: MIT
"""
A real systemd as PID 1, in systemd-nspawn over a throwaway overlay of a root: this machine's with a build of
php-pool installed, or another (see debian.py). Tests run commands inside; its sockets and processes they reach
from here.

    machine.py BUILD_DIR COMMAND…    boots one, runs the command inside, drops it
"""

import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from lib.pool import Pool
from lib.wait import wait_until

BOOT = pathlib.Path(__file__).with_name("boot-machine")
BOOT_TIMEOUT = 120
CGROUPS = [pathlib.Path("/sys/fs/cgroup", name) for name in ("", "unified", "systemd")]
CLONE_NEWNET = 0x40000000
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
               "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""}


def remove_cgroup(path):
    """Removes a control group and those below; true when it is gone."""
    try:
        for directory, _, _ in os.walk(path, topdown=False):
            os.rmdir(directory)
    except OSError:  # a process is still about to end
        return False
    return True


def thread_setns(fd):
    """setns(2) into a network namespace, for the calling thread only."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(fd, CLONE_NEWNET) < 0:
        raise OSError(ctypes.get_errno(), "setns")


class Machine:
    """
    `build_dir` is what is installed in it, None for nothing. `root` is whose files it has; what it writes is
    gone afterwards unless it is `kept`. It has this machine's network with `shared_network`, otherwise only a
    loopback.
    """

    def __init__(self, build_dir=None, root="/", kept=False, shared_network=False):
        self.build_dir = build_dir and pathlib.Path(build_dir).resolve()
        self.root, self.kept, self.shared_network = root, kept, shared_network
        self.leader = None  # the process id of its PID 1 here
        self.container = None
        self.directory = None

    def __enter__(self):
        self.boot()
        return self

    def __exit__(self, *_):
        self.shut_down()

    # ---- its life ----

    def boot(self):
        run = os.environ.get("PHP_POOL_BOOTSTRAP", "")  # which ./bootstrap it belongs to, for leftovers.py
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"php-pool-machine.{run}."))
        (self.directory / "mem").mkdir()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
                notify.bind(str(self.directory / "notify"))
                command = ["unshare", "--mount", "--propagation=private", "--",
                           BOOT, self.directory, self.root, "yes" if self.kept else "no",
                           "host" if self.shared_network else "private", self.build_dir or ""]
                environment = {**os.environ, "NOTIFY_SOCKET": str(self.directory / "notify")}
                with open(self.directory / "console.log", "wb") as console:
                    self.container = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL,
                                                      stdout=console, stderr=console, start_new_session=True)
                self._wait_ready(notify)
            self.run("systemd-sysusers")
            self.run("systemd-tmpfiles", "--create", check=False)  # other packages' may complain
            self.run("journalctl", "--update-catalog")
        except BaseException:
            self.shut_down()
            raise

    def _wait_ready(self, notify):
        """systemd-nspawn passes on the container's READY=1, and says which process is its PID 1."""
        notify.settimeout(0.2)
        for _ in range(BOOT_TIMEOUT * 5):
            try:
                message = notify.recv(4096).decode()
            except TimeoutError:
                if self.container.poll() is not None:
                    break
                continue
            fields = dict(line.split("=", 1) for line in message.splitlines() if "=" in line)
            self.leader = int(fields.get("X_NSPAWN_LEADER_PID", self.leader or 0)) or None
            if fields.get("READY") == "1":
                return
        raise RuntimeError("systemd did not come up:\n" + (self.directory / "console.log").read_text())

    def shut_down(self):
        """Powers it off: its processes end with its PID namespace, its mounts with its mount namespace."""
        if self.container is not None:
            if self.container.poll() is None and self.leader:
                os.kill(self.leader, signal.SIGRTMIN + 4)
            try:
                self.container.wait(60 if self.leader else 0)
            except subprocess.TimeoutExpired:
                self.container.kill()
                self.container.wait()
        for hierarchy in CGROUPS:
            wait_until(lambda: remove_cgroup(hierarchy / self.directory.name), what="no control groups")
        shutil.rmtree(self.directory)
        self.leader = self.container = None

    # ---- from outside ----

    def path(self, path):
        """A file of it, as this machine sees it; not for writing: absolute symbolic links lead astray."""
        return pathlib.Path(f"/proc/{self.leader}/root", str(path).lstrip("/"))

    # ---- inside ----

    def write(self, path, text, mode=0o644):
        script = 'mkdir -p "${1%/*}" && cat >"$1" && chmod "$2" "$1"'
        self.run("sh", "-c", script, "sh", path, f"{mode:o}", input=text)

    def read(self, path):
        return self.run("cat", path).stdout

    def remove(self, *paths):
        self.run("rm", "-rf", "--", *paths)

    def run(self, *argv, check=True, timeout=120, input=""):
        """Runs a command inside, in all its namespaces; both outputs as text."""
        result = subprocess.run(self.command(*argv), env=ENVIRONMENT, input=input, text=True,
                                capture_output=True, timeout=timeout)
        if check and result.returncode != 0:
            systemd = argv[0] == "systemctl"
            log = self.run("journalctl", "-q", "-n", "20", "-o", "cat", check=False).stdout if systemd else ""
            raise AssertionError(f"{' '.join(map(str, argv))}: status {result.returncode}\n"
                                 f"{result.stdout}{result.stderr}{log}")
        return result

    def start(self, *argv):
        """The same in the background: a Popen."""
        return subprocess.Popen(self.command(*argv), env=ENVIRONMENT, text=True, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def command(self, *argv):
        return ["nsenter", "--target", str(self.leader), "--all", "--root", "--wd", "--", *map(str, argv)]

    @contextlib.contextmanager
    def network(self):
        """The calling thread is in its network namespace."""
        with open("/proc/thread-self/ns/net") as here, open(f"/proc/{self.leader}/ns/net") as there:
            thread_setns(there.fileno())
            try:
                yield
            finally:
                thread_setns(here.fileno())

    def tcp(self, port, host="127.0.0.1", timeout=30):
        """A socket that is connected inside its network namespace."""
        with self.network():
            return socket.create_connection((host, port), timeout)

    # ---- systemd ----

    def systemctl(self, *args, check=True, timeout=120):
        return self.run("systemctl", *args, check=check, timeout=timeout)

    @property
    def version(self):
        """systemd's, as a number."""
        return int(self.systemctl("--version").stdout.split()[1])

    def show(self, unit, name):
        return self.systemctl("show", "--value", "-p", name, unit).stdout.strip()

    def journal(self, *args, since=0):
        """Records as dictionaries, with everything written so far; `since` is a journal_end()."""
        self.run("journalctl", "--sync")
        seconds = [f"--since=@{since // 1000000}"] if since else []  # what is older may be much
        out = self.run("journalctl", "--all", "-o", "json", *seconds, *args).stdout
        # Not --after-cursor: together with a match, it leaves out the first record that matches.
        records = [json.loads(line) for line in out.splitlines()]
        return [record for record in records if int(record["__REALTIME_TIMESTAMP"]) > since]

    def journal_end(self):
        """When the last record so far came."""
        return int(self.journal("-n", "1")[0]["__REALTIME_TIMESTAMP"])

    @contextlib.contextmanager
    def stopped_journal(self):
        """journald is stopped meanwhile: it takes no record, and soon its socket's queue is full."""
        kill = ("kill", "--kill-who=main", "systemd-journald.service")
        self.systemctl(*kill, "--signal=STOP")
        try:
            yield
        finally:
            self.systemctl(*kill, "--signal=CONT")

    def processes(self, name):
        """The ids, inside, of all processes whose name is this one."""
        out = self.run("pgrep", "--full", f"(^|/){name}( |$)", check=False).stdout
        return [int(pid) for pid in out.split()]

    @contextlib.contextmanager
    def pool(self, name, conf="", service="", socket_="", start=True):
        """
        A pool: its file, drop-ins for its two units, and its socket unit started (its service is not).
        Everything is gone afterwards.
        """
        pool = Pool(self, name)
        pool.configure(conf, service, socket_)
        try:
            if start:
                self.systemctl("start", pool.socket_unit)
            yield pool
        finally:
            pool.remove()


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    with Machine(sys.argv[1]) as machine:
        status = subprocess.run(machine.command(*sys.argv[2:]), env=ENVIRONMENT).returncode
    sys.exit(status)


if __name__ == "__main__":
    main()
