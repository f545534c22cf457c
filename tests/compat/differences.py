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
        "For `Transfer-Encoding: chunked` that a web server does not buffer, it sends no CONTENT_LENGTH, "
        "or an empty one. PHP-FPM takes that for a request without a body. php-pool reads the body to its "
        "end: forms, files and `php://input` are there. `post_max_size` holds.",
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
        "A body that is shorter than CONTENT_LENGTH, or whose length is negative, ends where its data "
        "ends",
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
        "A connection is kept open after a body that is longer than CONTENT_LENGTH",
        "PHP-FPM closes the connection after such a request. php-pool drops the rest of the body.",
        {
            "connection": (
                "body-length-shorter-keep", "body-length-zero-keep",
            ),
        },
    ),
    Difference(
        "A connection is kept open after a body that the script has not read to its end",
        "Some releases of PHP-FPM (8.4.27, 8.5.7) close the connection, others (8.2.36, 8.4.28) do not.",
        {
            "connection": (
                "body-input-some-keep",
            ),
        },
        always=False,
    ),
    Difference(
        "A script does not go on with half of a body",
        "When the web server goes away before it has sent all of the body, PHP-FPM runs the script with "
        "the part that has come. php-pool ends the script as for any client that is gone, so the script "
        "sees no half of a form.",
        {
            "stdout": (
                "protocol-stdin-partial-half-close",
            ),
        },
        "With `ignore_user_abort`, the script runs all the same.",
    ),
    Difference(
        "Status 431 for parameters beyond the limits",
        "A request may have 2,048 parameters, of 1 MiB together. php-pool answers a request with more of "
        "them, or with a longer one, with `431 Request Header Fields Too Large`. PHP-FPM has no limit but "
        "its memory, and closes the connection when it cannot understand the parameters.",
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
        "gone away; on a kept connection, it sends the output into the next answer. After the call, the "
        "script cannot read the request's body any more, and a second `fastcgi_finish_request()` returns "
        "false, also on a kept connection.",
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
        "In PHP-FPM these values stay in the worker, and hold for the next request, which may be another "
        "site's. So in php-pool `ini_restore()` goes back to the pool's value.",
        {
            "stdout": (
                "ini-value-sticks", "ini-value-restore",
            ),
        },
        "Have the web server send them with each request that needs them.",
    ),
    Difference(
        "PHP_VALUE and PHP_ADMIN_VALUE are not accepted over TCP",
        "Anybody who can reach the port could run code with them (`auto_prepend_file`). A web server on a "
        "Unix socket may send them.",
        {
            "stdout": (
                "tcp-value", "tcp-admin-value",
            ),
        },
        "`security.ini_params = \"always\"` accepts them from every client, `\"never\"` from none.",
    ),
    Difference(
        "Some settings cannot be set for one request",
        "`disable_functions`, `disable_classes`, `extension`, `zend_extension`, `syslog.ident`, "
        "`syslog.facility`, some of `opcache.*` (`protect_memory`, `save_comments`, `optimization_level`, "
        "`file_cache` and others) and `mysqlnd.collect_memory_statistics` cannot be undone when the "
        "request ends, so php-pool refuses them. The log says so, and why: `unable to set "
        "'disable_functions': a function that is disabled stays so`. In PHP-FPM they stay in the worker, "
        "or kill it later.",
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
        "The log names a value that PHP refuses",
        "`unable to set 'memory_limit': PHP refuses the value '1'`, for PHP_VALUE, PHP_ADMIN_VALUE, "
        "[PATH=], [HOST=] and .user.ini. The value has no effect.",
        {
            "stderr": (
                "ini-value-bad-limit", "variables-order-none-0", "variables-order-none-1",
            ),
        },
    ),
    Difference(
        "An array in .user.ini, [PATH=] or [HOST=] is ignored",
        "PHP-FPM's worker dies of such an array, or runs out of memory. The same happens in PHP-FPM where "
        "SERVER_NAME is the name of a setting and php.ini has [HOST=].",
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
        "[PATH=], [HOST=] and .user.ini hold while the body is read",
        "PHP-FPM sets them after PHP has begun with the request; before 8.5, after it has read the body. "
        "php-pool sets them before: `post_max_size` and `enable_post_data_reading` of a directory hold "
        "for forms, and PHP's message about a bad value is in the log and not in the answer. The same is "
        "true of a value that is deprecated: from 8.4 on, PHP-FPM writes `PHP Request Startup: Disabling "
        "session.use_only_cookies INI setting is deprecated` in front of the page, which then has neither "
        "its headers nor its session.",
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
        "PHP_BINARY, PHP_CONFIG_FILE_PATH and PHP_CONFIG_FILE_SCAN_DIR have other values",
        "They name php-pool's program and libphp's directories, `/etc/php/X.Y/embed` on Debian.",
        {
            "stdout": (
                "sapi-binary", "sapi-config-path", "sapi-config-scan-dir",
            ),
        },
        "To use PHP-FPM's settings, name its files: `php = { ini = \"/etc/php/X.Y/fpm/php.ini\"; "
        "ini_scan_dir = \"/etc/php/X.Y/fpm/conf.d\"; };`. Keep the package phpX.Y-fpm installed then: both "
        "belong to it.",
    ),
    Difference(
        "phpinfo() says php-pool",
        "Its section `cgi-fcgi` has `php-pool` where PHP-FPM's has `php-fpm`. The server API is "
        "`FPM/FastCGI` in both.",
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
        "Libraries take HTTP_PROXY for the proxy that they should use (CVE-2016-5385, httpoxy). PHP-FPM "
        "hides it from `getenv('HTTP_PROXY')` only, and not from `getenv()` without a name. In `$_SERVER` "
        "it is there.",
        {
            "stdout": (
                "server-http-proxy-all",
            ),
        },
    ),
    Difference(
        "getenv() finds parameters whose name has three letters",
        "PHP-FPM's getenv() does not find them (`TLS`), though they are in `$_SERVER`.",
        {
            "stdout": (
                "server-three-letters",
            ),
        },
    ),
)

