# SPDX-License-Identifier: MIT
"""Watchdog pings say that the pool can serve; STATUS= and the status say what it does, and what waits."""

import os
import signal
import socket

import pytest

from lib import fastcgi
from lib.load import Load
from lib.proc import switches
from lib.scripts import HELLO, LONG, Running, hang, streaming
from lib.wait import wait_until

# Pings come every 200 ms.
WATCHDOG = {"WATCHDOG_USEC": "400000"}

STATIC = 'pm = {{ mode = "static"; max_children = {}; }}; watchdog_stall = "{}";\n'


@pytest.fixture
def watched(make_daemon):
    """Makes a Daemon that is asked for pings."""
    def make(children=2, stall="1s", conf=""):
        daemon = make_daemon(STATIC.format(children, stall) + conf)
        daemon.environment = {**daemon.environment, **WATCHDOG}
        return daemon
    return make


def pings(daemon):
    return sum("WATCHDOG" in n for n in daemon.notifications)


def last_status(daemon):
    return next(n["STATUS"] for n in reversed(daemon.notifications) if "STATUS" in n)


def wait_pings(daemon, n):
    """Waits for so many pings more."""
    before = pings(daemon)
    wait_until(lambda: pings(daemon) >= before + n, what=f"{n} pings")


def wait_withheld(daemon, word):
    """Waits until STATUS= has the reason; the number of pings until then."""
    wait_until(lambda: word in last_status(daemon), 40, f"{word} in STATUS=")
    assert "withheld" in last_status(daemon)
    return pings(daemon)


class Hanging:
    """Every worker of the pool runs hang(), and `waiting` more connections want something of it."""

    def __init__(self, daemon, workers=2, waiting=1):
        self.daemon = daemon
        script = daemon.script("hang.php", hang(daemon.gate("hang")))
        self.running = [Running(daemon, script) for _ in range(workers)]
        self.hello = daemon.script("hello.php", HELLO)
        self.waiting = [daemon.connect() for _ in range(waiting)]
        for connection in self.waiting:
            connection.start(self.hello)

    def end(self):
        """Lets them end; what waits is answered."""
        self.daemon.open_gate("hang")
        assert all(running.finish() for running in self.running)
        for connection in self.waiting:
            with connection:
                assert connection.response().text == "hello"


def test_pings_while_all_is_well(watched):
    with watched() as daemon:
        wait_pings(daemon, 3)
        assert daemon.status()["health"] == "ok"
        running = [Running(daemon, daemon.script("long.php", LONG)) for _ in range(2)]
        assert all(r.finish() for r in running)  # busy for longer than the stall, but nobody waits
        wait_pings(daemon, 3)
        assert "withheld" not in daemon.logged()


def test_without_a_watchdog_nothing_is_withheld(make_daemon):
    with make_daemon(STATIC.format(1, "1s")) as daemon:
        assert daemon.status()["health"] == "not watched"
        hanging = Hanging(daemon, workers=1)
        wait_until(lambda: daemon.status()["listen-queue"] == 1, what="the queue")
        hanging.end()
        assert pings(daemon) == 0 and "withheld" not in daemon.logged()


def test_every_worker_hangs(watched):
    """Pings stop, with the reason in STATUS=, in the log and in the status; when requests end again, they go on."""
    with watched() as daemon:
        hanging = Hanging(daemon)
        count = wait_withheld(daemon, "watchdog_stall")
        assert "2 active, 0 idle, 1 queued" in last_status(daemon)
        wait_until(lambda: "withholds its watchdog pings" in daemon.logged(), what="the record")
        assert daemon.logged().count("withholds its watchdog pings") == 1
        assert "watchdog_stall" in daemon.status()["health"]
        assert pings(daemon) == count

        hanging.end()
        wait_until(lambda: pings(daemon) > count, what="a ping")
        wait_until(lambda: "gives watchdog pings again" in daemon.logged(), what="the record")
        wait_until(lambda: "withheld" not in last_status(daemon), what="STATUS= without it")
        assert daemon.status()["health"] == "ok"


def test_busy_with_connections_waiting_is_no_stall(watched):
    """Requests end all the time, only not those of three of the four workers."""
    with watched(children=4) as daemon:
        hanging = Hanging(daemon, workers=3, waiting=0)
        slow = daemon.script("slow.php", "<?php usleep(300000); echo 'done';")
        clients = [daemon.connect() for _ in range(12)]
        for client in clients:
            client.start(slow)
        for client in clients:
            with client:
                assert client.response().text == "done"
        assert daemon.status()["max-listen-queue"] > 0
        hanging.end()
        assert "withholds" not in daemon.logged()


