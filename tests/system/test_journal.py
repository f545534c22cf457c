# SPDX-License-Identifier: MIT
"""What `journalctl -u php-pool@www` has: PHP's messages with fields, stderr whole, obituaries of workers."""

import json
import re

from lib.messages import MESSAGE_ID
from lib.wait import wait_until

WARNING = """<?php
trigger_error('the milk is sour', E_USER_WARNING);
echo getmypid();
"""


def test_a_warning_has_its_fields(pool):
    script = pool.script("warn.php", WARNING)
    response = pool.request(script, method="POST", body=b"a=1", uri="/warn.php?cup=1", query="cup=1")
    record = pool.logged(lambda r: "the milk is sour" in r["MESSAGE"])
    wanted = {
        "PHP_POOL": "www", "PHP_GENERATION": str(pool.status()["generation"]), "PHP_SCRIPT": script,
        "REQUEST_METHOD": "POST", "REQUEST_URI": "/warn.php?cup=1", "CODE_FILE": script, "CODE_LINE": "2",
        "PRIORITY": "4", "SYSLOG_IDENTIFIER": "php-pool", "MESSAGE_ID": MESSAGE_ID["PHP"],
    }
    assert {name: record.get(name) for name in wanted} == wanted
    assert int(record["PHP_WORKER_PID"]) == int(record["_PID"])
    assert int(record["PHP_WORKER_PID"]) in pool.children()
    assert str(int(record["PHP_WORKER_PID"])) in response.text
    assert record["_SYSTEMD_UNIT"] == pool.unit


def test_what_is_logged_reaches_the_web_server(pool):
    response = pool.request(pool.script("warn.php", WARNING))
    assert b"PHP message: PHP Warning:  the milk is sour" in response.err


def test_levels(pool):
    pool.request(pool.script("page.php", """<?php
        trigger_error('a deprecated one', E_USER_DEPRECATED);
        trigger_error('a notice', E_USER_NOTICE);
        error_log('said plainly');
        throw new Exception('thrown far');"""))
    levels = {"a notice": "5", "said plainly": "5", "thrown far": "3"}
    for text, level in levels.items():
        record = pool.logged(lambda r: text in r["MESSAGE"])
        assert record["PRIORITY"] == level, record


def test_a_message_of_many_lines_is_one_record(pool):
    pool.run(r"""<?php error_log("first line\nsecond line");""")
    record = pool.logged(lambda r: "first line" in r["MESSAGE"])
    assert "first line\nsecond line" in record["MESSAGE"]


NOISE = """<?php
for ($i = 0; $i < $_GET['n']; $i++) {
    trigger_error('the milk is sour', E_USER_WARNING);
    error_log('plainly');
}
echo getmypid();
"""


def test_a_stopped_journal_holds_nobody(machine):
    """PHP's messages, refused clients, the manager and a reload: all go on, and what was lost is told once."""
    port = 9123
    conf = ('pm = { mode = "static"; max_children = 2; };\n'
            'security = { allowed_clients = [ "127.0.0.9" ]; };\n')
    service = "[Service]\nLogRateLimitIntervalSec=0\n"
    with machine.pool("www", conf, service, f"[Socket]\nListenStream=127.0.0.1:{port}\n") as pool:
        pool.start()
        noise = pool.script("noise.php", NOISE)
        old = pool.children()
        with machine.stopped_journal():
            with pool.connect() as one, pool.connect() as two:
                # More than journald's socket holds, by each worker.
                texts = {connection.request(noise, query="n=1000", keep=True).text for connection in (one, two)}
            assert all(text.isdigit() for text in texts)
            for _ in range(3):
                with machine.tcp(port) as refused:
                    assert refused.recv(1) == b""
            machine.run("kill", "-KILL", texts.pop())  # an obituary of the manager's
            wait_until(lambda: pool.status()["idle-processes"] == 2, what="two idle workers")
            pool.ctl("reload", "www")
            assert pool.status()["generation"] == 2
            wait_until(lambda: not pool.children().keys() & old.keys(), what="no process of the old generation")
            assert pool.get(noise, query="n=1").isdigit()

        told = f"MESSAGE_ID={MESSAGE_ID['LOG_LOST']}"
        pool.ctl("reload", "www")
        record = pool.logged(lambda r: r["_PID"] == str(pool.manager), told)
        assert re.fullmatch(r"\d+ records of the log were lost: Resource temporarily unavailable", record["MESSAGE"])
        assert int(record["PHP_LOG_LOST"]) > 0 and record["PRIORITY"] == "4"
        machine.systemctl("stop", pool.unit)
        counts = [r["_PID"] for r in pool.journal(told)]
        assert len(counts) == len(set(counts)), "each process tells it once"


def test_a_worker_tells_what_the_journal_lost(machine):
    """As soon as there is a request that asks for nothing of the log."""
    n = 5000
    service = "[Service]\nLogRateLimitIntervalSec=0\n"
    with machine.pool("www", 'pm = { mode = "static"; max_children = 1; };', service) as pool:
        pool.start()
        noise = pool.script("noise.php", NOISE)
        with machine.stopped_journal():
            pid = pool.get(noise, query=f"n={n}")
        told = f"MESSAGE_ID={MESSAGE_ID['LOG_LOST']}"
        wait_until(lambda: pool.get(noise, query="n=0") and pool.journal(told), what="the count of what was lost")
        [record] = pool.journal(told)
        assert record["_PID"] == pid
        taken = pool.journal(f"MESSAGE_ID={MESSAGE_ID['PHP']}", f"_PID={pid}")
        assert int(record["PHP_LOG_LOST"]) + len(taken) == 2 * n


