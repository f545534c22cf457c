# SPDX-License-Identifier: MIT
"""
PHP-FPM and php-pool side by side: the same php.ini, user, environment and scripts, one worker each. An
exchange sends the same bytes to either and notes all that comes back.
"""

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import struct
import subprocess
import tempfile

from lib import fastcgi
from lib.daemon import SANITIZERS
from lib.php import FPM, FPM_NAME
from lib.wait import wait_until

USER = pwd.getpwnam("www-data")

# What is left of a time limit when a server says nothing at all: it never will.
SILENCE = 1.5

INI = """
error_reporting = 32767
display_errors = 1
log_errors = 1
variables_order = EGPCS
request_order = GP
date.timezone = UTC
opcache.enable = 1
opcache.file_update_protection = 0
opcache.revalidate_freq = 0
session.save_path = {root}/sessions
session.use_strict_mode = 0
upload_tmp_dir = {root}/uploads
sys_temp_dir = {root}/uploads
user_ini.cache_ttl = 0
"""


class Answer:
    """
    What came back: the records, those of one stream and request put together where nothing stands between
    them, and what became of the connection: "closed", "kept" (it served another request), "silent" (no end
    of the request came), "open" (neither closed nor served) or "more" (bytes behind the last end). And what
    the access log says of it. A mask takes out what is another each time, and sees that it makes sense.
    """

    def __init__(self):
        self.records, self.connection, self.log, self.mask = [], None, [], lambda text: text

    def add(self, kind, request_id, content):
        if self.records and kind in (fastcgi.STDOUT, fastcgi.STDERR) and content and \
                self.records[-1][:2] == (kind, request_id):
            self.records[-1][2].extend(content)
        else:
            self.records.append((kind, request_id, bytearray(content)))

    def stream(self, kind):
        return b"".join(content for k, _, content in self.records if k == kind)

    def parts(self):
        """Name -> value of all that is compared."""
        # The three bytes that are reserved are what PHP-FPM had in its memory there.
        ends = [(id, *struct.unpack("!IB3x", content)) for k, id, content in self.records
            if k == fastcgi.END_REQUEST]
        return {"stdout": self.mask(self.stream(fastcgi.STDOUT)), "stderr": self.stream(fastcgi.STDERR),
                "end": ends,
                "records": [(k, id) if k != fastcgi.GET_VALUES_RESULT else (k, id, bytes(content))
                            for k, id, content in self.records],
                "connection": self.connection, "log": [self.mask(line) for line in self.log]}


def differing(a, b):
    """The names of the parts in which two answers differ."""
    a, b = a.parts(), b.parts()
    names = {name for name in a if a[name] != b[name]}
    # Which records there are follows from the streams; their order counts only where these are the same.
    return names - {"records"} if names & {"stdout", "stderr", "end"} else names


def read_answer(connection, ends):
    """Reads until so many requests have ended or nothing comes any more."""
    answer = Answer()
    try:
        while ends > 0:
            got = connection.read_record()
            if got is None:
                answer.connection = "closed"
                return answer
            answer.add(*got)
            ends -= got[0] == fastcgi.END_REQUEST
    except (ConnectionResetError, fastcgi.Lost):
        answer.connection = "closed"
    except TimeoutError:
        answer.connection = "silent"
    return answer


def probe(connection, script):
    """What became of a connection: see Answer."""
    try:
        connection.start(script)
        seen = b""
        for kind, content in connection.output():
            seen += content if kind == fastcgi.STDOUT else b""
        return "kept" if b"probe" in seen else "open"
    except (BrokenPipeError, ConnectionResetError, fastcgi.Lost):
        return "closed"
    except TimeoutError:
        return "open"


