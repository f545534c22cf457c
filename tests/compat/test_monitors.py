# SPDX-License-Identifier: MIT
"""
The status as its own socket has it: PHP-FPM's pm.status_listen, php-pool's status socket. No worker of
the pool answers there, so that it shows what the last request was.
"""

import pytest

from compat import masks, table_monitors
from lib import fastcgi
from lib.wait import wait_until

REQUESTS = {
    "plain": {},
    "post": {"method": "POST", "body": b"a=1", "query": "a=1"},
    "user": {"extra": {"HTTP_AUTHORIZATION": "Basic am9lOnNlY3JldA=="}},
    "markup": {"query": "<b>&\"\\\\"},
    "path-info": {"extra": {"SCRIPT_NAME": "/dump.php/more", "PATH_INFO": "/more",
        "REQUEST_URI": "/dump.php/more"}},
    "missing": {"script": "none.php"},
}
SLOW = "<?php $end = hrtime(true) + 6e7; while (hrtime(true) < $end); echo 'slow';"


def ask(server, query):
    with fastcgi.connect_unix(server.status_address) as connection:
        return connection.request("/none", query=query, extra={"SCRIPT_NAME": "/status"}).out


def last_request(server, root, script="dump.php", **kwargs):
    """Makes a request and waits until its worker is idle again."""
    with server.connect(timeout=10) as connection:
        connection.request(str(root / script), **kwargs)
        connection.ended()
    wait_until(lambda: b'"state":"Idle"' in ask(server, "json&full"), what=f"{server.name}'s worker idle")


@pytest.mark.parametrize("form", table_monitors.FORMATS)
@pytest.mark.parametrize("request_", REQUESTS)
def test_last_request(form, request_, pair_of, root):
    pages = []
    for server in pair_of("monitors").servers:
        last_request(server, root, **REQUESTS[request_])
        mask = masks.samples if form == "openmetrics" else masks.status
        pages.append(mask(ask(server, form + "&full")).decode())
    assert pages[0].splitlines() == pages[1].splitlines()


@pytest.mark.parametrize("metric, low, high", [
    ("request-duration", 60000, 10000000), ("last-request-cpu", 1, 200),
    ("last-request-memory", 2 << 20, 2 << 20),
    ("content-length", 3, 3), ("start-since", 0, 600),
])
def test_units(metric, low, high, pair_of, root):
    """Microseconds, percent, bytes, seconds: of a request that needed the processor for 60 ms."""
    (root / "slow.php").write_text(SLOW)
    for server in pair_of("monitors").servers:
        last_request(server, root, "slow.php", method="POST", body=b"a=1")
        value = ask(server, "xml&full").decode().rpartition(f"<{metric}>")[2].partition("<")[0]
        assert low <= float(value) <= high, (server.name, value)
