# SPDX-License-Identifier: MIT
"""
The differences to PHP-FPM that are meant to be, each with its reason, and the cases that show it.
docs/COMPATIBILITY.md has them, too, in the form that this prints; a test compares.
"""

import dataclasses
import re
import sys
import textwrap

if __name__ == "__main__":
    sys.path.insert(0, sys.path[0].rpartition("/")[0])

from lib.php import at_least

WIDTH = 109


@dataclasses.dataclass(frozen=True)
class Difference:
    title: str
    reason: str     # what differs, and why; for operators
    # The parts of an answer that differ -> the cases in which they do. Where PHP-FPM is another in some versions, the
    # parts end with these: "stdout stderr >=8.4 <8.5".
    cases: dict
    advice: str = ""  # what to do, where something is to be done
    always: bool = True  # False: PHP-FPM does not always answer the same


REQUESTS = (
    Difference(
        "A body without CONTENT_LENGTH is read",
        "Web servers send none, or an empty one, for `Transfer-Encoding: chunked` that they do not buffer. "
        "PHP-FPM takes that for no body; here it is read to its end: forms, files and `php://input` are "
        "there. `post_max_size` holds.",
        {
            "stdout": (
                "body-length-empty", "body-length-empty-put", "body-unsized-form", "body-unsized-put",
                "body-unsized-json", "body-chunked-form", "body-chunked-put", "body-chunked-upload",
                "body-chunked-json", "body-chunked-large", "body-chunked-type-none",
                "body-chunked-upload-cut", "body-chunked-upload-many",
            ),
            "stdout stderr": (
                "body-chunked-post-max",
            ),
        },
    ),
    Difference(
        "A body shorter than CONTENT_LENGTH, or one with a negative length, ends where it ends",
        "PHP-FPM goes on reading behind the end of the body, and waits until the web server gives up.",
        {
            "stdout end connection": (
                "body-length-longer", "body-length-longer-put", "body-length-negative",
                "body-length-negative-put", "body-length-min", "body-upload-longer-length",
            ),
            "stdout stderr end connection": (
                "body-length-huge", "body-length-over-post-max",
            ),
        },
    ),
    Difference(
        "A kept connection outlives a body that is longer than CONTENT_LENGTH",
        "PHP-FPM closes the connection after such a request; here the rest of the body is dropped.",
        {
            "connection": (
                "body-length-shorter-keep", "body-length-zero-keep",
            ),
        },
    ),
    Difference(
        "A kept connection outlives a body that the script has read in part",
        "Some releases of PHP-FPM (8.4.27, 8.5.7) close the connection then, others (8.2.36, 8.4.28) do not.",
        {
            "connection": (
                "body-input-some-keep",
            ),
        },
        always=False,
    ),
    Difference(
        "Half a body is not run",
        "Where the web server goes away within the body, PHP-FPM runs the script with what has come. Here "
        "the script ends as with any client that is gone, and sees no half of a form.",
        {
            "stdout": (
                "protocol-stdin-partial-half-close",
            ),
        },
        "`ignore_user_abort` has the script run all the same.",
    ),
    Difference(
        "431 for parameters beyond the limits",
        "A request may have 2,048 parameters and 1 MiB of them; one with more, or with a longer one, is "
        "answered with `431 Request Header Fields Too Large`. PHP-FPM has no limit but its memory; it "
        "closes the connection where it cannot make sense of them.",
        {
            "stdout": (
                "protocol-params-too-many", "protocol-params-too-large",
            ),
            "stdout end": (
                "protocol-params-garbage",
            ),
        },
    ),
    Difference(
        "Output after fastcgi_finish_request() is dropped",
        "The script goes on. PHP-FPM ends the script at its next output or flush, as if the client had "
        "gone away; on a kept connection it sends the output into the next answer. The request's body "
        "cannot be read any more, and a second `fastcgi_finish_request()` says false, also on a kept "
        "connection.",
        {
            "stdout": (
                "output-finish-then-flush", "output-finish-then-ignore", "output-finish-then-status-echo",
                "output-finish-then-body", "output-finish-then-again", "output-finish-later-flush",
                "output-finish-later-status-echo",
            ),
        },
        "Read `php://input` before the call.",
    ),
)

