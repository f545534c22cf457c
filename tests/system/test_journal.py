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


def test_an_error_behind_many_notices(machine):
    """What journald's queue has no room for is lost, but not the error that ends the script; and that is told."""
    service = "[Service]\nLogRateLimitIntervalSec=0\n"
    with machine.pool("www", 'pm = { mode = "static"; max_children = 1; };', service) as pool:
        pool.start()
        script = pool.script("fatal.php", """<?php
            for ($i = 0; $i < 5000; $i++) trigger_error('a notice', E_USER_NOTICE);
            trigger_error('the last words', E_USER_ERROR);""")
        for _ in range(3):
            born = machine.journal_end()
            assert pool.request(script).status == 500
            def records(*matches):
                return machine.journal("-u", pool.unit, *matches, since=born)
            [fatal] = wait_until(lambda: records("PRIORITY=3"), what="the error")
            assert "the last words" in fatal["MESSAGE"]
            told = f"MESSAGE_ID={MESSAGE_ID['LOG_LOST']}"
            wait_until(lambda: len(records("PRIORITY=5")) + sum(int(r["PHP_LOG_LOST"]) for r in records(told)) == 5000,
                       60, "all accounted for")


def test_losses_are_told_though_nothing_happens(machine):
    """The worker, and the manager, are idle when journald goes on."""
    service = "[Service]\nLogRateLimitIntervalSec=0\n"
    told = f"MESSAGE_ID={MESSAGE_ID['LOG_LOST']}"
    with machine.pool("www", 'pm = { mode = "static"; max_children = 2; };', service) as pool:
        pool.start()
        script = pool.script("fatal.php", """<?php
            for ($i = 0; $i < 5000; $i++) trigger_error('a notice', E_USER_NOTICE);
            trigger_error('the last words', E_USER_ERROR);""")
        with machine.stopped_journal():
            assert pool.request(script).status == 500
            for pid in pool.children():
                if "(worker" in pool.children()[pid]:
                    machine.run("kill", "-KILL", pid)  # obituaries
            wait_until(lambda: pool.status()["idle-processes"] == 2, what="two idle workers")
        manager = wait_until(lambda: [r for r in pool.journal(told) if r["_PID"] == str(pool.manager)],
                             what="the manager's count")
        assert int(manager[0]["PHP_LOG_LOST"]) > 0
        with machine.stopped_journal():
            assert pool.request(script).status == 500
            pool.status()
        wait_until(lambda: [r for r in pool.journal(told) if int(r["PHP_LOG_LOST"]) > 1000], what="the worker's count")


TEXTS = {
    r"'latin1 ' . chr(0xe9) . ' end'": r"latin1 \xE9 end",
    r"'escape ' . chr(27) . '[31m' . chr(7)": r"escape \x1B[31m\x07",
    r"'c1 ' . chr(0xc2) . chr(0x9b)": r"c1 \xC2\x9B",
    r"'overlong ' . chr(0xc0) . chr(0xaf)": r"overlong \xC0\xAF",
    r"'surrogate ' . chr(0xed) . chr(0xa0) . chr(0x80)": r"surrogate \xED\xA0\x80",
    r"'crlf' . chr(13) . chr(10) . 'tab' . chr(9) . 'ä€😀\\x'": "crlf\ntab\tä€😀\\x",
}


def test_text_that_is_no_utf8(machine, pool):
    """In the message and in each field: journalctl shows text, no "blob data", and nothing that a terminal acts on."""
    code = "".join(f"error_log({text});\n" for text in TEXTS)
    script = pool.script("texts.php", f"<?php {code} trigger_error('warning ' . chr(0xff), E_USER_WARNING);")
    pool.request(script, extra={"REQUEST_URI": b"/caf\xe9\x1b[2J", "REQUEST_METHOD": "GET"})
    record = pool.logged(lambda r: "warning" in r["MESSAGE"])
    assert record["MESSAGE"].startswith(r"PHP Warning:  warning \xFF in ")
    assert record["REQUEST_URI"] == r"/caf\xE9\x1B[2J"
    messages = [r["MESSAGE"] for r in pool.journal(f"MESSAGE_ID={MESSAGE_ID['PHP']}")]
    assert messages[:-1] == list(TEXTS.values())
    for output in ("short", "verbose"):
        text = machine.run("journalctl", "--no-pager", "-o", output, "-u", pool.unit).stdout
        assert "blob data" not in text and "\x1b" not in text


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


