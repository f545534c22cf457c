# SPDX-License-Identifier: MIT
"""
PHP-FPM and php-pool started by hand, side by side: the same php.ini, the same pool settings, each on a socket
of its own. And what both are asked: the load, their processes, what these cost.
"""

import contextlib
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

from lib import fastcgi
from lib.php import FPM, FPM_DIR, FPM_NAME
from lib.wait import wait_until

BACKLOG = 4096
HELLO = '<?php echo "Hello, world\\n";\n'
WATCHDOG_USEC = 30_000_000  # as php-pool@.service has it


class Server:
    """As a context manager it runs; `pm` are settings by FPM's names, without "pm."."""

    def __init__(self, build, pm, tcp=False):
        self.build, self.pm = build, pm
        self.tmp = tempfile.TemporaryDirectory()
        self.directory = Path(self.tmp.name)
        self.directory.chmod(0o777)
        self.address = f"127.0.0.1:{fastcgi.free_port()}" if tcp else str(self.directory / "www.sock")
        self.process = None

    def __enter__(self):
        try:
            self.spawn()
            self.wait_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            self.process.wait()
        self.tmp.cleanup()

    @property
    def pid(self):
        """The manager, or FPM's master."""
        return self.process.pid

    def script(self, code, name="script.php"):
        path = self.directory / name
        path.write_text(code)
        os.utime(path, (1e9, 1e9))  # opcache leaves a file alone that is younger than two seconds
        return path

    def connect(self, timeout=30):
        if self.address.startswith("/"):
            return fastcgi.connect_unix(self.address, timeout)
        return fastcgi.connect_tcp(*self.address.split(":"), timeout=timeout)

    def request(self, script, **kwargs):
        with self.connect() as connection:
            return connection.request(str(script), **kwargs)

    def load(self, script, requests, clients, keep=False, **options):
        """What load.c prints. That some were not answered is a result, not an error."""
        out = subprocess.run(self.load_command(script, requests, clients, keep, **options),
                             capture_output=True, text=True).stdout
        return json.loads(out)

    def load_command(self, script, requests, clients, keep=False, **options):
        return [f"{self.build}/tests/load", *(["--keep"] if keep else []),
                *(f"--{name}={value}" for name, value in options.items()),
                self.address, script, str(requests), str(clients)]

    def cpu(self):
        """Microseconds that its workers have been on a processor."""
        return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in self.workers()) / 1000

    def processes(self):
        return [self.pid, *children(self.pid)]


class Fpm(Server):
    name = FPM_NAME

    def spawn(self):
        self.log, conf = self.directory / "fpm.log", self.directory / "fpm.conf"
        pm = dict(self.pm)
        settings = [f"pm={pm.pop('mode')}", *(f"pm.{key}={value}" for key, value in pm.items())]
        conf.write_text(f"[global]\nerror_log={self.log}\ndaemonize=no\n[www]\nlisten={self.address}\n"
                        f"listen.backlog={BACKLOG}\nlisten.mode=0666\nuser=www-data\ngroup=www-data\n"
                        + "\n".join(settings) + "\n")
        self.process = subprocess.Popen([FPM, "-F", "-y", conf], stderr=subprocess.DEVNULL)

    def wait_ready(self):
        def ready():
            assert self.process.poll() is None, self.log.read_text()
            return self.log.exists() and "ready to handle connections" in self.log.read_text()

        wait_until(ready, 30, "PHP-FPM")

    def workers(self):
        return children(self.process.pid)


class Pool(Server):
    name = "php-pool"

    def spawn(self):
        conf = self.directory / "www.conf"
        pm = " ".join(f'{key} = {json.dumps(value)};' for key, value in self.pm.items())
        conf.write_text(f'pm = {{ {pm} }};\n'
                        f'php = {{ ini = "{FPM_DIR}/php.ini"; ini_scan_dir = "{FPM_DIR}/conf.d"; }};\n')
        self.ready = threading.Event()
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(self.directory / "notify"))
        os.chmod(self.directory / "notify", 0o666)
        threading.Thread(target=self._listen, daemon=True).start()
        environment = {"PHP_POOL_WORKER_DIR": f"{self.build}/daemon",
                       "NOTIFY_SOCKET": self.directory / "notify",
                       "WATCHDOG_USEC": WATCHDOG_USEC}
        # An ordinary user, as the unit's: opcache and files behave as they do there.
        self.process = subprocess.Popen(
            ["setpriv", "--reuid=www-data", "--regid=www-data", "--init-groups",
             "systemd-socket-activate", *(f"--setenv={name}={value}" for name, value in environment.items()),
             "-l", self.address, f"{self.build}/daemon/php-poold", "--config", conf, "www"],
            stderr=open(self.directory / "log", "wb"))

    def wait_ready(self):
        self._knock()
        assert self.ready.wait(30), (self.directory / "log").read_text()

    def __exit__(self, *args):
        super().__exit__(*args)
        with self.notify:
            self.notify.shutdown(socket.SHUT_RDWR)

    def _listen(self):
        with contextlib.suppress(OSError):  # closed
            while data := self.notify.recv(65536):
                if b"READY=1" in data:
                    self.ready.set()

    def _knock(self):
        """systemd-socket-activate starts it at the first connection."""
        def connected():
            assert self.process.poll() is None, (self.directory / "log").read_text()
            with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
                self.connect().close()
                return True

        wait_until(connected, 30, "systemd-socket-activate")

    def workers(self):
        return [p for p in children(self.process.pid) if b"(worker" in Path(f"/proc/{p}/cmdline").read_bytes()]


SERVERS = (Fpm, Pool)


def children(pid):
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def descriptors(pids):
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)


def pss(pids):
    """Kilobytes: private memory, and of shared memory each process's part."""
    texts = (Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids)
    return sum(int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1]) for text in texts)


@contextlib.contextmanager
def both(build, pm, tcp=False):
    """Both of them, running."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(server(build, pm, tcp)) for server in SERVERS]