SETTINGS = (
    Difference(
        "PHP_VALUE and PHP_ADMIN_VALUE last for one request",
        "In PHP-FPM they stick to the worker, and the next request, which may be another site's, has them. "
        "So `ini_restore()` goes back to the pool's value.",
        {
            "stdout": (
                "ini-value-sticks", "ini-value-restore",
            ),
        },
        "Have the web server send them with each request that needs them.",
    ),
    Difference(
        "PHP_VALUE and PHP_ADMIN_VALUE are not taken over TCP",
        "Whoever reaches the port could run code by them (`auto_prepend_file`). A web server on a Unix "
        "socket may send them.",
        {
            "stdout": (
                "tcp-value", "tcp-admin-value",
            ),
        },
        "`security.ini_params = \"always\"` takes them from everybody, `\"never\"` from nobody.",
    ),
    Difference(
        "Some settings are refused for one request",
        "`disable_functions`, `disable_classes`, `extension`, `zend_extension`, `syslog.ident`, `syslog.facility`, "
        "some of `opcache.*` (`protect_memory`, `save_comments`, `optimization_level`, `file_cache` and others) and "
        "`mysqlnd.collect_memory_statistics` cannot be undone when the request ends. The log says so, and why: "
        "`unable to set 'disable_functions': a function that is disabled stays so`. In PHP-FPM they stick to "
        "the worker, or kill it later.",
        {
            "stdout stderr": (
                "ini-value-disable-functions", "ini-value-disable-functions-user",
            ),
            "stdout stderr <8.5": (
                "ini-value-disable-classes",
            ),
            "stderr": (
                "ini-value-extension",
            ),
        },
        "Set them for the pool: `php.admin_value`, `php.ini`.",
    ),
    Difference(
        "A value that PHP refuses is told",
        "`unable to set 'memory_limit': PHP refuses the value '1'`, in PHP_VALUE, PHP_ADMIN_VALUE, [PATH=], "
        "[HOST=] and .user.ini. It then is as if it had not been there.",
        {
            "stderr": (
                "ini-value-bad-limit", "variables-order-none-0", "variables-order-none-1",
            ),
        },
    ),
    Difference(
        "An array in .user.ini, [PATH=] or [HOST=] is left out",
        "PHP-FPM's worker dies of it, or runs out of memory, and so it does where SERVER_NAME is the name of a setting "
        "and php.ini has [HOST=].",
        {
            "stdout end <8.5": (
                "ini-path-array", "ini-user-section",
            ),
            "stdout stderr >=8.5": (
                "ini-path-array", "ini-user-section",
            ),
        },
    ),
    Difference(
        "[PATH=], [HOST=] and .user.ini count for reading the body",
        "PHP-FPM sets them when PHP has begun with the request, before 8.5 when it has read the body. Here they are set "
        "before: `post_max_size` and `enable_post_data_reading` of a directory hold for forms, and what PHP has to say "
        "of a bad value is in the log but not in the answer. The same goes for a value that is deprecated: from 8.4 on, "
        "`PHP Request Startup: Disabling session.use_only_cookies INI setting is deprecated` in front of PHP-FPM's page "
        "leaves it without its headers and its session.",
        {
            "stdout": (
                "server-filter-default",
            ),
            "stdout <8.5": (
                "body-no-reading", "body-upload-no-reading",
            ),
            "stdout stderr": (
                "ini-path-bad-value",
            ),
            "stdout stderr <8.5": (
                "body-post-max", "ini-change-user-opcache.enable",
            ),
            "stdout stderr >=8.4": (
                "session-cookie-get", "session-trans-sid",
            ),
        },
    ),
    Difference(
        "PHP_BINARY, PHP_CONFIG_FILE_PATH and PHP_CONFIG_FILE_SCAN_DIR",
        "They name this program and libphp's directories, `/etc/php/X.Y/embed` on Debian.",
        {
            "stdout": (
                "sapi-binary", "sapi-config-path", "sapi-config-scan-dir",
            ),
        },
        "Settings are best taken from where they are: `php = { ini = \"/etc/php/X.Y/fpm/php.ini\"; "
        "ini_scan_dir = \"/etc/php/X.Y/fpm/conf.d\"; };`. The package phpX.Y-fpm stays installed then, since "
        "both are its.",
    ),
    Difference(
        "phpinfo() says php-pool",
        "In the section of `cgi-fcgi`, where PHP-FPM says `php-fpm`. The server API is `FPM/FastCGI` as "
        "there.",
        {
            "stdout": (
                "sapi-phpinfo-module",
            ),
        },
    ),
)

