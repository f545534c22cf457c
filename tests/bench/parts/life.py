# SPDX-License-Identifier: MIT
"""How fast a pool grows, and what its manager costs while nothing changes."""

import statistics
import subprocess
import time

from lib.proc import switches
from lib.strace import traced
from servers import SERVERS
from table import rounds, say

SLEEP = "<?php usleep(20000); echo 'done';"  # 20 ms, no CPU
SETTLE = 0.7  # seconds until a server that was just started or used has nothing more to do
CLIENTS = 32

FPM_DEFAULTS = {"start_servers": 2, "min_spare_servers": 1, "max_spare_servers": 3}  # of Debian's www.conf
POOL_DEFAULTS = {"start_servers": 4, "min_spare_servers": 2, "max_spare_servers": 6}
STATIC = {"mode": "static", "max_children": CLIENTS}
DYNAMIC = {"mode": "dynamic", "max_children": CLIENTS, **FPM_DEFAULTS}
ONDEMAND = {"mode": "ondemand", "max_children": CLIENTS}
GROWING = {
    "dynamic, FPM's defaults": DYNAMIC,
    "dynamic, php-pool's defaults": {**DYNAMIC, **POOL_DEFAULTS},
    "ondemand": ONDEMAND,
}


def settled():
    time.sleep(SETTLE)


# ---- Growing ----

def burst(server_class, build, pm):
    """Seconds until the last of CLIENTS connections, made at once to a fresh pool, was answered."""
    with server_class(build, pm) as server:
        script = server.script(SLEEP)
        settled()
        return server.load(script, CLIENTS, CLIENTS)["seconds"]


def answered(server_class, build, pm, seconds):
    """Answers to CLIENTS clients in that time, from a fresh pool."""
    with server_class(build, pm) as server:
        script = server.script(SLEEP)
        settled()
        return server.load(script, f"{seconds}s", CLIENTS)["answered"]


def grow(bench, table):
    for name, pm in GROWING.items():
        say(f"  {CLIENTS} connections at once, {name}")
        runs = rounds(SERVERS, lambda c: burst(c, bench.build, pm) * 1000, bench.pick(5, 1))
        table.row(f"{CLIENTS} connections at once, {name}: the last answered, ms", *runs)
        table.row("— slowest of the runs, ms", *map(max, runs))

    static, seconds = None, bench.pick(3, 1)
    for name, pm in {"static": STATIC, **GROWING}.items():
        say(f"  {CLIENTS} clients, {name}")
        runs = rounds(SERVERS, lambda c: answered(c, bench.build, pm, seconds), bench.pick(2, 1))
        table.row(f"{seconds} s of {CLIENTS} clients, {name}: answered (more is better)", *runs)
        medians = [statistics.median(run) for run in runs]
        static = static or medians
        if static is not medians:
            table.row("— of what static answered, %", *(100 * m / s for m, s in zip(medians, static)))


# ---- At rest ----

def rates(server, seconds):
    """The manager's wake-ups per second, and then its system calls per second."""
    before = switches(server.pid)
    time.sleep(seconds)
    wakes = (switches(server.pid) - before) / seconds
    with traced(server.pid) as calls:
        time.sleep(seconds)
    return wakes, sum(calls.values()) / seconds


def manager_rates(server_class, build, pm, clients, seconds):
    with server_class(build, pm) as server:
        script = server.script(SLEEP)
        settled()
        if not clients:
            time.sleep(2)
            return rates(server, seconds)
        load = subprocess.Popen(server.load_command(script, f"{2 * seconds + 4}s", clients),
                                stdout=subprocess.DEVNULL)
        time.sleep(3)  # until the pool has grown as far as it will
        result = rates(server, seconds)
        assert load.poll() is None, "the load ended before it was measured"
        load.wait()
        return result


def rest(bench, table):
    full = {**DYNAMIC, "max_children": 4}
    idle, busy = bench.pick(12, 3), bench.pick(6, 1)
    cases = (("idle", DYNAMIC, 0, idle),
             ("16 clients on max_children = 4", full, 16, busy),
             ("4 clients, workers enough", DYNAMIC, 4, busy),
             ("16 clients, static", STATIC, 16, busy))
    for name, pm, clients, seconds in bench.pick(cases, cases[:2]):
        say(f"  the manager: {name}")
        wakes, calls = zip(*(manager_rates(c, bench.build, pm, clients, seconds) for c in SERVERS))
        table.row(f"manager's wake-ups per second: {name}", *wakes, "{:.2f}")
        table.row("— its system calls per second", *calls, "{:.2f}")


def herd(server_class, build, rounds=20):
    """How many of 16 idle workers a connection wakes, on average."""
    with server_class(build, {"mode": "static", "max_children": 16}) as server:
        script = server.script("<?php echo 'done';")
        settled()
        server.load(script, 200, 1)  # no worker's first request
        woken = 0
        for _ in range(rounds):
            time.sleep(0.05)
            before = {pid: switches(pid) for pid in server.workers()}
            server.load(script, 1, 1)
            time.sleep(0.05)
            woken += sum(switches(pid) != n for pid, n in before.items())
        return woken / rounds


def measure(bench):
    grow(bench, bench.table("How a pool grows"))
    table = bench.table("What the manager costs")
    rest(bench, table)
    table.row("workers of 16 that one connection wakes", *(herd(c, bench.build) for c in SERVERS), "{:.2f}")
