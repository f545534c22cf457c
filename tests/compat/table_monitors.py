# SPDX-License-Identifier: MIT
"""What monitors ask for: the status page in all its formats, the ping, fpm_get_status(); and who may ask."""

from compat import masks
from compat.case import Case as C

FORMATS = ("", "html", "json", "xml", "openmetrics")
SHOW = "var_dump(fpm_get_status());"


def ask(name, query="", path="/status", profile="monitors", mask=masks.status, params={}, **kwargs):
    """A request for what is no script, by default for the status."""
    uri = {"SCRIPT_NAME": path, "REQUEST_URI": path + "?" * bool(query) + query}
    return C(f"monitors-{name}", kwargs.pop("code", None), script=kwargs.pop("script", "@/none.php"),
             query=query, profile=profile, mask=mask, params={**uri, **params}, **kwargs)


def page(name, query, **kwargs):
    return ask(name, query, mask=masks.samples if "openmetrics" in query else masks.status, **kwargs)


def function(name, code=SHOW, **kwargs):
    return C(f"monitors-function-{name}", code, profile="monitors", mask=masks.times, **kwargs)


QUERIES = {
    "order": "json&html", "order-xml": "json&xml", "order-last": "openmetrics&json", "upper": "JSON&FULL",
    "unknown": "nothing=1&more", "longer": "jsonp&fuller", "value": "json=0&full=0",
    "empty-value": "json=&full=",
    "empty-names": "&&json&&full&&", "no-name": "=json&=full", "semicolon": "html;json",
    "twice": "json&json",
    "of-a-value": "z=json&y=full", "markup": "full&html&z=<b>%22'&amp;", "escaped": "full&json&z=%3Cb%22%5C",
    "plus": "full&json&z=a+b", "slashes": "full&json&z=/a/b//", "markup-xml": "full&xml&z=]]>&lt;",
    "long": "full&json&z=" + "v" * 300, "utf-8": "full&xml&z=ä€",
    # PHP-FPM looks at these in another way.
    "array": "json[]=1", "encoded": "%6ason", "beginning": "x=1", "space": "+json",
}
PATHS = {
    "slash": "/status/", "case": "/Status", "double": "//status", "more": "/status/more", "dot": "/./status",
    "encoded": "/%73tatus", "query": "/status?json", "empty": "", "prefix": "/statu", "ping-slash": "/ping/",
}
CASES = [
    *(page(f"{form or 'text'}{'-full' * full}-{method.lower()}", form + "&full" * full, method=method)
      for form in FORMATS for full in (False, True) for method in ("GET", "POST", "PUT", "DELETE")),
    *(page(f"full-{form}", f"full&{form}") for form in FORMATS if form),
    *(page(f"query-{name}", query) for name, query in QUERIES.items()),
    *(ask(f"path-{name}", "json", path) for name, path in PATHS.items()),
    *(ask(f"head-{form or 'text'}", form, method="HEAD") for form in FORMATS),
    page("body", "json&full", method="POST", body=b"x" * 1000),
    page("user", "json&full", params={"HTTP_AUTHORIZATION": "Basic am9lOnNlY3JldA=="}),
    page("a-file", "json", script="@/status", files={"status": "a file"}),
    page("a-script", "json", script="@/index.php", code="echo 'a script';"),
    page("other-name", "json", path="/other", script="@/status", files={"status": "a file"}),
    page("path-info", "json", params={"PATH_INFO": "/status"}),
    page("path-info-more", "json", params={"PATH_INFO": "/more"}),
    page("path-of-a-file", "json", path="/status/more", script="@/status/more", files={"status": "a file"}),
    page("no-name", "json", params={"SCRIPT_NAME": None}),
    page("no-filename", "json", params={"SCRIPT_FILENAME": None}),
    page("no-query", "", params={"QUERY_STRING": None, "REQUEST_URI": "/status?json"}),
    page("role-authorizer", "json", role=2),
    page("role-filter", "json", role=3),
    *(page(f"kept-{n}", "json", profile="monitors-kept", ends=n, keep=True, times=1, script="@/index.php",
           code="echo 'a script';",
           raw=lambda w, n=n: [w.request(SCRIPT_NAME="/index.php")] * (n - 1) + [w.request()])
      for n in (1, 2, 3)),
    ask("own-path", "json", "/s/t", "monitors-own"),
    ask("own-path-default", "json", "/status", "monitors-own"),
    ask("own-ping", "", "/p", "monitors-own"),
    ask("own-ping-default", "", "/ping", "monitors-own"),
    *(ask(f"off-{path[1:]}", "", path, "monitors-off") for path in ("/status", "/ping", "/")),
    *(ask(f"ping-{method.lower()}", "", "/ping", method=method)
      for method in ("GET", "HEAD", "POST", "OPTIONS")),
    ask("ping-query", "json&full", "/ping"),
    ask("ping-body", "", "/ping", method="POST", body=b"x" * 100),
    ask("ping-a-file", "", "/ping", script="@/ping", files={"ping": "a file"}),
    ask("ping-keep", "", "/ping", "monitors-kept", keep=True),
    # What is not the same, as it is.
    ask("powered-by", "", "/ping", mask=None),
    *(ask(f"additions-{form or 'text'}", form + "&full", mask=masks.extended) for form in FORMATS),
    ask("openmetrics-types", "openmetrics"),
    ask("queue", "json", mask=masks.queue),
    page("request-uri", "json&full", params={"REQUEST_URI": "/blog/1?x"}),
    function("all"),
    function("post", method="POST", body=b"a=1"),
    function("user", params={"HTTP_AUTHORIZATION": "Basic am9lOnNlY3JldA=="}),
    function("query", query="a=%3Cb&c", params={"REQUEST_URI": "/index.php?a=%3Cb&c"}),
    function("front", query="x=1", params={"SCRIPT_NAME": "/index.php", "REQUEST_URI": "/blog/1?x=1"}),
    function("markup", query="<b>\"'&", params={"REQUEST_URI": "/index.php?<b>\"'&"}),
    function("arguments", "try { fpm_get_status(1); } catch (Error $e) { echo $e->getMessage(); }"),
    function("reflection", "echo new ReflectionFunction('fpm_get_status');"),
    function("disabled", "echo (int) function_exists('fpm_get_status');"),
    function("after-finish", "fastcgi_finish_request(); error_log(fpm_get_status()['pool']);"),
    function("in-shutdown", "register_shutdown_function(function () { " + SHOW + " });"),
    *(C(f"clients-{name}", "echo $_SERVER['REMOTE_ADDR'];", profile="clients", source=source)
      for name, source in (("first", "127.0.0.1"), ("other", "127.0.0.2"), ("second", "127.0.0.3"),
                           ("near", "127.0.0.11"))),
    *(C(name, "echo $_SERVER['REMOTE_ADDR'];", profile=name, source="::1")
      for name in ("clients-ipv6", "clients-ipv6-other")),
]