VARIABLES = (
    Difference(
        "HTTP_PROXY is not in getenv()",
        "Libraries take it for the proxy to use (CVE-2016-5385, httpoxy). PHP-FPM hides it from "
        "`getenv('HTTP_PROXY')` only, not from `getenv()` without a name. It stays in `$_SERVER`.",
        {
            "stdout": (
                "server-http-proxy-all",
            ),
        },
    ),
    Difference(
        "getenv() finds parameters whose name has three letters",
        "PHP-FPM overlooks them (`TLS`), though they are in `$_SERVER`.",
        {
            "stdout": (
                "server-three-letters",
            ),
        },
    ),
)

ERRORS = (
    Difference(
        "504 for request.terminate_timeout",
        "The script ends with a fatal error, shutdown functions run, and the client gets `504 Gateway "
        "Timeout` if nothing has left yet. PHP-FPM kills the worker, and the web server says 502.",
        {
            "stdout stderr end": (
                "errors-terminate",
            ),
        },
    ),
    Difference(
        "Long lines are whole",
        "PHP-FPM cuts messages to the web server's error log at `log_limit` (1,024 bytes), which takes the "
        "end off most stack traces, lines of the access log at 1,024 bytes, and `header('HTTP/1.1 404 …')` "
        "at 1,023. Here they are whole, those of the access log up to 16,384 bytes.",
        {
            "stderr": (
                "errors-error-log-long", "errors-long-message", "errors-longer-message", "errors-stack",
            ),
            "stdout": (
                "headers-status-line-long", "headers-status-line-long-nph",
                "headers-status-line-long-rfc2616", "headers-status-line-long-both",
            ),
            "stderr log": (
                "access-long", "access-script-header-long",
            ),
        },
    ),
    Difference(
        "The reason in `Unable to open primary script` for what is no file",
        "For a directory and the like PHP gives none. PHP-FPM shows the last error of whatever it did "
        "before; here it is always `No such file or directory`.",
        {
            "stderr": (
                "path-directory-php-default", "path-directory-php-plain-path",
                "path-directory-php-discard-path", "path-any-extension-directory", "path-user-dir-short",
                "access-directory",
            ),
        },
        always=False,
    ),
)

