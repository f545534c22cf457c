# SPDX-License-Identifier: MIT
"""
A real manager without systemd as PID 1: under systemd-socket-activate, with a notify socket in systemd's
place. What it tells systemd is the event that tests wait for.
"""

import contextlib
import json
import os
import pathlib
import pwd
import signal
import socket
import subprocess
import threading

from lib import fastcgi, php
from lib.client import Client
from lib.proc import switches
from lib.wait import wait_until

# What a sanitizer finds ends the program with SIGABRT. libphp frees less at its exit than it could, and unloads
# the extensions before leaks are looked for, which then have no name.
SANITIZERS = {
    "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1:verify_asan_link_order=0",
    "UBSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:print_stacktrace=1",
    "ZEND_DONT_UNLOAD_MODULES": "1",
    "LSAN_OPTIONS": f"suppressions={pathlib.Path(__file__).with_name('lsan.supp')}:print_suppressions=0",
}


# Whom pools run as: not root, which a manager refuses.
USER = pwd.getpwnam("www-data")
AS_USER = ("setpriv", f"--reuid={USER.pw_uid}", f"--regid={USER.pw_gid}", "--init-groups", "--")


def given_away(directory):
    """The directory, which is USER's from now on, and which USER can get to."""
    os.chown(directory, USER.pw_uid, USER.pw_gid)
    for parent in (directory, *directory.parents):
        if parent.stat().st_uid in (os.getuid(), USER.pw_uid) and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    return directory


def directory_of(directory, worker, version=php.VERSION):
    """A new directory of workers, with this one: an executable in the place of php-pool-worker-X.Y."""
    directory.mkdir()
    (directory / f"php-pool-worker-{version}").symlink_to(worker)
    return directory


