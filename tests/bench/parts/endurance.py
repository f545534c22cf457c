# SPDX-License-Identifier: MIT
"""A million requests on kept connections, through nginx and through Apache: errors, descriptors, memory."""

from frontends import ab, frontend, write_apache, write_nginx
from lib.wait import wait_until
from servers import HELLO, Pool, descriptors, pss
from table import say

PM = {"mode": "static", "max_children": 4}
CLIENTS = 32
WARM_UP = 20_000
FRONTENDS = {"nginx, fastcgi_keep_conn on": write_nginx, "Apache, enablereuse=on": write_apache}


def state(server):
    workers = server.workers()
    groups = {"manager": [server.pid], "workers": workers,
              "template": [pid for pid in server.processes() if pid != server.pid and pid not in workers]}
    return {name: (descriptors(pids), pss(pids)) for name, pids in groups.items()}


def measure(bench):
    requests = bench.pick(1_000_000, 50_000)
    table = bench.table(f"{requests:,} requests on kept connections, 4 workers, {CLIENTS} clients: before and after")
    for name, write in FRONTENDS.items():
        say(f"  {name}")
        with Pool(bench.build, PM) as server:
            script = server.script(HELLO)
            server.request(script)
            idle = descriptors([server.pid])
            with frontend(write, [(server, script, True)]) as (url,):
                ab(url, CLIENTS, "-n", str(WARM_UP))
                before = state(server)
                result = ab(url, CLIENTS, "-n", str(requests))
                after = state(server)
            # What the manager has more than at first are connections that the web server keeps.
            wait_until(lambda: descriptors([server.pid]) <= idle, what="no descriptor left behind")
        table.row(f"{name}: answered, errors", None, f"{result['answered']:,.0f}, {result['errors']:.0f}")
        for group in before:
            (fds, size), (fds_after, size_after) = before[group], after[group]
            table.row(f"— {group}: descriptors; memory (PSS), KB", None,
                      f"{fds} → {fds_after}; {size:,} → {size_after:,}")