def test_a_pool_that_cannot_see_the_journals_socket(machine):
    """As under RootDirectory=: systemd's stream has its records, with their priority, whole and with no prefix."""
    with machine.pool("www", 'pm = { mode = "static"; max_children = 1; };',
                      "[Service]\nTemporaryFileSystem=/run/systemd/journal\n") as pool:
        script = pool.script("page.php", r"""<?php
            error_log('begin ' . str_repeat('x', 20000) . ' end');
            error_log("two\nlines");
            trigger_error('the milk is sour', E_USER_WARNING);
            file_put_contents('php://stderr', 'without an end');
            exec('printf "a program" >&2');""")
        for _ in range(2):
            assert pool.request(script).status == 200

        def records():
            return [(r["PRIORITY"], r["MESSAGE"]) for r in pool.journal("SYSLOG_IDENTIFIER=php-pool")]

        wanted = [("5", "begin " + "x" * 20000 + " end"), ("5", "two"), ("5", "lines"), ("4", "without an end"),
                  ("4", "a program")]
        wait_until(lambda: all(records().count(record) == 2 for record in wanted), what="each record, each time")
        machine.run("kill", "-KILL", [pid for pid, command in pool.children().items() if "(worker" in command][0])
        wait_until(lambda: any("died" in message or "killed" in message for _, message in records()),
                   what="an obituary")
        assert sum(priority == "4" and message.startswith("PHP Warning:  the milk is sour in /srv/www/page.php")
                   for priority, message in records()) == 2
        assert not any("php-pool: " in message for _, message in records()), records()


# Ways to write to standard error, or output, without the end of a line.
WAYS = {
    "stream": "fwrite(fopen('php://stderr', 'w'), $text);",
    "stdout": "file_put_contents('php://stdout', $text);",
    "filter": "file_put_contents('php://filter/write=string.rot13/resource=php://stderr', str_rot13($text));",
    "exec": "exec('printf %s ' . escapeshellarg($text) . ' >&2');",
    "shell": "`printf %s $text >&2`;",
    "popen": "$p = popen('cat >&2', 'w'); fwrite($p, $text); pclose($p);",
    "proc_open": "proc_close(proc_open(['/bin/sh', '-c', 'printf %s \"$0\" >&2', $text], [], $pipes));",
    "end": "file_put_contents('php://stderr', $text); exit;",
    "fatal": "file_put_contents('php://stderr', $text); undefined();",
    "finish": "fastcgi_finish_request(); file_put_contents('php://stderr', $text);",
    "unclosed": "$GLOBALS['f'] = fopen('php://stderr', 'w'); fwrite($GLOBALS['f'], $text);",
}


def test_each_request_has_its_own_lines_on_stderr(machine):
    """Also where it does not end the last one; one right behind the other."""
    with machine.pool("www", 'pm = { mode = "static"; max_children = 1; };',
                      "[Service]\nLogRateLimitIntervalSec=0\n") as pool:
        wanted = []
        scripts = {way: pool.script(f"{way}.php", f"<?php $text = $_SERVER['QUERY_STRING']; {code}")
                   for way, code in WAYS.items()}
        for i in range(5):
            for way, script in scripts.items():
                wanted.append(f"{way}-{i}")
                with pool.connect() as connection:
                    connection.request(script, query=wanted[-1])
        many = pool.script("many.php", "<?php fwrite(fopen('php://stderr', 'w'), $_SERVER['QUERY_STRING']);")
        with pool.connect() as connection:
            for i in range(200):
                wanted.append(f"many-{i}")
                connection.request(many, query=wanted[-1], keep=True)

        def lines():
            return [r["MESSAGE"] for r in pool.journal("_TRANSPORT=stdout", "SYSLOG_IDENTIFIER=php-pool")]

        wait_until(lambda: len(lines()) >= len(wanted), what="as many lines as requests")
        assert sorted(lines()) == sorted(wanted)  # there are two streams
        assert {r["PRIORITY"] for r in pool.journal("_TRANSPORT=stdout", "SYSLOG_IDENTIFIER=php-pool")} == {"4"}


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
