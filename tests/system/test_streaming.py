# SPDX-License-Identifier: MIT
"""Bodies and answers of any size pass in a constant amount of memory; a client that goes ends its script."""

import json
import re

import pytest

from lib import fastcgi
from lib.wait import wait_until

MIB = 1 << 20
CONF = """
pm = { mode = "static"; max_children = 1; };
php = { admin_value = ["post_max_size=1G", "upload_max_filesize=1G", "upload_tmp_dir=/var/tmp"]; };
"""
ALLOWANCE = 16 * MIB

RAW = """<?php
$in = fopen('php://input', 'rb');
for ($n = 0; ($s = fread($in, 65536)) !== '' && $s !== false; $n += strlen($s));
echo json_encode([$n, getmypid()]);
"""
FILE = "<?php echo json_encode([$_FILES['f']['size'] ?? $_FILES, getmypid()]);"
BIG = """<?php
while (ob_get_level()) ob_end_clean();
$block = str_repeat('x', 1 << 20);
for ($i = 0; $i < 1024; $i++) { echo $block; flush(); }
"""


@pytest.fixture
def pool(machine):
    with machine.pool("www", CONF) as pool:
        yield pool


def peak(pool, pid):
    """A process's largest resident memory so far, in bytes."""
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", pool.machine.path(f"/proc/{pid}/status").read_text())[1])


def temporary_files(pool, pid):
    """What stands in the directories for temporary files that a worker, sees as such."""
    root = pool.machine.path(f"/proc/{pid}/root")
    return [path.name for directory in ("tmp", "var/tmp") for path in (root / directory).iterdir()]


def upload(pool, script, content_type, head, size, tail):
    """Sends a body of head, zeros and tail, made as it goes."""
    params = fastcgi.parameters(script, "POST", body_length=len(head) + size + len(tail),
                                extra={"CONTENT_TYPE": content_type})
    block = fastcgi.record(fastcgi.STDIN, bytes(32768))
    with pool.connect(timeout=120) as connection:
        connection.send(fastcgi.begin() + fastcgi.stream(fastcgi.PARAMS, fastcgi.encode_pairs(params)))
        if head:
            connection.send(fastcgi.record(fastcgi.STDIN, head))
        for _ in range(size // 32768):
            connection.send(block)
        connection.send(fastcgi.stream(fastcgi.STDIN, tail))
        return connection.response()


@pytest.mark.parametrize("kind", ["raw", "file"])
def test_upload_of_512_mb(pool, kind):
    if kind == "raw":
        script, form = pool.script("raw.php", RAW), ("application/octet-stream", b"", b"")
    else:
        script, form = pool.script("file.php", FILE), (
            "multipart/form-data; boundary=cut",
            b'--cut\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n', b"\r\n--cut--\r\n")
    content_type, head, tail = form
    response = upload(pool, script, content_type, head, 32768, tail)
    size, pid = json.loads(response.text)
    assert size == 32768
    before = peak(pool, pid)
    response = upload(pool, script, content_type, head, 512 * MIB, tail)
    assert json.loads(response.text) == [512 * MIB, pid], response
    assert peak(pool, pid) - before < ALLOWANCE
    assert wait_until(lambda: temporary_files(pool, pid) == [], what="no temporary file left")


def test_a_body_over_the_memory_limit_leaves_no_file(pool):
    """PHP cannot even start the request then; where it kept the body must go all the same."""
    pool.machine.write(pool.file, CONF.replace("post_max_size", "memory_limit=2M\", \"post_max_size"))
    response = pool.request(pool.script("never.php", RAW), method="POST", body=b"x=" + bytes(3 * MIB))
    assert response.status == 500, response
    pid = int(pool.run("<?php echo getmypid();"))
    assert temporary_files(pool, pid) == []


def test_answer_of_1_gb_to_a_slow_reader(pool):
    pid = int(pool.run("<?php echo getmypid();"))
    before = peak(pool, pid)
    script = pool.script("big.php", BIG)
    size = 0
    with pool.connect(timeout=120) as connection:
        connection.start(script)
        for kind, content in connection.output():
            size += len(content) if kind == fastcgi.STDOUT else 0
            if size - len(content) < 8 * MIB <= size:  # stop reading until the worker waits for us
                wait_until(lambda: stat(pool, pid)[0] == "S", what="a worker that waits")
                busy = stat(pool, pid)
                assert peak(pool, pid) - before < ALLOWANCE
                assert stat(pool, pid) == busy, "the worker goes on although nobody reads"
    assert size > 1024 * MIB
    assert peak(pool, pid) - before < ALLOWANCE


def stat(pool, pid):
    """A process's state and the processor time that it has used."""
    fields = pool.machine.path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return fields[0], fields[11], fields[12]


GONE = """<?php
while (ob_get_level()) ob_end_clean();
ignore_user_abort(%(ignore)s);
register_shutdown_function(function () {
    error_log('ended after ' . $GLOBALS['n'] . ' with status ' . connection_status());
});
for ($n = 0; $n < 50; $n++) { echo str_repeat('x', 65536); flush(); usleep(10000); }
"""


@pytest.mark.parametrize("ignore", [False, True])
def test_a_client_that_goes_away(pool, ignore):
    script = pool.script("gone.php", GONE % {"ignore": str(ignore).lower()})
    with pool.connect() as connection:
        connection.start(script)
        connection.read_record()
    record = pool.logged(lambda r: "ended after" in r["MESSAGE"])
    n, status = re.search(r"ended after (\d+) with status (\d)", record["MESSAGE"]).groups()
    assert status == "1"
    assert (int(n) == 50) if ignore else (int(n) < 50)
    assert pool.run("<?php echo 'next';") == "next"
    assert pool.status()["total-processes"] == 1


def test_abort_request_ends_a_script_that_waits_for_its_body(pool):
    script = pool.script("raw.php", RAW.replace("echo", "error_log('ended'); echo"))
    params = fastcgi.parameters(script, "POST", body_length=100, extra={"CONTENT_TYPE": "text/plain"})
    with pool.connect() as connection:
        connection.send(fastcgi.begin(keep=True))
        connection.send(fastcgi.stream(fastcgi.PARAMS, fastcgi.encode_pairs(params)))
        connection.send(fastcgi.record(fastcgi.STDIN, b"half of it"))
        connection.send(fastcgi.record(fastcgi.ABORT_REQUEST))
        assert connection.response().protocol_status == fastcgi.REQUEST_COMPLETE
        assert connection.request(pool.script("next.php", "<?php echo 'next';")).text == "next"
