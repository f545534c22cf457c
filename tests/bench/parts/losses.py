# SPDX-License-Identifier: MIT
"""
What a pool loses under load while its processes come and go: in a real systemd, with the units as they are
installed. Eight clients, each with a new connection a request, check each answer. One that lost a request
waits as long as a request takes: a server that refuses loses no more than one that is slow.
"""

import collections
import itertools
import time

from lib import fastcgi
from lib.load import Load
from lib.machine import Machine
from lib.php import FPM_DIR, FPM_SERVICE, FPM_SOCKET
from lib.wait import wait_until
from table import say

CLIENTS = 8
ANSWER_TIMEOUT = 10  # seconds after which a request counts as lost
SCRIPT = "<?php usleep(mt_rand(5000, 20000)); echo 'done ', $_SERVER['QUERY_STRING'];"
PM = {"max_children": 16, "start_servers": 4, "min_spare_servers": 2, "max_spare_servers": 6}
# Debian's unit restarts nothing, and systemd starts it 5 times in 10 s at most.
FPM_UNIT = "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=on-failure\n"


class Service:
    def __init__(self, machine, unit, socket, workers, template=None):
        self.machine, self.unit, self.socket = machine, unit, socket
        self.workers, self.template = workers, template  # patterns for pgrep -f

    def connect(self):
        return fastcgi.connect_unix(self.machine.path(self.socket), ANSWER_TIMEOUT)

    def one(self, pattern):
        """The process id of one of those, any; 0 without one."""
        return int(self.machine.run("sh", "-c", f"pgrep -f '{pattern}' | shuf -n1").stdout or 0)

    def kill(self, pattern):
        """One of the processes, as soon as there is one."""
        self.machine.run("sh", "-c", f"while ! pid=$(pgrep -f '{pattern}'); do sleep 0.05; done; "
                                     "kill -KILL $(echo $pid | tr ' ' '\\n' | shuf -n1)", check=False)


# ---- What happens to it ----

def reload(service, load):
    service.machine.systemctl("reload", service.unit)
    load.wait_for(100)


def restart(service, load):
    service.machine.systemctl("restart", service.unit)
    load.wait_for(50)


def kill_worker(service, load):
    service.kill(service.workers)
    load.wait_for(20)


def kill_template(service, load):
    """php-pool waits longer and longer before it replaces a template that dies young: so does this."""
    service.kill(service.template)
    load.wait_for(50)


def kill_manager(service, load):
    machine, before = service.machine, service.machine.show(service.unit, "MainPID")
    machine.systemctl("kill", "--signal=KILL", "--kill-who=main", service.unit)

    def another():
        return (machine.show(service.unit, "ActiveState") == "active" and
                machine.show(service.unit, "MainPID") != before)

    wait_until(another, 30, f"{service.unit} is there again")
    load.wait_for(50)


# And how often it happens.
EVENTS = {
    "reloads": (100, reload),
    "restarts": (50, restart),
    "kills of a worker": (100, kill_worker),
    "kills of the template": (10, kill_template),
    "kills of the manager": (10, kill_manager),
}


# ---- How it is counted ----

def client(service, script):
    numbers = itertools.count()

    def send():
        query = f"n={next(numbers)}"
        try:
            with service.connect() as connection:
                response = connection.request(script, query=query)
                assert response.status == 200 and response.text == f"done {query}", response
        except Exception:
            time.sleep(0.02)
            raise

    return send


def lost(service, script, event, rounds):
    """ "lost / answered", and the slowest answer, of that many rounds."""
    with Load(client(service, script), CLIENTS, limit=10_000_000) as load:
        load.wait_for(50)
        for _ in range(rounds):
            event(service, load)
    return f"{len(load.lost)} / {load.answered} ({load.slowest:.2f} s)", load.lost


def start_fpm(machine):
    machine.run("sh", "-c", f"cat >>{FPM_DIR}/pool.d/www.conf",
                input="".join(f"pm.{name} = {value}\n" for name, value in PM.items()))
    machine.write(f"/etc/systemd/system/{FPM_SERVICE}.d/bench.conf", FPM_UNIT)
    machine.systemctl("daemon-reload")
    machine.systemctl("start", FPM_SERVICE)
    return Service(machine, FPM_SERVICE, FPM_SOCKET, "^php-fpm: pool www")


def let_fpm_finish(machine):
    """FPM's old workers finish their request at a reload, if it is told to wait for them."""
    machine.run("sed", "-i", "s/^;*process_control_timeout.*/process_control_timeout = 10s/",
                f"{FPM_DIR}/php-fpm.conf")
    machine.systemctl("restart", FPM_SERVICE)


def measure(bench):
    table = bench.table("What is lost: “lost / answered (slowest answer)”")
    with Machine(bench.build) as machine, machine.pool("bench", "pm = { %s };" % " ".join(
            f"{name} = {value};" for name, value in PM.items())) as pool:
        script = pool.script("script.php", SCRIPT)
        pool.start()
        php_pool = Service(machine, pool.unit, "/run/php-pool/bench.sock",
                           "^php-pool-worker: bench .worker", "^php-pool-worker: bench .template")
        fpm = start_fpm(machine)
        reasons = []
        for name, (often, event) in EVENTS.items():
            rounds, row = bench.pick(often, max(often // 50, 2)), []
            say(f"  {rounds} {name}")
            for service in (fpm, php_pool):
                if event is kill_template and not service.template:
                    row.append(None)
                    continue
                text, why = lost(service, script, event, rounds)
                row.append(text)
                if service is php_pool:
                    reasons += [f"{name}: {w}" for w in why]
            table.row(f"{rounds} {name}", *row)
        rounds = bench.pick(EVENTS["reloads"][0], 2)
        let_fpm_finish(machine)
        text, _ = lost(fpm, script, reload, rounds)
        table.row(f"{rounds} reloads, FPM's process_control_timeout=10s", text, None)
        machine.systemctl("stop", FPM_SERVICE)
    for reason, n in collections.Counter(reasons).items():
        table.note(f"php-pool lost {n}, {reason}")
