# SPDX-License-Identifier: MIT
"""
Throughput of a closed loop, and latency at fixed rates, from when a request was due. Four workers, a hello-world.
The latency's plot is for new connections.
"""

from plot import plot
from servers import HELLO, both
from table import rounds, say

WORKERS = 4
PM = {"mode": "static", "max_children": WORKERS}
CLIENTS = (1, 4, 32)
OPEN_CLIENTS = 1000  # more than ever wait; a web server has a limit, too
SHARES = (10, 25, 50, 65, 75, 85, 90)  # percent of FPM's closed loop
QUICK_SHARES = (25, 75)
PERCENTILES = ("p50", "p99", "p99.9")


def closed_loop(bench, table, servers, script, keep):
    """Returns FPM's answers a second with the most clients."""
    for clients in CLIENTS:
        what = f"{'kept' if keep else 'new'} connections, {clients} client{'s' if clients > 1 else ''}"
        say(f"  closed loop: {what}")

        def run(server):
            result = server.load(script, bench.pick("1500ms", "300ms"), clients, keep)
            return {**result, "rate": result["answered"] / result["seconds"]}

        fpm, pool = rounds(servers, run, bench.pick(7, 3))
        table.figures(fpm, pool, [(f"{what}: requests/s (more is better)", "rate", "{:,.0f}"),
                                  *((f"— {p} latency, µs", p, "{:,.0f}") for p in ("p50", "p99"))])
        if any(r["starved"] for r in fpm + pool):
            table.figures(fpm, pool, [("— clients that were never served", "starved", "{:.0f}")])
    return sorted(r["rate"] for r in fpm)[len(fpm) // 2]


def open_loop(bench, table, servers, script, keep, full):
    """Returns {percentile: {server: [(rate, µs), …]}}."""
    points = {p: {server.name: [] for server in servers} for p in PERCENTILES}
    clients = WORKERS if keep else OPEN_CLIENTS
    for share in bench.pick(SHARES, QUICK_SHARES):
        rate = round(full * share / 100)
        what = f"{'kept' if keep else 'new'} connections, {rate:,} requests/s ({share} %)"
        say(f"  open loop: {what}")
        results = rounds(servers, lambda server: server.load(script, bench.pick("2s", "500ms"), clients, keep,
                                                             rate=rate), bench.pick(7, 1))
        for i, p in enumerate(PERCENTILES):
            table.figures(*results, [(f"{what}: p50, µs" if i == 0 else f"— {p}, µs", p, "{:,.0f}")])
            for server, result in zip(servers, results):
                values = sorted(r[p] for r in result)
                points[p][server.name].append((rate, values[len(values) // 2]))
    return points


def measure(bench):
    closed = bench.table(f"Throughput: a closed loop, {WORKERS} workers")
    with both(bench.build, PM) as servers:
        script = servers[0].script(HELLO)
        for server in servers:
            assert server.request(script).text == "Hello, world\n"
            server.load(script, 2000, 4)
        full = {keep: closed_loop(bench, closed, servers, script, keep) for keep in (False, True)}
        opened = bench.table(f"Latency at a fixed rate: an open loop, {WORKERS} workers, % of FPM's throughput")
        points = {keep: open_loop(bench, opened, servers, script, keep, full[keep]) for keep in (False, True)}
    bench.picture("latency", plot(
        "Latency of a hello-world from when it was due, new connections", "requests a second offered", "µs",
        {(name, p): points[False][p][name] for p in ("p50", "p99") for name in points[False][p]}))
