# SPDX-License-Identifier: MIT
"""
What is not a hello-world: WordPress's front page, on a MariaDB of its own, and a response of 1 MB. One worker, one
client. The servers are started several times, as where memory happens to lie makes a difference of a percent.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlencode

from lib.wait import wait_until
from servers import both
from table import rounds, say

PM = {"mode": "static", "max_children": 1}
WORDPRESS = "/usr/share/wordpress"
CONFIG = """<?php
define('DB_NAME', 'wordpress');
define('DB_USER', 'wordpress');
define('DB_PASSWORD', 'secret');
define('DB_HOST', 'localhost:{socket}');
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('DISABLE_WP_CRON', true);
$table_prefix = 'wp_';
if (!defined('ABSPATH'))
    define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""
DATABASE = "CREATE DATABASE wordpress; GRANT ALL ON wordpress.* TO wordpress@localhost IDENTIFIED BY 'secret';"
FORM = {"weblog_title": "Pool of Words", "user_name": "admin", "admin_password": "correct horse",
        "admin_password2": "correct horse", "pw_weak": "1", "admin_email": "admin@example.org",
        "blog_public": "1", "Submit": "Install WordPress", "language": ""}
MEGABYTE = {
    "1 MB, one echo": "<?php echo str_repeat('x', 1 << 20);",
    "1 MB, 128 echos": "<?php for ($i = 0; $i < 128; $i++) echo str_repeat('x', 8192);",
}
ROWS = (("median latency", "p50"), ("— worker's CPU", "cpu"))


@contextlib.contextmanager
def database(directory):
    """MariaDB with an empty database for WordPress; yields its socket."""
    data, socket = directory / "data", directory / "run" / "socket"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    socket.parent.mkdir()
    shutil.chown(socket.parent, "mysql")
    options = ["--no-defaults", "--user=mysql", f"--datadir={data}", f"--tmpdir={socket.parent}"]
    subprocess.run(["mariadb-install-db", *options, "--skip-test-db"], check=True, **quiet)
    server = subprocess.Popen(["mariadbd", *options, "--skip-networking", f"--socket={socket}"], **quiet)
    try:
        wait_until(socket.exists, 60, "MariaDB's socket")
        subprocess.run(["mariadb", "--no-defaults", f"--socket={socket}"], input=DATABASE, text=True, check=True)
        yield socket
    finally:
        server.terminate()
        server.wait()


@contextlib.contextmanager
def wordpress(build):
    """Yields the directory of a WordPress that is installed."""
    with tempfile.TemporaryDirectory() as tmp:
        directory, site = Path(tmp), Path(tmp, "site")
        directory.chmod(0o755)
        with database(directory) as socket:
            subprocess.run(["cp", "-rL", "--preserve=timestamps", WORDPRESS, site],
                           stderr=subprocess.DEVNULL)  # links that lead nowhere
            (site / "wp-config.php").write_text(CONFIG.format(socket=socket))
            os.utime(site / "wp-config.php", (1e9, 1e9))  # as in Server.script()
            with both(build, PM) as (fpm, _):
                page = fpm.request(site / "wp-admin/install.php", method="POST", query="step=2",
                                   uri="/wp-admin/install.php?step=2", body=urlencode(FORM).encode(),
                                   extra={"SCRIPT_NAME": "/wp-admin/install.php", "DOCUMENT_ROOT": str(site)})
            assert "WordPress has been installed" in page.text, page
            yield site


def measure_page(server, script, n, **options):
    cpu = server.cpu()
    result = server.load(script, n, 1, **options)
    assert result["answered"] == n, result
    return {"p50": result["p50"], "cpu": (server.cpu() - cpu) / n}


def measure_starts(bench, prepare, expected, n, **options):
    """Both servers' rounds, of several starts of both."""
    fpm, pool = [], []
    for _ in range(bench.pick(6, 1)):
        with both(bench.build, PM) as servers:
            script = prepare(servers[0])
            for server in servers:
                assert expected in server.request(script, uri=options.get("uri")).text, script
                server.load(script, max(n // 4, 3), 1, **options)
            for results, more in zip((fpm, pool), rounds(
                    servers, lambda server: measure_page(server, script, n, **options), bench.pick(8, 4))):
                results += more
    return fpm, pool


def measure(bench):
    table = bench.table("Pages")
    say("  WordPress")
    with wordpress(bench.build) as site:
        results = measure_starts(bench, lambda _: site / "index.php", FORM["weblog_title"], bench.pick(25, 8),
                                 uri="/")
        table.figures(*results, [(f"WordPress's front page: {name}, µs" if key == "p50" else f"{name}, µs", key,
                                  "{:,.0f}") for name, key in ROWS])
    for name, code in MEGABYTE.items():
        for keep in (False, True):
            what = f"{name}, {'kept' if keep else 'new'} connection"
            say(f"  {what}")
            results = measure_starts(bench, lambda server: server.script(code), "x" * (1 << 20),
                                     bench.pick(300, 100), keep=keep)
            table.figures(*results, [(f"{what}: {row}, µs" if key == "p50" else f"{row}, µs", key, "{:,.0f}")
                                     for row, key in ROWS])
