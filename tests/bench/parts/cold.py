# SPDX-License-Identifier: MIT
"""
From the first connection to the first byte of a pool that does not run. By hand, without systemd: FPM from its
start, php-pool from the connection that starts it. And on a real systemd: php-pool@ by its socket, and beside it
a service of one small process in the same sandbox, which shows what systemd itself takes.
"""

import base64
import contextlib
import os
import time
from pathlib import Path

from lib import fastcgi
from lib.machine import Machine
from servers import HELLO, SERVERS, Fpm
from table import rounds, say

PM = {"mode": "dynamic", "max_children": 32, "start_servers": 2, "min_spare_servers": 1, "max_spare_servers": 3}
SETTLE = 0.1  # seconds until whatever was started before it is at rest
SMALL = "/usr/local/bin/answer-once"


def first_byte(connect, script):
    """Milliseconds until an answer begins, connection included."""
    begin = time.monotonic()
    with connect() as connection:
        connection.start(str(script))
        assert connection.read_record()[0] in (fastcgi.STDOUT, fastcgi.END_REQUEST)
        return (time.monotonic() - begin) * 1000


def connect_as_soon(server):
    while True:
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
            return server.connect()
        time.sleep(0.0002)


def by_hand(build, server_class):
    with contextlib.ExitStack() as stack:
        server = server_class(build, PM)
        stack.push(server)
        script = server.script(HELLO)
        if server_class is not Fpm:  # its socket is there before it is
            server.spawn()
            while not os.path.exists(server.address):
                time.sleep(0.001)
            time.sleep(SETTLE)
        begin = time.monotonic()
        if server_class is Fpm:
            server.spawn()
        first_byte(lambda: connect_as_soon(server), script)
        return (time.monotonic() - begin) * 1000


def small_service(machine, build):
    """php-pool@'s unit, but for what is run and how it is stopped."""
    binary = Path(build, "tests/answer-once").read_bytes()
    machine.run("sh", "-c", f"base64 -d >{SMALL} && chmod +x {SMALL}", input=base64.b64encode(binary).decode())
    lines = machine.read("/lib/systemd/system/php-pool@.service").splitlines()
    drop = ("Type=", "NotifyAccess=", "ExecReload=", "ExecStop=", "Watchdog", "FileDescriptorStoreMax=", "Requires=")
    unit = "\n".join(f"ExecStart={SMALL}" if line.startswith("ExecStart=") else line
                     for line in lines if not line.startswith(drop))
    machine.write("/etc/systemd/system/small@.service", unit)
    machine.write("/etc/systemd/system/small@.socket",
                  "[Socket]\nListenStream=/run/%i.sock\nTriggerLimitIntervalSec=0\n")
    machine.systemctl("daemon-reload")
    machine.systemctl("start", "small@small.socket")


def on_systemd(machine, unit, socket, script):
    machine.systemctl("stop", unit)
    time.sleep(SETTLE)
    return first_byte(lambda: fastcgi.connect_unix(machine.path(socket)), script)


def measure(bench):
    table, n = bench.table("The first answer of a pool that does not run (medians)"), bench.pick(20, 3)
    say("  by hand")
    table.row("by hand, without systemd: from the connection to the first byte, ms",
              *rounds(SERVERS, lambda server_class: by_hand(bench.build, server_class), n), "{:.1f}")
    say("  on systemd")
    with Machine(bench.build) as machine, machine.pool("www") as pool:
        script = pool.script("script.php", HELLO)
        small_service(machine, bench.build)
        small, ours = rounds((("small@small.service", "/run/small.sock"), (pool.unit, "/run/php-pool/www.sock")),
                             lambda service: on_systemd(machine, *service, script), n)
    table.row("on systemd, by the socket, in its sandbox, ms", None, ours, "{:.1f}")
    table.row("— what systemd takes of it: a service of one small process, ms", None, small, "{:.1f}")