ERRORS = (
    Difference(
        "Status 504 after request.terminate_timeout",
        "The script ends with a fatal error, shutdown functions run, and the client gets `504 Gateway "
        "Timeout` if no part of the answer has been sent yet. PHP-FPM kills the worker, and the web "
        "server answers 502.",
        {
            "stdout stderr end": (
                "errors-terminate",
            ),
        },
    ),
    Difference(
        "Long lines are not cut",
        "PHP-FPM cuts messages to the web server's error log at `log_limit` (1,024 bytes), so most stack "
        "traces lose their end; lines of the access log at 1,024 bytes; and `header('HTTP/1.1 404 …')` at "
        "1,023. php-pool cuts none of these but lines of the access log, at 16,384 bytes.",
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
        "`Unable to open primary script` has the same reason for everything that is not a file",
        "For a directory, and for other things that are not files, PHP gives no reason. PHP-FPM shows the "
        "last error of whatever it did before. php-pool always shows `No such file or directory`.",
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
        "The status has more fields",
        "php-pool's own fields come after PHP-FPM's, for the pool and for each worker; its own metrics "
        "(`phppool_…`) come after `phpfpm_…`. The HTML page's title is `PHP Pool Status Page`. "
        "`fpm_get_status()` has PHP-FPM's keys and no others.",
        {
            "stdout": (
                "monitors-additions-text", "monitors-additions-html", "monitors-additions-json",
                "monitors-additions-xml", "monitors-additions-openmetrics",
            ),
        },
    ),
    Difference(
        "A strict parser accepts the OpenMetrics page",
        "Each sample has the label `pool`, and the metrics that PHP-FPM calls counters are of type gauge "
        "or unknown, since OpenMetrics wants the names of a counter's samples to end in `_total`. Their "
        "names, order and units are the same. The HELP texts say what php-pool counts.",
        {
            "stdout": (
                "monitors-openmetrics-types",
            ),
        },
    ),
    Difference(
        "Some figures of the status count something else",
        "`listen queue`, `max listen queue` and `listen queue len` count connections that wait in a Unix "
        "socket, too; PHP-FPM says 0 there. `accepted conn` counts connections; PHP-FPM counts each "
        "request of a kept connection. `active processes` counts the workers that have a request; in "
        "PHP-FPM, each request of a kept connection adds one, and nothing ever takes it away. `max active "
        "processes` is the highest number that the manager has seen. The manager looks when workers are "
        "needed and at each question, so it may miss a peak in between.",
        {
            "stdout": (
                "monitors-queue", "monitors-kept-2", "monitors-kept-3",
            ),
        },
    ),
    Difference(
        "A client that `listen.allowed_clients` does not name is refused",
        "PHP-FPM 8.5.7 compares only a part of IPv6 addresses: where `::2` is allowed, it serves `::1`. "
        "Other releases do not.",
        {
            "stdout end": (
                "clients-ipv6-other",
            ),
        },
        always=False,
    ),
    Difference(
        "The request URI is the one that the client sent",
        "The status and `fpm_get_status()` show REQUEST_URI. PHP-FPM shows SCRIPT_NAME and the query "
        "string, which is `/index.php` for every page of most applications. In the access log, `%r` is "
        "SCRIPT_NAME as in PHP-FPM; `%{REQUEST_URI}e` is REQUEST_URI.",
        {
            "stdout": (
                "monitors-request-uri", "monitors-function-front",
            ),
        },
    ),
    Difference(
        "The parameters of the status page are compared as they are",
        "php-pool knows `?json` and `?json=1`. PHP-FPM decodes names first (`%6ason`, `+json`, `json[]`), "
        "and before 8.4 takes any beginning of a name for the name (`?x` for `?xml`).",
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
        "PHP does not run for the status page and the ping",
        "So they have no X-Powered-By, no user and no memory of PHP's, and they are UTF-8 whatever "
        "`default_charset` says. HEAD has the Content-Type of GET.",
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
        "No client can forge a line of the access log",
        "php-pool writes quotes, backslashes and control characters that a client sent as `\\x22` and the "
        "like. PHP-FPM writes them as they are, line breaks too.",
        {
            "log": (
                "access-quote", "access-newline", "access-backslash", "access-escape",
            ),
        },
    ),
    Difference(
        "The access log shows the answer as it was sent",
        "`%s` and `%{Header}o` are the values after shutdown functions and destructors have run, and the "
        "name of a header may be in any case. PHP-FPM takes the values before these have run. php-pool "
        "writes a line after the answer, so no client waits for it, and lines of two requests that "
        "different workers end at nearly the same time may have changed places.",
        {
            "log": (
                "access-script-header-case", "access-script-shutdown", "access-script-shutdown-header",
                "access-script-destructor",
            ),
        },
        "`%t` and `%{…}t` are the time when a request came: sort by them where the order matters.",
    ),
)

