# SPDX-License-Identifier: MIT
"""What goes wrong in a script, where it is shown and where it is logged."""

from compat.case import Case as C

ERRORS = {
    "fatal": "echo 'before'; nonsense();",
    "fatal-first": "nonsense();",
    "exception": "echo 'before'; throw new Exception('thrown');",
    "nested-exception": "throw new LogicException('outer', 3, new RuntimeException('inner'));",
    "parse": "echo 'never' echo;",
    "parse-included": "echo 'before'; include 'broken.php';",
    "warning": "echo 'before'; echo $undefined; echo 'after';",
    "notice": "trigger_error('notice'); echo 'after';",
    "deprecated": "trigger_error('old', E_USER_DEPRECATED); echo 'after';",
    "user-error": "trigger_error('fatal', E_USER_ERROR); echo 'never';",
    "user-warning": "trigger_error(\"two\\nlines <b>html</b>\", E_USER_WARNING);",
    "type": "function f(int $x) {} f('abc');",
    "division": "echo 1 % 0;",
    "missing-include": "include 'nothing.php'; echo 'after';",
    "missing-require": "require 'nothing.php'; echo 'never';",
    "memory": "ini_set('memory_limit', '4M'); $x = str_repeat('x', 8 << 20);",
    "memory-array": "ini_set('memory_limit', '4M'); $a = []; while (true) $a[] = str_repeat('x', 1 << 20);",
    "recursion": "class R { public $r; } echo json_encode([NAN]) === false ? json_last_error_msg() : 'no';",
    "suppressed": "echo @file_get_contents('/nonexistent') === false ? 'false' : 'x';",
    "error-handler": "set_error_handler(function ($n, $s) { echo \"[$s]\"; return true; }); echo "
      "$undefined; echo 'after';",
    "error-handler-false": "set_error_handler(fn() => false); echo $undefined;",
    "exception-handler": "set_exception_handler(function ($e) { echo 'handled ', $e->getMessage(); }); "
      "throw new Exception('x');",
    "exception-in-handler": "set_exception_handler(function ($e) { throw new Exception('again'); }); throw "
      "new Exception('x');",
    "shutdown-fatal": "register_shutdown_function(function () { echo 'last: ', error_get_last()['message'] "
      "?? 'none'; }); nonsense();",
    "shutdown-fatal-code": "register_shutdown_function(function () { echo http_response_code(); }); "
      "nonsense();",
    "in-shutdown": "register_shutdown_function(function () { nonsense(); }); echo 'a';",
    "in-destructor": "class D { function __destruct() { throw new Exception('d'); } } $d = new D; echo 'a';",
    "in-ob-callback": "ob_start(function ($b) { nonsense(); }); echo 'a';",
    "error-log": "error_log('logged'); echo 'a';",
    "error-log-many": "error_log('one'); error_log('two'); error_log(\"three\\nlines\\n\"); error_log('');",
    "error-log-long": "error_log(str_repeat('long ', 3000));",
    "error-log-binary": "error_log(\"a\\0b\\xff\");",
    "error-log-1": "echo (int) error_log('file', 3, dirname(__DIR__, 2) . '/uploads/own'), "
      "file_get_contents(dirname(__DIR__, 2) . '/uploads/own');",
    "error-log-4": "error_log('sapi', 4);",
    "syslog": "error_log('x', 0); echo 'y';",
    "headers-then-fatal": "header('X-A: b'); http_response_code(201); nonsense();",
    "flushed-then-fatal": "echo 'a'; flush(); nonsense();",
    "many": "for ($i = 0; $i < 20; $i++) echo $undefined;",
    "ob-then-fatal": "ob_start(); echo 'a'; nonsense();",
    "silenced-fatal": "@nonsense();",
    "error-reporting-0": "error_reporting(0); echo $undefined; nonsense();",
    "display-off-later": "ini_set('display_errors', '0'); nonsense();",
    "assert": "assert(false); echo 'after';",
    "abstract": "abstract class A {} new A;",
    "timeout-zero": "set_time_limit(0); echo 'a';",
    "compile": "class A {} class A {}",
    "not-callable": "[1, 2]();",
    "long-message": "trigger_error(str_repeat('m', 1000) . 'END', E_USER_WARNING);",
    "longer-message": "trigger_error(str_repeat('m', 5000) . 'END', E_USER_WARNING);",
    "stack": "function deep($n) { if ($n) deep($n - 1); else throw new Exception('deep'); } deep(40);",
    "exit-255": "exit(255);",
}
SHOWN = {
    "on": "display_errors = 1",
    "off": "display_errors = 0",
    "stderr": "display_errors = stderr",
    "plain": "html_errors = 0",
    "off-plain": "display_errors = 0\nhtml_errors = 0",
    "no-log": "log_errors = 0",
    "off-no-log": "display_errors = 0\nlog_errors = 0",
    "logging-off": "fastcgi.logging = 0",
    "error-header": 'fastcgi.error_header = "HTTP/1.1 599 Broken"\ndisplay_errors = 0',
    "error-header-shown": 'fastcgi.error_header = "Status: 599 Broken"',
    "buffered": "output_buffering = 4096",
    "prepend-string": 'error_prepend_string = "<i>"\nerror_append_string = "</i>"\nhtml_errors = 0',
    "docref": 'docref_root = "/manual/"\ndocref_ext = ".html"',
    "ignore-repeated": "ignore_repeated_errors = 1",
    "max-len": "log_errors_max_len = 20",
    "level": "error_reporting = E_ERROR",
    "xmlrpc": "xmlrpc_errors = 1",
    "log-file": "error_log = @ROOT/uploads/log\ndisplay_errors = 0",
    "log-bad-file": "error_log = /nonexistent/log",
}
FEW = (
    "fatal", "exception", "parse", "warning", "many", "error-log-many", "flushed-then-fatal",
    "shutdown-fatal", "exit-255", "missing-include", "headers-then-fatal",
)
BROKEN = {"broken.php": "<?php echo 'x' echo;"}
LOOP = "while (true) $i = ($i ?? 0) + 1;"