MONITORS = (
    Difference(
        "The status says more",
        "php-pool's own fields come behind PHP-FPM's, in the pool and in each worker, its own metrics "
        "(`phppool_…`) behind `phpfpm_…`. The HTML page's title is `PHP Pool Status Page`. "
        "`fpm_get_status()` has PHP-FPM's keys and no more.",
        {
            "stdout": (
                "monitors-additions-text", "monitors-additions-html", "monitors-additions-json",
                "monitors-additions-xml", "monitors-additions-openmetrics",
            ),
        },
    ),
    Difference(
        "A strict parser takes the OpenMetrics page",
        "Each sample has the label `pool`, and the metrics that PHP-FPM calls counters are of type gauge or "
        "unknown: a counter's samples would have to end in `_total`. Their names, order and units are the "
        "same; the HELP texts say what is counted here.",
        {
            "stdout": (
                "monitors-openmetrics-types",
            ),
        },
    ),
    Difference(
        "The status counts",
        "The queue of a Unix socket, where PHP-FPM says 0 for `listen queue`, `max listen queue` and `listen "
        "queue len`. Connections, as `accepted conn`; PHP-FPM counts each request of a kept one. Workers "
        "with a request, as `active processes`; in PHP-FPM each request of a kept connection adds one, for "
        "good. `max active processes` is the highest that the manager saw when it looked, which it does as "
        "workers come to be needed and for each question; a peak between may be missed.",
        {
            "stdout": (
                "monitors-queue", "monitors-kept-2", "monitors-kept-3",
            ),
        },
    ),
    Difference(
        "A client that `listen.allowed_clients` does not have is not let in",
        "PHP-FPM 8.5.7 compares a part of IPv6 addresses: with `::2`, `::1` is let in. Other releases do not.",
        {
            "stdout end": (
                "clients-ipv6-other",
            ),
        },
        always=False,
    ),
    Difference(
        "The request URI is the client's",
        "The status and `fpm_get_status()` show REQUEST_URI. PHP-FPM shows SCRIPT_NAME and the query "
        "string, which is `/index.php` for every page of most applications. In the access log `%r` is SCRIPT_NAME "
        "as there; `%{REQUEST_URI}e` is the other.",
        {
            "stdout": (
                "monitors-request-uri", "monitors-function-front",
            ),
        },
    ),
    Difference(
        "The status page is asked for by whole names",
        "`?json`, `?json=1`. PHP-FPM decodes names first (`%6ason`, `+json`, `json[]`), and before 8.4 takes any "
        "beginning of a name for it (`?x` is `?xml`).",
        {
            "stdout": (
                "monitors-query-array", "monitors-query-encoded", "monitors-query-space",
            ),
            "stdout <8.4": (
                "monitors-query-beginning",
            ),
        },
    ),
    Difference(
        "No PHP runs for the status page and the ping",
        "So there is no X-Powered-By, they are UTF-8 whatever `default_charset` says, they have no user and "
        "need no memory of PHP's. HEAD has the Content-Type of GET.",
        {
            "stdout": (
                "monitors-powered-by", "monitors-user", "monitors-head-text", "monitors-head-html",
                "monitors-head-json", "monitors-head-xml", "monitors-head-openmetrics",
                "access-suppress-ping",
            ),
            "stdout log": (
                "access-ping",
            ),
        },
    ),
    Difference(
        "No client forges a line of the access log",
        "Quotes, backslashes and control characters in what a client sent are `\\x22` and the like. PHP-FPM "
        "writes them as they come, line breaks too.",
        {
            "log": (
                "access-quote", "access-newline", "access-backslash", "access-escape",
            ),
        },
    ),
    Difference(
        "The access log has the answer as it was sent",
        "`%s` and `%{Header}o` are those behind shutdown functions and destructors, and header names count "
        "in any case. PHP-FPM looks before these have run. A line is therefore written behind the answer, and no "
        "client waits for it: lines of requests to different workers, one right behind the other, may have swapped "
        "places.",
        {
            "log": (
                "access-script-header-case", "access-script-shutdown", "access-script-shutdown-header",
                "access-script-destructor",
            ),
        },
        "`%t` and `%{…}t` are when a request came: sort by them where the order matters.",
    ),
)

