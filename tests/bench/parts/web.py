# SPDX-License-Identifier: MIT
"""Through nginx: requests a second and latency, its FastCGI connections new for each request, or kept."""

from frontends import ab, frontend, write_nginx
from servers import HELLO, both
from table import rounds, say

WORKERS = 4
PM = {"mode": "static", "max_children": WORKERS}
CLIENTS = (4, 32)


def measure(bench):
    table = bench.table(f"Through nginx, {WORKERS} workers")
    with both(bench.build, PM) as servers:
        script = servers[0].script(HELLO)
        for server in servers:
            server.load(script, 2000, WORKERS)
        for keep in (False, True):
            # One at a time: when FPM's kept connections starve, those of the next round shall not.
            for clients in CLIENTS:
                what = f"fastcgi_keep_conn {'on' if keep else 'off'}, {clients} clients"
                say(f"  {what}")

                def run(server):
                    with frontend(write_nginx, [(server, script, keep)]) as (url,):
                        return ab(url, clients, "-t", str(bench.pick(3, 1)))

                fpm, pool = rounds(servers, run, bench.pick(5, 1))
                table.figures(fpm, pool, (
                    (f"{what}: requests/s (more is better)", "rate", "{:,.0f}"),
                    ("— p50 latency, µs", "p50", "{:,.0f}"),
                    ("— p99 latency, µs", "p99", "{:,.0f}")))
                if any(r["errors"] for r in fpm + pool):
                    table.figures(fpm, pool, [("— errors", "errors", "{:,.0f}")])