def test_a_long_message_is_cut(pool):
    pool.run("<?php error_log('begin ' . str_repeat('ä', 100000) . ' end');")
    record = pool.logged(lambda r: r["MESSAGE"].startswith("begin "))
    assert re.fullmatch("begin ä{20000,}", record["MESSAGE"])
    assert record["PHP_SCRIPT"].endswith("/page.php")


def test_scripts_do_not_find_the_journals_socket(machine):
    """Nor do the programs that they start."""
    with machine.pool("www", 'pm = { mode = "static"; max_children = 1; };') as pool:
        script = pool.script("page.php", r"""<?php
            error_log('hello');
            $opened = [];
            foreach (scandir('/proc/self/fd') as $fd)
                foreach (["php://fd/$fd", "/proc/self/fd/$fd"] as $path)
                    if ($fd > 2 && str_starts_with((string) @readlink("/proc/self/fd/$fd"), 'socket:')
                        && @fopen($path, 'r+')) $opened[] = $path;
            $inherited = substr_count(shell_exec('ls -l /proc/self/fd'), 'socket:');
            echo json_encode([$opened, $inherited, count(scandir('/proc/self/fd')), getmypid()]);""")
        answers = [json.loads(pool.get(script)) for _ in range(2)]
        # ls has the worker's standard error; no message costs a descriptor.
        assert answers[0] == answers[1] and answers[0][:2] == [[], 1], answers


FORGERY = r"""<?php
$socket = stream_socket_client('udg:///run/systemd/journal/socket');
fwrite($socket, "MESSAGE=forged\nPRIORITY=3\nSYSLOG_IDENTIFIER=php-pool\nPHP_POOL=www\nPHP_GENERATION=1\n"
    . "MESSAGE_ID=%s\nPHP_SCRIPT=/srv/www/index.php\n_SYSTEMD_UNIT=php-pool@www.service\n_PID=1\n");
"""


def test_what_a_script_can_forge(machine, pool):
    """A record of another pool; but not one that comes from its unit. The manual says how to ask."""
    pool.start()
    with machine.pool("shop") as shop:
        shop.run(FORGERY % MESSAGE_ID["WORKER_DIED"])
        found = shop.logged(lambda r: r["MESSAGE"] == "forged")
        assert found["PHP_POOL"] == "www" and found["_SYSTEMD_UNIT"] == shop.unit
        forged = f"MESSAGE_ID={MESSAGE_ID['WORKER_DIED']}"
        for ask in (["PHP_POOL=www", forged], ["_SYSTEMD_SLICE=php-pool.slice", "PHP_POOL=www", forged],
                    ["-u", "php-pool@*", forged]):
            assert any(r["MESSAGE"] == "forged" for r in machine.journal(*ask, since=pool.born)), ask
        assert not pool.journal(forged)
        assert machine.journal("-u", pool.unit, f"_PID={pool.manager}", since=pool.born)
        assert not machine.journal("-u", pool.unit, f"_PID={pool.manager}", forged, since=pool.born)


def test_stderr_is_whole(pool):
    pool.run(r"""<?php
        $err = fopen('php://stderr', 'w');
        fwrite($err, 'begin ' . str_repeat('x', 20000) . " end\n");
        fwrite($err, "in two ");
        fwrite($err, "parts\n");""")
    record = pool.logged(lambda r: r["MESSAGE"].startswith("begin "))
    assert record["MESSAGE"] == "begin " + "x" * 20000 + " end"
    assert record["SYSLOG_IDENTIFIER"] == "php-pool"
    assert pool.logged(lambda r: r["MESSAGE"] == "in two parts")


def test_a_killed_worker_has_one_obituary_and_a_successor(machine):
    with machine.pool("www", 'pm = { mode = "static"; max_children = 2; };') as pool:
        script = pool.script("page.php", "<?php echo getmypid();")
        victim = int(pool.get(script))
        machine.run("kill", "-KILL", victim)
        record = pool.logged(lambda r: True, f"MESSAGE_ID={MESSAGE_ID['WORKER_DIED']}")
        assert record["PHP_WORKER_PID"] == str(victim)
        assert str(victim) in record["MESSAGE"] and "KILL" in record["MESSAGE"], record["MESSAGE"]
        assert int(record["PRIORITY"]) <= 4
        wait_until(lambda: pool.status()["idle-processes"] == 2, what="two idle workers")
        assert victim not in pool.children()
        assert int(pool.get(script)) != victim
        assert len(pool.journal(f"MESSAGE_ID={MESSAGE_ID['WORKER_DIED']}", f"PHP_WORKER_PID={victim}")) == 1


def test_messages_have_catalog_entries(pool):
    pool.start()
    for name, message_id in MESSAGE_ID.items():
        out = pool.machine.run("journalctl", "--dump-catalog", message_id).stdout
        assert re.search(r"^Subject: \S", out, re.MULTILINE), name
