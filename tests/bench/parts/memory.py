# SPDX-License-Identifier: MIT
"""Memory of 64 workers with manager and template, or FPM's master: PSS, so that what is shared counts once."""

import time

from lib.wait import wait_until
from servers import SERVERS, pss
from table import rounds, say

WORKERS = 64
PM = {"mode": "static", "max_children": WORKERS}
HELLO_SLOWLY = '<?php usleep(500000); echo "Hello, world\\n";\n'  # so that each worker gets one
SETTLE = 1  # seconds until nothing more is started or freed


def measure_server(bench, server_class):
    """Alone: the other one would share the C library's pages with it."""
    with server_class(bench.build, PM) as server:
        script = server.script(HELLO_SLOWLY)
        wait_until(lambda: len(server.workers()) == WORKERS, what="all workers")
        time.sleep(SETTLE)
        idle = pss(server.processes())
        assert server.load(script, WORKERS, WORKERS)["answered"] == WORKERS
        time.sleep(SETTLE)
        workers = pss(server.workers())
        total = pss(server.processes())
        return {"idle": idle / 1024, "used": total / 1024, "worker": workers / WORKERS / 1024,
                "others": (total - workers) / 1024}


def measure(bench):
    table = bench.table(f"Memory of {WORKERS} workers (PSS of all processes)")
    say(f"  {WORKERS} workers each")
    results = rounds(SERVERS, lambda server_class: measure_server(bench, server_class), bench.pick(5, 1))
    table.figures(*results, (
        ("started, nothing served, MB", "idle", "{:.1f}"),
        ("after a hello-world each, MB", "used", "{:.1f}"),
        ("— a worker, MB", "worker", "{:.2f}"),
        ("— manager and template, or master, MB", "others", "{:.1f}"),
    ))
