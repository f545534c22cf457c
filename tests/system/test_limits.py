# SPDX-License-Identifier: MIT
"""The limits of a request inside the unit's sandbox, and what the journal has of them."""

from lib.messages import MESSAGE_ID
from lib.scripts import HELLO

SLOW = r"""<?php
function outer() { inner(); }
function inner() { $begun = hrtime(true); sleep(1); return hrtime(true) - $begun; }
outer();
echo "done";
"""


def test_slow_log(pool):
    """The template reads a worker's stack with the pool's own privileges."""
    pool.configure('request = { slowlog_timeout = "200ms"; };')
    script = pool.script("slow.php", SLOW)
    assert pool.get(script, extra={"REQUEST_URI": "/slow?x=1"}) == "done"
    record = pool.logged(lambda r: r.get("PHP_SCRIPT") == script, f"MESSAGE_ID={MESSAGE_ID['SLOW_REQUEST']}")
    frames = record["PHP_BACKTRACE"].splitlines()
    assert [frame.split("] ")[1] for frame in frames] == [
        f"sleep() {script}:3", f"inner() {script}:2", f"outer() {script}:4"]
    assert (record["REQUEST_METHOD"], record["REQUEST_URI"]) == ("GET", "/slow?x=1")
    assert 200_000 <= int(record["PHP_REQUEST_USEC"]) < 1_000_000
    assert record["PHP_POOL"] == pool.name and record["_SYSTEMD_UNIT"] == f"php-pool@{pool.name}.service"


def test_terminate_timeout(pool):
    pool.configure('request = { terminate_timeout = "200ms"; };')
    script = pool.script("loop.php", "<?php while (true);")
    assert pool.request(script).status == 504
    record = pool.logged(lambda r: r.get("PHP_SCRIPT") == script,
                         f"MESSAGE_ID={MESSAGE_ID['REQUEST_TERMINATED']}")
    assert int(record["PHP_REQUEST_USEC"]) >= 200_000
    assert pool.run(HELLO) == "hello"