PROTOCOL = (
    Difference(
        "Parameters may be cut anywhere, and records be as large as the specification has it",
        "PHP-FPM closes the connection when a name or value crosses from one PARAMS record into the next, "
        "so that a value is never longer than 65,528 bytes there; and it reads the padding of the empty "
        "record that ends PARAMS as the body's beginning.",
        {
            "stdout end": (
                "protocol-params-cut-pairs", "protocol-params-bytewise", "protocol-params-over-a-record",
            ),
            "stdout": (
                "protocol-padding-of-the-end",
            ),
        },
    ),
    Difference(
        "An unknown role is answered with FCGI_UNKNOWN_ROLE",
        "PHP-FPM closes the connection.",
        {
            "end": (
                "protocol-role-0", "protocol-role-4", "protocol-role-256", "protocol-role-65535",
            ),
            "end connection": (
                "protocol-role-unknown-keep",
            ),
        },
    ),
    Difference(
        "FCGI_ABORT_REQUEST is understood",
        "The request ends without an answer, and its script like one whose client is gone. PHP-FPM takes "
        "the record for the end of parameters or body, and runs the script with what it has.",
        {
            "stdout": (
                "protocol-abort-before-params", "protocol-abort-in-params", "protocol-abort-in-body",
                "protocol-abort-keep",
            ),
            "stdout end": (
                "protocol-abort-no-request",
            ),
        },
    ),
    Difference(
        "Management records at any time, and unknown ones are answered",
        "FCGI_GET_VALUES within a request is answered, and an unknown record with FCGI_UNKNOWN_TYPE; "
        "records that a client should not send are skipped. PHP-FPM ends the parameters or the body at "
        "each of them, or closes the connection.",
        {
            "stdout": (
                "protocol-values-in-params", "protocol-values-in-body", "protocol-unknown-type-in-request",
                "protocol-unknown-type-in-body",
            ),
            "records connection": (
                "protocol-unknown-type",
            ),
            "stdout end": (
                "protocol-unknown-type-then", "protocol-unknown-type-id", "protocol-stdout-from-client",
                "protocol-end-from-client",
            ),
        },
    ),
    Difference(
        "Records of another request are not mixed in",
        "What belongs to another request id is skipped, and a second request beside the first is refused "
        "with FCGI_CANT_MPX_CONN. PHP-FPM does not look at the id.",
        {
            "stdout": (
                "protocol-body-other-id", "protocol-params-other-id",
            ),
            "stdout end": (
                "protocol-interleaved", "protocol-second-begin-in-body",
            ),
        },
    ),
    Difference(
        "Malformed requests close the connection",
        "Another version than 1, a second FCGI_BEGIN_REQUEST, a body before the parameters or parameters "
        "within it, and FCGI_GET_VALUES of more than 1,024 bytes. PHP-FPM runs a script with what it has "
        "understood.",
        {
            "stdout end": (
                "protocol-version-2", "protocol-version-2-all", "protocol-begin-twice",
                "protocol-params-missing", "protocol-stdin-before-params", "protocol-values-long",
                "protocol-values-large",
            ),
            "stdout": (
                "protocol-params-in-body",
            ),
        },
    ),
    Difference(
        "Request id 0 is none",
        "It is reserved for management records, so such a request is skipped, as is what belongs to no "
        "request. PHP-FPM serves the first and closes the connection at the second.",
        {
            "stdout end connection": (
                "protocol-id-0",
            ),
            "connection": (
                "protocol-no-begin",
            ),
        },
    ),
)

CHAPTERS = {"Requests and bodies": REQUESTS, "Settings": SETTINGS, "Variables": VARIABLES,
    "Errors, logs and answers": ERRORS,
            "Status, ping and access log": MONITORS, "FastCGI": PROTOCOL}
DIFFERENCES = [difference for differences in CHAPTERS.values() for difference in differences]


def parts_here(parts):
    """The names of the parts, or None where they are of other versions of PHP than this one."""
    names = set()
    for word in parts.split():
        bound = re.fullmatch(r"(>=|<)(\d+)\.(\d+)", word)
        if not bound:
            names.add(word)
        elif at_least(int(bound[2]), int(bound[3])) != (bound[1] == ">="):
            return None
    return names


# Case -> (the difference that it shows, the parts in which it does), of the PHP that is tested.
BY_CASE = {case: (difference, parts_here(parts)) for difference in DIFFERENCES
           for parts, cases in difference.cases.items() if parts_here(parts) for case in cases}


def as_markdown():
    def entry(difference):
        text = f"**{difference.title}.** {difference.reason} {difference.advice}".strip()
        return "\n".join(textwrap.wrap(text, WIDTH, initial_indent="- ", subsequent_indent="  ",
            break_long_words=False,
                                       break_on_hyphens=False))

    return "\n\n".join(f"### {title}\n\n" + "\n".join(entry(difference) for difference in differences)
                       for title, differences in CHAPTERS.items()) + "\n"


if __name__ == "__main__":
    print(as_markdown(), end="")
