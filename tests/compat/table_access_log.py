# SPDX-License-Identifier: MIT
"""The lines of the access log, and which requests have one. A case's line is of its last requests."""

import base64

from compat import masks
from compat.case import Case as C

PAGE = "header('X-Foo: b a r'); http_response_code((int) ($_GET['status'] ?? 200)); echo 'page';"
SLOW = "$end = hrtime(true) + 6e8; while (hrtime(true) < $end);"
BASIC = "Basic " + base64.b64encode(b"joe:secret").decode()


def a(name, code=PAGE, profile="access-log", **kwargs):
    return C(f"access-{name}", code, profile=profile, mask=masks.access, **kwargs)


def health(name, **kwargs):
    return a(f"suppress-{name}", params={"SCRIPT_NAME": "/health", **kwargs.pop("params", {})}, **kwargs)


def twice(w):
    return [w.request(keep=True), w.request(keep=True, NUMBER="second")]


PARAMS = {
    "user": {"HTTP_AUTHORIZATION": BASIC}, "remote-user": {"REMOTE_USER": "jane"},
    "both-users": {"REMOTE_USER": "jane", "HTTP_AUTHORIZATION": BASIC},
    "bad-user": {"HTTP_AUTHORIZATION": "Basic ???"},
    "digest": {"HTTP_AUTHORIZATION": 'Digest username="joe"'}, "bearer": {"HTTP_AUTHORIZATION": "Bearer x"},
    "parameters": {"NAME": "v a l", "EMPTY": ""}, "utf-8": {"NAME": "ä€"},
    "path-info": {"SCRIPT_NAME": "/index.php/more", "PATH_INFO": "/more"},
    "other-name": {"SCRIPT_NAME": "/other name"}, "no-name": {"SCRIPT_NAME": None},
    "no-query": {"QUERY_STRING": None, "REQUEST_URI": "/index.php?x"},
    "no-script": {"SCRIPT_FILENAME": None},
    "no-uri": {"REQUEST_URI": None},
    "front-controller": {"REQUEST_URI": "/blog/1?x", "SCRIPT_NAME": "/index.php"},
    "peer": {"REMOTE_ADDR": "192.0.2.1"},
    # What a client could forge lines with.
    "quote": {"NAME": 'a"b'}, "newline": {"NAME": "a\nb"}, "backslash": {"NAME": "a\\b"},
    "escape": {"NAME": "a\x1b[31m"},
    "long": {"NAME": "x" * 3000},
}
SCRIPTS = {
    "exit": "exit(1);", "fatal": "nonsense();", "exception": "throw new Exception('x');",
    "parse": "echo echo;",
    "nothing": "", "304": "http_response_code(304);", "redirect": "header('Location: /x');",
    "header-case": "header('x-foo: lower');",
    "header-twice": "header('X-Foo: a'); header('X-Foo: b', false);",
    "header-empty": "header('X-Foo:');", "header-removed": "header('X-Foo: a'); header_remove();",
    "header-long": "header('X-Foo: ' . str_repeat('x', 2000));",
    "status-line": "header('HTTP/1.1 418 Teapot');", "status-odd": "http_response_code(799);",
    "memory": "$x = str_repeat('x', 5 << 20); unset($x); gc_mem_caches();",
    "slow": SLOW,
    "finish": "echo 'a'; fastcgi_finish_request(); http_response_code(500);",
    "finish-slow": "echo 'a'; fastcgi_finish_request(); " + SLOW,
    "shutdown": "register_shutdown_function(function () { http_response_code(503); });",
    "shutdown-header": "register_shutdown_function(function () { header('X-Foo: late'); });",
    "destructor": "class D { function __destruct() { http_response_code(503); } } $d = new D;",
    "output": "echo str_repeat('x', 1 << 20);", "flushed": "echo 'a'; flush(); http_response_code(500);",
    "auth": "$_SERVER['PHP_AUTH_USER'] = 'nobody';",
}
CASES = [
    *(a(name, params=params) for name, params in PARAMS.items()),
    *(a(f"script-{name}", code) for name, code in SCRIPTS.items()),
    *(a(f"method-{method.lower()}", method=method)
      for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS", "Odd")),
    *(a(f"status-{status}", query=f"status={status}") for status in (200, 201, 204, 404, 500, 503)),
    a("query", query="a=1&b=%20x"), a("query-markup", query="a=<b>&c='"), a("query-question", query="?"),
    a("body", method="POST", body=b"a=1"), a("body-query", method="PUT", body=b"a=1", query="b"),
    a("body-get", body=b"abc"), a("body-zero", params={"CONTENT_LENGTH": "0"}),
    a("body-unread", method="POST", body=b"x" * 100000),
    a("not-found", script="@/none.php"), a("extension", script="@/page.txt", files={"page.txt": "x"}),
    a("directory", script="@/dir.php", files={"dir.php/x": ""}),
    a("ping", script="@/none.php", params={"SCRIPT_NAME": "/ping"}, query="x"),
    a("keep", raw=twice, ends=2, keep=True, times=1),
    a("authorizer", role=2),
    health("get"), health("head", method="HEAD"), health("query", query="a"), health("post", method="POST"),
    health("body", params={"CONTENT_LENGTH": "3"}, body=b"abc"), health("not-found", script="@/none.php"),
    health("status", query="status=500"), health("redirect", code="header('Location: /x');"),
    health("error", code="http_response_code(500);"), health("slash", params={"SCRIPT_NAME": "/health/"}),
    health("no-content", code="http_response_code(204);"), health("ping", params={"SCRIPT_NAME": "/ping"}),
    *(a(f"default-{name}", profile="access-log-default", **kwargs) for name, kwargs in {
        "get": {}, "post": {"method": "POST", "body": b"a"}, "not-found": {"script": "@/none.php"},
        "user": {"params": {"HTTP_AUTHORIZATION": BASIC}}, "query": {"query": "a=1"}}.items()),
    *(a(f"tcp-{number}", profile="access-log-tcp", source=f"127.0.0.{number}") for number in (1, 2, 30)),
]
