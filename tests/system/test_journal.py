# SPDX-License-Identifier: MIT
"""What `journalctl -u php-pool@www` has: PHP's messages with fields, stderr whole, obituaries of workers."""

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