def test_output_that_clients_take_is_no_stall(watched):
    """Every worker streams, for longer than the stall, and one more client waits: a download, or an event source."""
    with watched(children=2, stall="1s") as daemon:
        script, hello = daemon.script("stream.php", streaming(100000)), daemon.script("hello.php", HELLO)
        with daemon.connect() as one, daemon.connect() as two, daemon.connect() as waiting:
            for connection in (one, two):
                connection.start(script)
            wait_until(lambda: daemon.status()["active-processes"] == 2, what="two busy workers")
            waiting.start(hello)
            assert [len(connection.response().body) for connection in (one, two)] == [600000, 600000]
            assert waiting.response().text == "hello"
        assert "withholds" not in daemon.logged()


def test_a_body_that_comes_is_no_stall(watched):
    """A piece of it with each ping, for longer than the stall: an upload over a slow line."""
    with watched(children=1, stall="1s") as daemon:
        code = "<?php echo strlen(file_get_contents('php://input'));"
        params = fastcgi.parameters(daemon.script("upload.php", code), "POST", body_length=12,
                                    extra={"CONTENT_TYPE": "application/octet-stream"})
        hello = daemon.script("hello.php", HELLO)
        with daemon.connect() as upload, daemon.connect() as waiting:
            upload.send(fastcgi.begin() + fastcgi.stream(fastcgi.PARAMS, fastcgi.encode_pairs(params)))
            wait_until(lambda: daemon.status()["active-processes"] == 1, what="a busy worker")
            waiting.start(hello)
            for _ in range(12):
                wait_pings(daemon, 1)
                upload.send(fastcgi.record(fastcgi.STDIN, b"x"))
            upload.send(fastcgi.record(fastcgi.STDIN, b""))
            assert upload.response().text == "12" and waiting.response().text == "hello"
        assert "withholds" not in daemon.logged()


def test_output_that_no_client_takes_is_a_stall(watched):
    """What the socket's buffer took was progress, once."""
    with watched(children=1, stall="1s") as daemon:
        script = daemon.script("endless.php", "<?php while (true) echo str_repeat('x', 65536);")
        with daemon.connect() as idle, daemon.connect() as waiting:
            idle.start(script)
            wait_until(lambda: daemon.status()["active-processes"] == 1, what="a busy worker")
            waiting.start(script)
            wait_withheld(daemon, "watchdog_stall")


def test_a_burst_after_a_long_silence_is_no_stall(watched):
    """What counts is since when all are busy, not when the last request ended."""
    with watched(stall="1s") as daemon:
        assert daemon.run(HELLO) == "hello"
        wait_pings(daemon, 8)  # a silence of more than a second
        since = pings(daemon)
        hanging = Hanging(daemon)
        wait_pings(daemon, 2)
        assert pings(daemon) - since >= 2 and "withholds" not in daemon.logged()
        hanging.end()


def test_a_dead_worker_is_progress_too(watched):
    """As when each hanging request is ended by its time limit."""
    with watched(children=1) as daemon:
        hanging = Hanging(daemon, workers=1)
        wait_withheld(daemon, "watchdog_stall")
        (worker,) = daemon.workers()
        os.kill(worker, signal.SIGKILL)
        with hanging.waiting[0] as connection:
            assert connection.response().text == "hello"
        wait_pings(daemon, 2)
        assert "gives watchdog pings again" in daemon.logged()
        hanging.running[0].connection.close()


def test_template_that_cannot_be_replaced(watched, tmp_path):
    """Workers go on, but pings stop after some attempts, as none can be replaced; until PHP starts again."""
    ini = tmp_path / "php.ini"
    ini.touch()
    with watched(conf=f'php = {{ ini = "{ini}"; }};') as daemon:
        ini.write_text(f"opcache.enable=1\nopcache.preload={tmp_path}/none.php\nopcache.preload_user=root\n")
        (template,) = daemon.templates()
        os.kill(template, signal.SIGKILL)
        count = wait_withheld(daemon, "template")
        assert daemon.logged().count("cannot replace its template") >= 4
        assert "cannot be started again" in daemon.status()["health"]
        assert daemon.run(HELLO) == "hello"
        assert pings(daemon) == count

        ini.write_text("")
        daemon.reload()  # or wait for the next attempt, up to half a minute
        wait_until(lambda: pings(daemon) > count, what="a ping")
        assert daemon.templates() and daemon.status()["health"] == "ok"