PROTOCOL = (
    Difference(
        "Parameters may be cut anywhere, and records may be as large as the specification allows",
        "PHP-FPM closes the connection when a name or a value begins in one PARAMS record and ends in the "
        "next, so that a value is never longer than 65,528 bytes there. It also takes the padding of the "
        "empty record that ends PARAMS for the beginning of the body.",
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
        "FCGI_ABORT_REQUEST ends the request",
        "The request ends without an answer, and its script ends like one whose client is gone. PHP-FPM "
        "takes the record for the end of the parameters or the body, and runs the script with what it "
        "has.",
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
        "Management records are answered at any time, and so are unknown records",
        "php-pool answers FCGI_GET_VALUES within a request, and an unknown record with FCGI_UNKNOWN_TYPE; "
        "it skips records that a client should not send. At each of these, PHP-FPM ends the parameters or "
        "the body, or closes the connection.",
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
        "Records of another request id are not mixed in",
        "php-pool skips records of another request id, and refuses a second request beside the first with "
        "FCGI_CANT_MPX_CONN. PHP-FPM does not look at the id.",
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
        "A malformed request closes the connection",
        "Malformed are: another version than 1, a second FCGI_BEGIN_REQUEST, a body before the parameters "
        "or parameters within it, and FCGI_GET_VALUES of more than 1,024 bytes. PHP-FPM runs a script "
        "with what it has understood.",
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
        "Request id 0 is not served",
        "It is reserved for management records, so php-pool skips such a request, as it skips records "
        "that belong to no request. PHP-FPM serves the request, and closes the connection at such a "
        "record.",
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