def e(name, code, **kwargs):
    return C(f"errors-{name}", code, files=BROKEN, **kwargs)


CASES = [
    *(e(name, code) for name, code in ERRORS.items()),
    *(e(f"{name}-{ini}", ERRORS[name], ini=lines) for ini, lines in SHOWN.items() for name in FEW),
    e("log-file-content", "error_log('to file'); echo preg_replace('/^.*?\\] /', '', "
      "file_get_contents(dirname(__DIR__, 2) . '/uploads/log'));", ini="error_log = @ROOT/uploads/log",
      times=1),
    e("log-stderr-file", "error_log('to stderr');", ini="error_log = /dev/stderr"),
    e("log-empty", "error_log('x');", ini='error_log = ""'),
    e("log-ini-set", "ini_set('error_log', '/nonexistent/x'); error_log('x');"),
    e("header-after-output", "echo str_repeat('x', 10); flush(); nonsense();", ini='fastcgi.error_header = '
      '"HTTP/1.1 599 Broken"'),
    e("header-exit", "exit(255);", ini='fastcgi.error_header = "HTTP/1.1 599 Broken"'),
    e("header-caught", "try { nonsense(); } catch (Error $e) { echo 'caught'; }",
        ini='fastcgi.error_header = "HTTP/1.1 599 Broken"'),
    e("header-x", "nonsense();", ini='fastcgi.error_header = "X-Broken: yes"\ndisplay_errors = 0'),
    e("keep-fatal", "nonsense();", keep=True),
    e("keep-exit", "exit(255);", keep=True),
    e("keep-memory", ERRORS["memory"], keep=True),
    e("head-fatal", "nonsense();", method="HEAD"),
    e("then-good", "if (isset($_GET['see'])) echo 'good'; else nonsense();", ends=2, raw=lambda w:
      [w.request(keep=True), w.request(keep=False, QUERY_STRING="see=1")]),
    e("status-stays", "if (isset($_GET['see'])) { echo 'good', http_response_code(); error_log('own'); } "
      "else { http_response_code(418); nonsense(); }", ends=2, raw=lambda w:
      [w.request(keep=True), w.request(keep=False, QUERY_STRING="see=1")]),
    e("time-limit", LOOP, ini="max_execution_time = 1", times=1, timeout=15),
    e("time-limit-shutdown", "register_shutdown_function(fn() => print('shut')); set_time_limit(1); "
      + LOOP, times=1, timeout=15),
    e("time-limit-off-display", "set_time_limit(1); echo 'x'; " + LOOP, ini="display_errors = 0", times=1,
      timeout=15),
    e("terminate", "echo 'begun'; " + LOOP, profile="time-limit", times=1, timeout=15),
    e("segfault", "posix_kill(posix_getpid(), 11); echo 'alive';", times=1, timeout=5),
    e("killed-after-output", "echo 'x'; flush(); posix_kill(posix_getpid(), 9); echo 'alive';", times=1,
      timeout=5, ini="output_buffering = 0"),
]