def test_stop_while_the_template_cannot_be_replaced(watched, tmp_path):
    """By the watchdog, for that reason; requests have their time."""
    ini = tmp_path / "php.ini"
    ini.touch()
    with watched(conf=f'php = {{ ini = "{ini}"; }};') as daemon:
        running = Running(daemon, daemon.script("hang.php", hang(daemon.gate("hang"))))
        ini.write_text(f"opcache.enable=1\nopcache.preload={tmp_path}/none.php\nopcache.preload_user=root\n")
        (template,) = daemon.templates()
        os.kill(template, signal.SIGKILL)
        wait_withheld(daemon, "template")
        daemon.process.send_signal(signal.SIGTERM)
        daemon.wait_notified(lambda n: n.get("STOPPING") == "1")
        daemon.open_gate("hang")
        assert running.finish() and daemon.process.wait(20) == 0
        assert "Pool www stops: systemd's watchdog restarts it, since PHP's template cannot be started again." \
            in daemon.logged()


def test_stop_while_pings_are_withheld(watched):
    """systemd lost patience: what hangs is not waited for as long as reload.drain_timeout, and STATUS= says why."""
    with watched(conf='reload = { drain_timeout = "10min"; };') as daemon:
        hanging = Hanging(daemon)
        wait_withheld(daemon, "watchdog_stall")
        assert daemon.stop(timeout=20) == 0
        assert last_status(daemon).startswith("stopping") and "watchdog_stall" in last_status(daemon)
        reason = "systemd's watchdog restarts the pool, and requests that hang are given five seconds more"
        assert "Pool www stops: systemd's watchdog restarts it, since every request hangs." in daemon.logged()
        assert f"2 workers, 2 of them with a request, did not end and must be killed: {reason}." in daemon.logged()
        assert daemon.logged().count(f"was killed by SIGKILL ({reason})") == 2
        assert "drain_timeout" not in daemon.logged()
        for connection in [*hanging.waiting, *(r.connection for r in hanging.running)]:
            connection.close()


def test_stop_while_an_earlier_generation_hangs_too(watched):
    """Nor is it waited for without end, where a reload left it to finish."""
    with watched(children=1, conf='reload = { drain_timeout = "0"; };') as daemon:
        old = Hanging(daemon, workers=1, waiting=0)
        daemon.reload()
        new = Running(daemon, daemon.script("other.php", hang(daemon.gate("other"))))
        with daemon.connect() as waiting:
            waiting.start(old.hello)
            wait_withheld(daemon, "watchdog_stall")
            assert daemon.stop(timeout=20) == 0
        for generation in (1, 2):
            assert f"generation {generation}: 1 worker, 1 of them with a request, did not end" in daemon.logged()
        for running in (*old.running, new):
            running.connection.close()


# ---- STATUS= and the queue ----

def test_status_line(daemon):
    script = daemon.script("hello.php", HELLO)
    for _ in range(20):
        daemon.get(script)
    daemon.wait_idle(2)
    os.kill(next(iter(daemon.workers())), signal.SIGKILL)  # something happens, after which it looks
    daemon.wait_notified(lambda n: "20 requests" in n.get("STATUS", ""))
    line = next(n["STATUS"] for n in daemon.notifications if "20 requests" in n.get("STATUS", ""))
    for part in ("running: ", " active, ", " idle, ", " 0 queued, ", "/s, ", " 0 slow, ", " 0 parked connections, ",
                 " generation 1"):
        assert part in line, line


