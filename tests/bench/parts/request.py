# SPDX-License-Identifier: MIT
"""
What one hello-world costs a worker: system calls (strace), instructions, time on a processor. One worker, one
client. Instructions come from the processor's counters; where a virtual machine has none, those of user mode are
counted one by one, and those of the kernel are not known.

Processor time is measured where the scheduler puts client and worker; with both on one processor; and with more
clients than workers, where nobody sleeps: waking another processor costs a virtual machine more than the request,
which hides the rest.
"""

import contextlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from lib.strace import traced
from servers import HELLO, both
from table import rounds, say

PM = {"mode": "static", "max_children": 1}
STEPPED = 1  # requests whose instructions are counted one by one, at up to 50 µs each: it is always the same
ROWS = (
    ("CPU, µs", "cpu", "{:.1f}"),
    ("— of it in the kernel, by the clock's tick, µs", "kernel", "{:.1f}"),
    ("median latency, µs", "p50", "{:.0f}"),
)
ROWS_ALONE = (("CPU, client and worker on one processor, µs", "cpu", "{:.1f}"),)
ROWS_BUSY = (("CPU, eight clients, µs", "cpu", "{:.1f}"),)


def kernel_time(pid):
    """Microseconds in the kernel. It is sampled: only good over seconds."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[12]
    return int(ticks) * 1e6 / os.sysconf("SC_CLK_TCK")


def count_calls(server, script, keep, n=500):
    with traced(server.workers()[0]) as calls:
        server.load(script, n, 1, keep)
    return {name: count / n for name, count in calls.items() if count / n >= 0.05}


def count_by_counters(server, script, keep, n=5000):
    """Instructions a request, of the program and of the kernel; None where there are no counters."""
    out = subprocess.run(["perf", "stat", "-x,", "-e", "instructions:u,instructions:k", "-p",
                          str(server.workers()[0]), "--", *map(str, server.load_command(script, n, 1, keep))],
                         capture_output=True, text=True)
    counts = re.findall(r"^(\d+),,instructions:", out.stderr, re.M)
    return [int(count) / n for count in counts] if len(counts) == 2 else None


def count_by_steps(server, script, keep):
    counter = subprocess.Popen([f"{server.build}/tests/instructions", str(server.workers()[0])],
                               stdout=subprocess.PIPE, text=True)
    status = Path(f"/proc/{server.workers()[0]}/status")
    while re.search(r"TracerPid:\s*0\n", status.read_text()):
        assert counter.poll() is None, "the worker cannot be traced"
    server.load(script, STEPPED, 1, keep)
    counter.send_signal(signal.SIGINT)
    return int(counter.communicate()[0]) / STEPPED


@contextlib.contextmanager
def one_processor(servers):
    """For the workers, and for what this process starts."""
    pids = [0, *(pid for server in servers for pid in server.workers())]
    allowed = os.sched_getaffinity(0)
    try:
        for pid in pids:
            os.sched_setaffinity(pid, {min(allowed)})
        yield
    finally:
        for pid in pids:
            os.sched_setaffinity(pid, allowed)


def measure_round(server, script, keep, n, clients):
    pid = server.workers()[0]
    cpu, kernel = server.cpu(), kernel_time(pid)
    result = server.load(script, n, clients, keep)
    return {"cpu": (server.cpu() - cpu) / n, "kernel": (kernel_time(pid) - kernel) / n, "p50": result["p50"]}


def measure_connections(bench, table, servers, script, what, keep):
    say(f"  {what}")
    for server in servers:
        assert server.request(script).text == "Hello, world\n"
        server.load(script, 2000, 1, keep)
    calls = [count_calls(server, script, keep) for server in servers]
    table.row(f"{what}: system calls", *(sum(c.values()) for c in calls), "{:.1f}")

    counts = [count_by_counters(server, script, keep) for server in servers]
    if None in counts:
        steps = [count_by_steps(server, script, keep) for server in servers]
        table.row(f"{what}: instructions of the program", *steps)
    else:
        for i, of in enumerate(("the program", "the kernel")):
            table.row(f"{what}: instructions of {of}", *(count[i] for count in counts))

    def measure_rounds(rows, clients=1):
        n = bench.pick(10000, 3000)
        results = rounds(servers, lambda server: measure_round(server, script, keep, n, clients), bench.pick(9, 3))
        table.figures(*results, [(f"{what}: {name}", key, form) for name, key, form in rows])

    measure_rounds(ROWS)
    with one_processor(servers):
        measure_rounds(ROWS_ALONE)
    if not keep:  # PHP-FPM would serve one of them
        measure_rounds(ROWS_BUSY, clients=8)
    return calls


def measure(bench):
    table = bench.table("The path of a request")
    notes = []
    for tcp in bench.pick((False, True), (False,)):
        with both(bench.build, PM, tcp) as servers:
            script = servers[0].script(HELLO)
            for keep in (False, True):
                what = f"{'TCP' if tcp else 'Unix socket'}, {'kept' if keep else 'new'} connection"
                for server, calls in zip(servers, measure_connections(bench, table, servers, script, what, keep)):
                    if not tcp:
                        notes.append(f"{what}, {server.name}: " + ", ".join(
                            f"{name} {n:.3g}" for name, n in sorted(calls.items(), key=lambda c: -c[1])))
    table.note("System calls a request:\n\n" + "\n".join(f"- {note}" for note in notes))
