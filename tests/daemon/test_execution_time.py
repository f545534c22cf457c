# SPDX-License-Identifier: MIT
"""max_execution_time, which PHP's timer holds only for requests that come near it; and where scripts run."""

import re

import pytest

ONE = 'pm = { mode = "static"; max_children = 1; };\n'
LIMIT = ONE + 'php = { value = ["max_execution_time=1", "display_errors=1", "html_errors=0", "log_errors=0"]; };'
EXCEEDED = re.compile(r"Maximum execution time of 1 second exceeded in \S+ on line \d+")

# Uses so much processor time; no less than it says.
BURN = """<?php function used() { $u = getrusage(); return $u['ru_utime.tv_sec'] + $u['ru_stime.tv_sec']
    + ($u['ru_utime.tv_usec'] + $u['ru_stime.tv_usec']) / 1e6; }
    function burn($seconds) { $end = used() + $seconds; while (used() < $end) for ($i = 0; $i < 10000; $i++); }
"""

EXCEEDING = {
    "loop": "while (true);",
    "shutdown": "register_shutdown_function(function () { while (true); }); echo 'shut: ';",
    "after finish": "register_shutdown_function(function () { touch(__DIR__ . '/done'); }); "
                    "ignore_user_abort(true); echo 'x'; while (true);",
    "later than a call": "burn(0.3); set_time_limit(1); while (true);",
    "with a handler": "set_error_handler(fn() => true); while (true);",
}


def burn(daemon, code, **kwargs):
    with daemon.connect(timeout=120) as connection:  # what it has to burn may come slowly
        return connection.request(daemon.script("burn.php", BURN + code), **kwargs).text


@pytest.mark.parametrize("code", EXCEEDING.values(), ids=EXCEEDING)
def test_ends_a_script(make_daemon, code):
    with make_daemon(LIMIT) as daemon:
        assert EXCEEDED.search(burn(daemon, code))
        assert daemon.run("<?php echo ini_get('max_execution_time');") == "1"


def test_ends_every_script(make_daemon):
    """Also on a worker that has had one end so, and where PHP's own timer holds: for a request with a body."""
    with make_daemon(LIMIT) as daemon:
        for body in (b"", b"a=b", b""):
            assert EXCEEDED.search(burn(daemon, "while (true);", method="POST" if body else "GET", body=body))


def test_is_each_requests_own(make_daemon):
    """Time that the last request used does not count, and its timer is gone."""
    with make_daemon(LIMIT) as daemon:
        for _ in range(2):
            assert burn(daemon, "burn(0.7); echo 'done';") == "done"


@pytest.mark.parametrize("code", ["ini_set('max_execution_time', '0');", "burn(0.3); set_time_limit(0);",
                                  "burn(0.7); set_time_limit(1); burn(0.7);"])
def test_a_script_sets_its_own(make_daemon, code):
    with make_daemon(LIMIT) as daemon:
        assert burn(daemon, code + "burn(set_time_limit(9) ? 1.2 : 0); echo 'done';") == "done"
        assert EXCEEDED.search(burn(daemon, "while (true);")), "the pool's holds again"


def test_a_request_brings_its_own(make_daemon):
    """By a parameter, and by .user.ini."""
    with make_daemon(ONE + 'php = { value = ["display_errors=1", "html_errors=0"]; };') as daemon:
        limit = {"PHP_VALUE": "max_execution_time=1"}
        assert EXCEEDED.search(burn(daemon, "while (true);", extra=limit))
        assert burn(daemon, "burn(1.2); echo 'done';") == "done"
        (daemon.directory / ".user.ini").write_text("max_execution_time=1\n")
        daemon.reload()
        assert EXCEEDED.search(burn(daemon, "while (true);"))


def test_none(make_daemon):
    """max_input_time does not take its place."""
    conf = ONE + 'php = { value = ["max_execution_time=0", "max_input_time=1", "display_errors=1"]; };'
    with make_daemon(conf) as daemon:
        assert burn(daemon, "burn(1.2); echo 'done';") == "done"


def test_the_directory(make_daemon, tmp_path):
    """A script runs in its own, shutdown functions in the pool's, whatever the last script did."""
    (tmp_path / "sub").mkdir()
    code = """<?php register_shutdown_function(function () { echo ' ', getcwd(); });
        echo getcwd(); chdir('/tmp'); if (isset($_GET['fatal'])) nonsense();"""
    with make_daemon(ONE + 'php = { value = ["display_errors=0"]; };') as daemon:
        for script in (daemon.script("a.php", code), daemon.script("sub/b.php", code)):
            for query in ("", "fatal=1", ""):
                assert daemon.request(script, query=query).text == f"{script.rpartition('/')[0]} {tmp_path}"