class Server:
    """Runs from start() to stop(); what it is told is in `directory`, which is its own."""

    def __init__(self, directory, build, ini, scan_dir, profile):
        self.directory, self.build, self.profile = directory, build, profile
        self.ini, self.scan_dir = ini, scan_dir
        self.log = directory / "log"
        self.sanitized = b"__asan_init" in (build / "daemon/php-poold").read_bytes()
        self.process, self.address = None, directory / "sock"
        if profile.tcp:
            self.address = (profile.tcp, fastcgi.free_port())
        self.status_address = directory / "status"
        self.access_log, self.n_logged = directory / "access.log", 0

    def connect(self, timeout=SILENCE, source=None):
        if self.profile.tcp:
            host, port = self.address
            return fastcgi.connect_tcp(host.strip("[]"), port, source, timeout)
        return fastcgi.connect_unix(self.address, timeout)

    def ready(self):
        """True once it answers."""
        assert self.process.poll() is None, self.log.read_text()
        try:
            with self.connect(timeout=10) as connection:
                return connection.request(str(self.profile.probe)) is not None
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except (BrokenPipeError, ConnectionResetError, fastcgi.Lost):
            return self.profile.refuses

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def exchange(self, chunks, ends, probe_after, timeout, source=None):
        """Sends the chunks, reads the answer, and sees what became of the connection."""
        with self.connect(timeout, source) as connection:
            for chunk in chunks:
                if callable(chunk):
                    chunk(connection)
                    continue
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    connection.send(chunk)
            answer = read_answer(connection, ends)
            if answer.connection is None and not probe_after:
                try:
                    answer.connection = "closed" if connection.ended() else "more"
                except TimeoutError:
                    answer.connection = "open"
            elif answer.connection is None:
                answer.connection = probe(connection, str(self.profile.probe))
        return answer

    def logged(self):
        """The access log's lines since the last call: all, since a request of its own has the last one."""
        mark = f"/mark-{self.n_logged}".encode()
        with self.connect(timeout=10) as connection:
            connection.request(str(self.profile.probe), extra={"SCRIPT_NAME": mark})
        lines = wait_until(lambda: (found := self.access_log.read_bytes().split(b"\n"))[-1] == b""
                           and mark in found[-2] and found, what=f"{self.name}'s access log")
        new, self.n_logged = lines[self.n_logged:-2], len(lines) - 1
        return new

    def told(self, settings):
        return settings.replace("{dir}", str(self.directory))

    def environment(self):
        """The unit's."""
        environment = {"PATH": "/usr/sbin:/usr/bin", "USER": USER.pw_name, "HOME": USER.pw_dir,
                       "POOL_TEST": "unit's", "PHP_INI_SCAN_DIR": str(self.scan_dir)}
        return {**environment, **(SANITIZERS if self.sanitized else {})}


class Fpm(Server):
    name = FPM_NAME

    def start(self):
        conf = self.directory / "fpm.conf"
        listen = ":".join(map(str, self.address)) if self.profile.tcp else self.address
        conf.write_text(f"[global]\nerror_log={self.log}\ndaemonize=no\n[www]\nlisten={listen}\n"
                        f"listen.mode=0666\nuser={USER.pw_name}\ngroup={USER.pw_name}\nclear_env=no\n"
                        f"pm=static\npm.max_children=1\n{self.told(self.profile.fpm)}\n")
        self.log.touch()
        self.process = subprocess.Popen([FPM, "-F", "-y", conf, "-c", self.ini],
                                        stderr=subprocess.DEVNULL, env=self.environment())


class Pool(Server):
    name = "php-pool"

    def start(self):
        conf = self.directory / "www.conf"
        conf.write_text('pm = { mode = "static"; max_children = 1; };\n'
                        f'php = {{ ini = "{self.ini}"; ini_scan_dir = "{self.scan_dir}"; '
                        f'{self.profile.pool_php} }};\n{self.told(self.profile.pool)}\n')
        listen = ":".join(map(str, self.address)) if self.profile.tcp else self.address
        environment = {**self.environment(), "PHP_POOL_WORKER_DIR": f"{self.build}/daemon"}
        self.process = subprocess.Popen(
            ["setpriv", f"--reuid={USER.pw_uid}", f"--regid={USER.pw_gid}", "--init-groups",
             "systemd-socket-activate", *(f"--setenv={name}={value}" for name, value in environment.items()),
             "-l", listen, "-l", self.status_address, "--fdname=fastcgi:status",
             f"{self.build}/daemon/php-poold", "--config", conf, "www"],
            stderr=open(self.log, "wb"), env=self.environment())


class Profile:
    """
    Settings that a request cannot bring: lines for php.ini, for FPM's pool and for ours; {dir} is the server's
    own directory. Where one `refuses`, no client is served.
    """

    def __init__(self, name, ini="", fpm="", pool="", pool_php="", tcp=None, refuses=False):
        self.name, self.ini, self.tcp, self.refuses = name, ini, tcp, refuses
        self.fpm, self.pool, self.pool_php = fpm, pool, pool_php
        self.probe = None
        self.logs = "access.log=" in fpm


class Pair:
    """Both servers with the settings of a profile. A context manager."""

    def __init__(self, build, root, profile, sections, scan_dir):
        self.build, self.root, self.profile = build, root, profile
        self.sections, self.scan_dir = sections, scan_dir
        profile.probe = root / "probe.php"

    def __enter__(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="php-pool-compat-", dir="/tmp"))
        self.tmp.chmod(0o755)
        self.servers = []
        try:
            ini = self.tmp / "php.ini"
            ini.write_text((INI + self.profile.ini).replace("{root}", str(self.root)) + self.sections)
            for name in ("fpm", "pool"):
                (self.tmp / name).mkdir()
                os.chown(self.tmp / name, USER.pw_uid, USER.pw_gid)
            for kind in (Fpm, Pool):
                directory = self.tmp / kind.__name__.lower()
                self.servers.append(kind(directory, self.build, ini, self.scan_dir, self.profile))
                self.servers[-1].start()
            for server in self.servers:
                wait_until(server.ready, 30, f"{server.name} answering")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.stop()
        shutil.rmtree(self.tmp)

