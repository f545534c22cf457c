# SPDX-License-Identifier: MIT
"""
Kept connections on four workers: many that send a request now and then, many that are busy, and thousands that
are idle. PHP-FPM's worker stays with its connection, so those beyond the fourth wait until one is closed.
"""

import contextlib
import json
import resource
import subprocess

from servers import HELLO, Fpm, both, descriptors, pss
from table import rounds, say

WORKERS = 4
PM = {"mode": "static", "max_children": WORKERS}
RATE = 2000  # requests a second, of all connections together
NUMBERS = (4, 16, 64, 1000)
LEFT = 5000  # descriptors that the manager leaves free for other things, or more
IDLE = min(15000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - LEFT)
FPM_IDLE = 64  # enough: four of them hold its workers
PATIENCE = "2s"


def now_and_then(bench, table, servers, script):
    for n in NUMBERS:
        say(f"  {n} connections, {RATE} requests/s")
        results = rounds(servers, lambda server: server.load(
            script, bench.pick("6s", "1s"), n, keep=True, rate=RATE, patience=PATIENCE), bench.pick(3, 1))
        table.figures(*results, (
            (f"{n:,} connections, {RATE:,} requests/s: answered (more is better)", "answered", "{:,.0f}"),
            ("— connections that were never served", "starved", "{:,.0f}"),
            ("— p50 latency, µs", "p50", "{:,.0f}"),
            ("— p99 latency, µs", "p99", "{:,.0f}")))


def busy(bench, table, servers, script):
    say("  64 busy connections")

    def run(server):
        few, many = (server.load(script, bench.pick("2s", "500ms"), n, keep=True, patience=PATIENCE)
                     for n in (WORKERS, 64))
        rate = many["answered"] / many["seconds"]
        return {**many, "rate": rate, "share": rate / (few["answered"] / few["seconds"])}

    results = rounds(servers, run, bench.pick(5, 2))
    table.figures(*results, (
        ("64 busy connections: requests/s (more is better)", "rate", "{:,.0f}"),
        ("— in parts of 4 busy connections'", "share", "{:.2f}"),
        ("— connections that were never served", "starved", "{:,.0f}")))


@contextlib.contextmanager
def held(server, script, n):
    """n connections that had an answer each, or did not, and are open. Yields how many had one."""
    command = server.load_command(script, n, n, keep=True, patience=PATIENCE)
    with subprocess.Popen([*command[:1], "--hold", *command[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        yield json.loads(process.stdout.readline())["answered"]
        process.stdin.close()


def new_connections(bench, server, script):
    """The median latency on new connections; None if they are not answered."""
    result = server.load(script, bench.pick("3s", "1s"), 1, rate=500, patience=PATIENCE)
    return result["p50"] if result["answered"] else None


def idle(bench, table):
    say(f"  {IDLE} idle connections")
    before, during, memory, served, held_open = {}, {}, {}, {}, {}
    with both(bench.build, PM) as servers:
        for server in servers:
            n = FPM_IDLE if isinstance(server, Fpm) else bench.pick(IDLE, min(IDLE, 5000))
            script = server.script(HELLO)
            server.load(script, 1000, 4)
            before[server], size = new_connections(bench, server, script), pss([server.pid])
            files = descriptors(server.processes())
            with held(server, script, n) as answered:
                served[server] = f"{answered:,} of {n:,}"
                memory[server] = (pss([server.pid]) - size) * 1024 / n
                during[server] = new_connections(bench, server, script)
                held_open[server] = descriptors(server.processes()) - files
    fpm, pool = servers
    table.row("idle connections: served once each", served[fpm], served[pool])
    table.row("— of them held open", *(f"{held_open[server]:,}" for server in servers))
    table.row("— a new connection meanwhile: median latency, µs",
              *(("never served" if during[server] is None else during[server]) for server in servers))
    table.row("— without them, µs", before[fpm], before[pool])
    table.row("— the manager's memory, bytes a connection", None, memory[pool])


def measure(bench):
    table = bench.table(f"Kept connections on {WORKERS} workers")
    with both(bench.build, PM) as servers:
        script = servers[0].script(HELLO)
        for server in servers:
            server.load(script, 2000, 4)
        now_and_then(bench, table, servers, script)
        busy(bench, table, servers, script)
    idle(bench, table)