class Daemon(Client):
    """
    A pool `www` in `directory`: www.conf, www.sock, www.control.sock, notify, log. As a context manager it runs,
    as USER; at the end it is stopped, and nothing of it is left. `tcp` are addresses on which it listens, too.
    The directory has to be given_away().
    """

    def __init__(self, build_dir, directory, conf="", worker=None, environment=None, tcp=()):
        super().__init__()
        self.build_dir, self.directory = build_dir, pathlib.Path(directory)
        self.socket, self.log = self.directory / "www.sock", self.directory / "log"
        self.conf = self.directory / "www.conf"
        self.control_socket = self.directory / "www.control.sock"
        self.control_sockets = None  # others in its place
        self.worker_dir = directory_of(self.directory / "workers", worker) if worker else build_dir / "daemon"
        self.environment, self.tcp = environment or {}, tcp
        self.become = AS_USER
        self.status_socket = self.directory / "www.status.sock"  # there if with_status_socket is set
        self.with_status_socket = False
        self.status_tcp = ()  # addresses of more of them
        self.conf.write_text(conf)
        self.process = None
        self.notifications = []  # [{"READY": "1"}, …]

    # ---- its life ----

    def __enter__(self):
        self.launch()
        try:
            self.wait_notified(lambda n: n.get("READY") == "1")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind, *_):
        try:
            if self.process.poll() is None:
                self.stop(check=kind is None)
        finally:
            self._end()

    @contextlib.contextmanager
    def launched(self):
        """As the context manager that it is itself, without waiting until it can serve."""
        self.launch()
        try:
            yield
            self.stop()
        finally:
            self._end()

    @contextlib.contextmanager
    def failing(self):
        """Starts it, and waits until it has ended by itself; the exit status."""
        self.launch()
        try:
            yield self.process.wait(30)
        finally:
            self._end()

    def launch(self, listen=None):
        """systemd-socket-activate starts it at the first connection, which this makes."""
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(self.directory / "notify"))
        (self.directory / "notify").chmod(0o666)
        self.listener = threading.Thread(target=self._listen_for_notifications, daemon=True)
        self.listener.start()
        environment = {"NOTIFY_SOCKET": self.directory / "notify", "PHP_POOL_WORKER_DIR": self.worker_dir,
                       **SANITIZERS,
                       **self.environment}
        status = [self.status_socket] * self.with_status_socket + [*self.status_tcp]
        control = self.control_sockets if self.control_sockets is not None else [self.control_socket]
        self.process = subprocess.Popen(
            ["systemd-socket-activate", "-l", listen or self.socket, *(f"--listen={address}" for address in self.tcp),
             *(f"--listen={address}" for address in status + control),
             "--fdname=" + ":".join(["fastcgi"] * (1 + len(self.tcp)) + ["status"] * len(status)
                                    + ["control"] * len(control)),
             *(f"--setenv={name}={value}" for name, value in environment.items()),
             *self.become, self.build_dir / "daemon/php-poold", f"--config={self.conf}", "www"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.log, "wb"),
            cwd=self.directory)
        if listen is None:
            wait_until(self.socket.exists, what="systemd-socket-activate's socket")
            wait_until(self._knock, what="systemd-socket-activate listening")

    def _knock(self):
        try:
            self.connect().close()
            return True
        except ConnectionRefusedError:  # bound, not yet listening
            return False

    def stop(self, check=True, timeout=30):
        """Sends SIGTERM and waits for the end; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout)
        if check:
            assert status == 0, f"exit status {status}\n{self.logged()}"
        return status

    def _end(self):
        """Checks that nothing is left, and drops what a failed test left all the same."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        with self.notify:
            self.notify.shutdown(socket.SHUT_RDWR)
            self.listener.join()
        try:
            # A worker that was only just ordered ends by itself, perhaps after the manager.
            wait_until(lambda: not self.processes(), 5, "no process left behind")
        finally:
            for pid in self.processes():
                os.kill(pid, signal.SIGKILL)
            self.open_gates()
        for name in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:"):
            assert name not in self.logged(), self.logged()

    def processes(self):
        """All processes of this pool, whoever their parent is: they work in its directory."""
        found = []
        for directory in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if (directory / "cwd").readlink() == self.directory:
                    found.append(int(directory.name))
            except OSError:  # gone, or a kernel thread
                continue
        return found

    # ---- what it tells ----

    def _listen_for_notifications(self):
        while data := self.notify.recv(65536):
            lines = data.decode().splitlines()
            self.notifications.append(dict(line.split("=", 1) for line in lines if "=" in line))

    def wait_notified(self, condition, since=0):
        """Waits for a notification that the condition holds for; returns its index."""
        def found():
            ended = self.process.poll() is not None
            index = next((i for i, n in enumerate(self.notifications) if i >= since and condition(n)), None)
            assert index is not None or not ended, f"it ended:\n{self.logged()}"
            return None if index is None else (index,)

        return wait_until(found, 20, "notification")[0]

    def logged(self):
        return self.log.read_text(errors="replace")

    # ---- requests ----

    @property
    def pid(self):
        return self.process.pid

    def connect(self, timeout=30):
        return fastcgi.connect_unix(self.socket, timeout)

    def script(self, name, code):
        path = self.directory / name
        path.write_text(code)
        return str(path)

    def seen(self, path):
        return path

    def ctl_command(self, verb, *args):
        """php-poolctl, told where the pool's manager is."""
        spoken = verb in ("status", "top", "reload", "stop") and "www" in args
        where = [f"--socket={self.control_socket}"] if spoken else []
        return [self.build_dir / "daemon/php-poolctl", verb, *where, *args]

    def ctl(self, *args):
        return subprocess.run(self.ctl_command(*args), env={**os.environ, **SANITIZERS}, text=True,
                              capture_output=True, timeout=60)

    def status(self):
        result = self.ctl("status", "www", "--json")
        assert result.returncode == 0, result
        return json.loads(result.stdout)

    def wait_idle(self, n):
        """Waits until there are n workers, all of them idle."""
        def idle():
            status = self.status()
            return len(status["processes"]) == status["idle-processes"] == n

        wait_until(idle, what=f"{n} idle workers")

    def reload(self):
        """By SIGHUP; returns when systemd has been told that it is done."""
        before = len(self.notifications)
        self.process.send_signal(signal.SIGHUP)
        reloading = self.wait_notified(lambda n: n.get("RELOADING") == "1", since=before)
        self.wait_notified(lambda n: n.get("READY") == "1", since=reloading)

    # ---- processes ----

    def children(self, pid=None):
        """Child process ids of the manager with their states: "S", "Z", …"""
        found = {}
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                state, parent = path.read_text().rpartition(") ")[2].split()[:2]
            except (FileNotFoundError, ProcessLookupError):  # gone
                continue
            if int(parent) == (pid or self.pid):
                found[int(path.parent.name)] = state
        return found

    def workers(self):
        """The ids of the workers that the manager lists."""
        return {worker["pid"] for worker in self.status()["processes"]}

    def templates(self):
        """The ids of the templates, which call themselves so."""
        found = set()
        for pid in self.children():
            try:
                if b"(template)" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.add(pid)
            except (FileNotFoundError, ProcessLookupError):  # gone
                continue
        return found

    def switches(self):
        """How often the manager has gone to sleep."""
        return switches(self.pid)

    def control_clients(self):
        """How many connections to its control socket the manager has."""
        there = sum(line.endswith(f" {self.control_socket}\n") for line in open("/proc/net/unix"))
        return there - 1  # the one that listens

    def descriptors(self):
        """How many descriptors the manager has open, as soon as it has closed what was for php-poolctl."""
        wait_until(lambda: self.control_clients() == 0, what="no control connection")
        return len(os.listdir(f"/proc/{self.pid}/fd"))
