# SPDX-License-Identifier: MIT
"""The log where there is no journal: text on the manager's standard error, whoever says it."""

import re

import pytest

from lib.php import at_least
from lib.wait import wait_until


def wait_line(daemon, pattern):
    """Waits for a line that the pattern is the whole of; returns it."""
    return wait_until(lambda: re.search(f"^{pattern}$", daemon.logged(), re.MULTILINE), what=pattern)[0]


def test_a_record_is_whole_and_has_one_prefix(daemon):
    """A worker's as the manager's, however long."""
    daemon.run("<?php error_log('begin ' . str_repeat('x', 20000) . ' end'); error_log(\"two\\nlines\");")
    wait_line(daemon, "php-pool: notice: begin x{20000} end")
    wait_line(daemon, "php-pool: notice: two\nlines")
    daemon.run("<?php trigger_error('caf' . chr(0xe9) . chr(27), E_USER_WARNING);")
    wait_line(daemon, r"php-pool: warning: PHP Warning:  caf\\xE9\\x1B in .* on line 1")
    daemon.reload()
    assert "php-pool: warning: php-pool:" not in daemon.logged() and ": php-pool: " not in daemon.logged()


@pytest.mark.parametrize("code", [
    "file_put_contents('php://stderr', $text);", "exec('printf %s ' . escapeshellarg($text) . ' >&2');",
    "proc_close(proc_open(['/bin/sh', '-c', 'printf %s \"$0\" >&2', $text], [], $pipes));"],
    ids=["stream", "exec", "proc_open"])
def test_each_request_has_its_own_lines(make_daemon, code):
    """On standard error, where a script or a program that it runs does not end them."""
    with make_daemon('pm = { mode = "static"; max_children = 1; };') as daemon:
        script = daemon.script("page.php", f"<?php $text = $_SERVER['QUERY_STRING']; {code}")
        for text in ("one", "two"):
            daemon.get(script, query=text)
            wait_line(daemon, f"php-pool: warning: {text}")


def test_what_the_template_says(make_daemon):
    """Once, and with one prefix."""
    daemon = make_daemon('php = { admin_value = ["extension=there_is_none"]; };')
    with daemon:
        wait_line(daemon, "php-pool: warning: PHP Warning:  PHP Startup: .*there_is_none.*")
        assert daemon.logged().count("PHP Warning:  PHP Startup: Unable to load") == 1


HTML = 'php = { admin_value = ["html_errors=1", "docref_root=/manual/", "extension=\\"there_is_<none>\\""]; };\n'
LINKED = "<?php fopen('/no<such', 'r'); error_log('&lt;'); trigger_error('&lt;'); echo $a['&lt;']; echo 'end';"


def test_no_html(make_daemon):
    """It is for browsers, also for a web server's log, which gets what PHP-FPM sends there."""
    with make_daemon(HTML) as daemon:
        name = "there_is_<none>"
        wait_line(daemon, f"php-pool: warning: PHP Warning:  PHP Startup: Unable to load .*{name}.*")
        wait_line(daemon, f"php-pool: warning: Pool www serves all the same, .*{name}.*")
        response = daemon.request(daemon.script("page.php", LINKED))
        argument = "" if at_least(8, 6) else "/no<such"  # PHP names it no more
        html = argument.replace("<", "&lt;")
        assert f"fopen({html}) [<a href='/manual/function.fopen'>" in response.err.decode()
        wait_line(daemon, rf"php-pool: warning: PHP Warning:  fopen\({argument}\): Failed to open stream: .*")
        wait_line(daemon, "php-pool: notice: &lt;")  # which is what the script said
        wait_line(daemon, "php-pool: notice: PHP Notice:  &lt; in .*")
        assert "href" not in daemon.logged() and "/no&lt;" not in daemon.logged()


def test_html_of_the_request_before(make_daemon):
    """A fatal error that is logged nowhere ends a request; what the next one says is its own."""
    with make_daemon('pm = { mode = "static"; max_children = 1; };\n'
                     'php = { value = ["html_errors=1", "memory_limit=32M"]; };') as daemon:
        daemon.request(daemon.script("fatal.php", "<?php ini_set('log_errors', 0); str_repeat('x', 1 << 30);"))
        daemon.run("<?php error_log('f(&lt;): said');")
        wait_line(daemon, r"php-pool: notice: f\(&lt;\): said")


def test_no_html_in_a_reason(make_daemon):
    """Neither where a pool does not start, nor where a reload is refused."""
    daemon = make_daemon()
    warmup = daemon.script("warmup.php", "<?php require '/no<such';")
    daemon.conf.write_text(HTML)
    with daemon:
        daemon.conf.write_text(HTML + f'reload = {{ warmup = ["{warmup}"]; }};')
        refused = daemon.ctl("reload", "www")
        assert refused.returncode != 0
        assert "'/no<such'" in refused.stderr, refused
        assert "&lt;" not in refused.stderr and "href" not in refused.stderr, refused