def test_rate(watched):
    """Of requests since the line before; when nothing comes any more it is 0, and then no line comes either."""
    with watched() as daemon:
        script = daemon.script("hello.php", HELLO)
        for _ in range(50):
            daemon.get(script)
        daemon.wait_notified(lambda n: "50 requests" in n.get("STATUS", ""))
        rates = [float(n["STATUS"].split("/s")[0].rpartition(" ")[2]) for n in daemon.notifications if "STATUS" in n]
        assert 0 < max(rates) <= 50
        daemon.wait_notified(lambda n: "50 requests, 0.0/s" in n.get("STATUS", ""))
        lines = sum("STATUS" in n for n in daemon.notifications)
        wait_pings(daemon, 12)
        assert sum("STATUS" in n for n in daemon.notifications) == lines


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_queue(make_daemon, kind):
    """Connections that no worker has taken, as php-poolctl shows them."""
    daemon = make_daemon(STATIC.format(1, "30s"))
    port = fastcgi.free_port()
    if kind == "tcp":
        def connect(timeout=30):
            return fastcgi.Connection(socket.create_connection(("127.0.0.1", port), timeout))

        daemon.connect = connect
        daemon.launch(listen=f"127.0.0.1:{port}")
        wait_until(lambda: knocks(daemon), what="systemd-socket-activate listening")
    else:
        daemon.launch()
    try:
        daemon.wait_notified(lambda n: n.get("READY") == "1")
        daemon.wait_idle(1)
        status = daemon.status()
        assert status["listen-queue"] == 0 and status["listen-queue-len"] >= 128, status
        hanging = Hanging(daemon, workers=1, waiting=5)
        status = daemon.status()
        assert (status["listen-queue"], status["max-listen-queue"], status["slow-requests"]) == (5, 5, 0)
        keys = list(status)
        at = keys.index("accepted-conn")
        assert keys[at + 1:at + 4] == ["listen-queue", "max-listen-queue", "listen-queue-len"]
        hanging.end()
        status = daemon.status()
        assert (status["listen-queue"], status["max-listen-queue"]) == (0, 5)
        daemon.stop()
    finally:
        daemon._end()


def knocks(daemon):
    try:
        daemon.connect().close()
        return True
    except ConnectionRefusedError:
        return False


def test_queue_has_parked_connections_that_speak(daemon):
    """Kept connections that want something while all workers are busy."""
    script = daemon.script("hello.php", HELLO)
    kept = [daemon.connect() for _ in range(6)]
    for connection in kept:
        assert connection.request(script, keep=True).text == "hello"
    hanging = Hanging(daemon, waiting=0)
    wait_until(lambda: daemon.status()["parked-connections"] == 6, what="all parked")
    for connection in kept:
        connection.start(script, keep=True)
    wait_until(lambda: daemon.status()["listen-queue"] == 6, what="all in the queue")
    hanging.end()
    for connection in kept:
        with connection:
            assert connection.response().text == "hello"


# ---- What it costs ----

@pytest.mark.parametrize("mode", ["static", "dynamic", "ondemand"])
def test_a_full_pool_wakes_nobody(make_daemon, mode):
    """Six clients on two workers that may not become more: no connection is the manager's business."""
    spare = "min_spare_servers = 1; max_spare_servers = 1; " if mode == "dynamic" else ""
    with make_daemon(f'pm = {{ mode = "{mode}"; max_children = 2; {spare}}};') as daemon:
        script = daemon.script("short.php", "<?php usleep(2000); echo 'done';")
        with Load(lambda: daemon.get(script), clients=6) as load:
            load.wait_for(100)
            assert len(daemon.workers()) == 2
            before = daemon.switches()
            load.wait_for(600)
            woken = daemon.switches() - before
        assert load.lost == []
        # STATUS= and what began before: by the second, not by the request.
        assert woken < 60, f"{woken} wake-ups for 600 requests"


def test_a_connection_wakes_one_worker(make_daemon):
    with make_daemon('pm = { mode = "static"; max_children = 8; };') as daemon:
        daemon.wait_idle(8)
        script = daemon.script("hello.php", HELLO)
        before = {pid: switches(pid) for pid in daemon.workers()}
        for _ in range(5):
            daemon.get(script)
        woken = sum(switches(pid) - before[pid] for pid in before)
        # Waiting again is one; waiting for the request of a fast connection, and for its end, may be others.
        assert woken <= 5 * 3, f"{woken} wake-ups of workers for 5 connections"


def test_an_idle_pool_wakes_for_pings_only(watched):
    with watched() as daemon:
        daemon.wait_idle(2)
        # Its last words about that, then some quiet.
        wait_until(lambda: "0 active, 2 idle" in last_status(daemon), what="STATUS= of an idle pool")
        wait_pings(daemon, 8)
        before, said = daemon.switches(), pings(daemon)
        wait_pings(daemon, 20)
        woken, said = daemon.switches() - before, pings(daemon) - said
        assert woken <= said + 1, f"{woken} wake-ups for {said} pings"
