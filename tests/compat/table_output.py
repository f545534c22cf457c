# SPDX-License-Identifier: MIT
"""How output leaves: buffers, compression, flushing, the end of a script wherever it comes, big answers."""

from compat.case import Case as C

GZIP = {"HTTP_ACCEPT_ENCODING": "gzip, deflate"}
OFF = "output_buffering = 0"


def o(name, code, **kwargs):
    return C(f"output-{name}", code, **kwargs)


FINISH = {
    "plain": "echo 'a'; var_dump(fastcgi_finish_request()); echo 'b';",
    "twice": "echo 'a'; fastcgi_finish_request(); file_put_contents('php://stderr', ''); "
      "var_dump(fastcgi_finish_request());",
    "ob": "ob_start(); echo 'a'; ob_start(); echo 'b'; fastcgi_finish_request(); echo 'c'; ob_end_flush();",
    "headers": "header('X-A: b'); fastcgi_finish_request(); header('X-B: c'); http_response_code(500);",
    "nothing": "fastcgi_finish_request();",
    "status": "http_response_code(404); fastcgi_finish_request();",
    "exit": "echo 'a'; fastcgi_finish_request(); exit('b');",
    "error": "echo 'a'; fastcgi_finish_request(); nonsense();",
    "warning": "echo 'a'; fastcgi_finish_request(); echo $undefined; error_log('late');",
    "before-warning": "echo $undefined; fastcgi_finish_request();",
    "shutdown": "echo 'a'; register_shutdown_function('fastcgi_finish_request'); echo 'b';",
    "destructor": "class D { function __destruct() { echo 'd'; fastcgi_finish_request(); echo 'e'; } } $d "
      "= new D; echo 'a';",
    "callback": "ob_start(fn($b) => strtoupper($b)); echo 'a'; fastcgi_finish_request();",
    "in-callback": "ob_start(function ($b) { fastcgi_finish_request(); return $b; }); echo 'a';",
    "session": "session_id('finish1'); session_start(); $_SESSION['a'] = 1; echo 'a'; "
      "fastcgi_finish_request(); $_SESSION['b'] = 2;",
    "output-much": "echo 'a'; fastcgi_finish_request(); for ($i = 0; $i < 100; $i++) { echo "
      "str_repeat('x', 10000); flush(); }",
    "arguments": "try { fastcgi_finish_request(1); } catch (Error $e) { echo $e->getMessage(); }",
}
# What a script does after its answer is in a file for the next one.
AFTER = {
    "work": "echo 'a'; fastcgi_finish_request(); touch(M);",
    "echo": "echo 'a'; fastcgi_finish_request(); echo 'b'; touch(M);",
    "flush": "echo 'a'; fastcgi_finish_request(); echo 'b'; flush(); touch(M);",
    "ignore": "ignore_user_abort(true); echo 'a'; fastcgi_finish_request(); echo 'b'; flush(); touch(M);",
    "status": "echo 'a'; fastcgi_finish_request(); file_put_contents(M, connection_status() . "
      "connection_aborted());",
    "status-echo": "ignore_user_abort(true); fastcgi_finish_request(); echo 'b'; flush(); "
      "file_put_contents(M, connection_status() . connection_aborted());",
    "shutdown": "echo 'a'; fastcgi_finish_request(); register_shutdown_function(function () { touch(M); });",
    "body": "fastcgi_finish_request(); file_put_contents(M, file_get_contents('php://input'));",
    "headers": "fastcgi_finish_request(); header('X: y'); file_put_contents(M, implode(headers_list()));",
    "sent": "fastcgi_finish_request(); file_put_contents(M, var_export(headers_sent(), true));",
    "ob": "ob_start(); echo 'a'; fastcgi_finish_request(); file_put_contents(M, ob_get_level());",
    "again": "fastcgi_finish_request(); file_put_contents(M, var_export(fastcgi_finish_request(), true));",
    "warning": "fastcgi_finish_request(); echo $undefined; touch(M);",
}


def twice(w):
    """Two requests on one kept connection: the second is answered when the first has ended altogether."""
    return [w.request(keep=True), w.request(keep=False, QUERY_STRING="see=1")]


def after(name, code):
    """The first request does something after its answer, the second one shows what."""
    see = """$m = dirname(__DIR__, 2) . '/uploads/after';
        if (isset($_GET['see'])) { var_dump(file_exists($m), @file_get_contents($m)); exit; }
        define('M', $m); """
    return o(f"finish-then-{name}", see + code, times=1, method="PUT", body=b"body", ends=2, raw=twice)


def later(name, code):
    """The same without FCGI_KEEP_CONN: a server's only worker takes the second when the first has ended."""
    see = """$m = dirname(__DIR__, 2) . '/uploads/after';
        if (file_exists("$m-first")) { var_dump(file_exists($m), @file_get_contents($m)); exit; }
        touch("$m-first");
        define('M', $m); """
    return o(f"finish-later-{name}", see + code, method="PUT", body=b"body")


EXITS = {
    "string": "echo 'a'; exit('b');",
    "int": "echo 'a'; exit(3);",
    "255": "echo 'a'; exit(255);",
    "zero": "exit(0);",
    "die": "die;",
    "array": "try { exit([1]); } catch (Error $e) { echo $e->getMessage(); }",
    "function": "function f() { exit('f'); } f(); echo 'never';",
    "included": "include 'inc.php'; echo 'never';",
    "shutdown": "register_shutdown_function(function () { echo 's'; exit('x'); }); echo 'a';",
    "shutdown-two": "register_shutdown_function(function () { echo '1'; exit; }); "
      "register_shutdown_function(function () { echo '2'; }); echo 'a';",
    "destructor": "class D { function __destruct() { echo 'd'; exit('x'); } } $d = new D; echo 'a';",
    "destructor-unset": "class D { function __destruct() { exit('x'); } } $d = new D; unset($d); echo "
      "'never';",
    "ob": "ob_start(); echo 'a'; exit('b');",
    "ob-callback": "ob_start(function ($b) { exit('in callback'); return $b; }); echo 'a';",
    "error-handler": "set_error_handler(function () { exit('handled'); }); echo $undefined; echo 'never';",
    "exception-handler": "set_exception_handler(function () { exit('handled'); }); throw new "
      "Exception('x');",
    "finally": "try { exit('a'); } finally { echo 'never'; }",
    "generator": "function g() { try { yield 1; exit('g'); } finally { echo 'f'; } } foreach (g() as $x) "
      "echo $x;",
    "autoload": "spl_autoload_register(function ($c) { exit(\"load $c\"); }); new Nothing;",
    "sort": "$a = [2, 1]; usort($a, function () { exit('sort'); });",
    "preg": "preg_replace_callback('/x/', function () { exit('preg'); }, 'x');",
    "header-callback": "header_register_callback(function () { exit('cb'); }); echo 'a';",
    "session-handler": "session_set_save_handler(fn() => true, fn() => true, fn() => '', fn() => "
      "exit('write'), fn() => true, fn() => 0); session_id('x'); session_start();",
    "fiber": "$f = new Fiber(function () { echo 'in'; exit('fiber'); }); $f->start();",
    "string-callback": "register_shutdown_function('printf', 'last'); exit('a');",
    "tostring": "class T { function __toString() { exit('ts'); } } echo new T;",
    "constant": "exit(PHP_VERSION_ID > 80000 ? 'new' : 'old');",
}
BUFFERS = {
    "none": "echo 'a';",
    "print": "print 'a'; printf('%d', 1); ?>inline<?= 'short' ?><?php ",
    "start": "ob_start(); echo 'a';",
    "nested": "ob_start(); echo 'a'; ob_start(); echo 'b'; ob_start(); echo 'c';",
    "callback": "ob_start(fn($b, $p) => \"[$p:$b]\"); echo 'a'; ob_flush(); echo 'b'; ob_clean(); echo 'c';",
    "chunk": "ob_start(fn($b, $p) => \"[$p:$b]\", 3); foreach (['a', 'bc', 'def', 'g'] as $x) echo $x;",
    "clean": "ob_start(); echo 'a'; ob_end_clean(); echo 'b';",
    "get": "ob_start(); echo 'a'; $x = ob_get_clean(); echo strrev($x . 'b');",
    "level": "echo ob_get_level(); print_r(ob_get_status(true)); print_r(ob_list_handlers());",
    "flags": "ob_start(null, 0, 0); echo 'a'; var_dump(ob_end_clean(), ob_get_clean(), ob_flush());",
    "callback-false": "ob_start(fn($b) => false); echo 'a';",
    "callback-echo": "ob_start(function ($b) { echo 'lost'; return 'kept'; }); echo 'a';",
    "callback-throw": "ob_start(function ($b) { throw new Exception('x'); }); echo 'a'; try { "
      "ob_end_flush(); } catch (Exception $e) { echo $e->getMessage(); }",
    "callback-late": "ob_start(fn($b) => strtoupper($b)); register_shutdown_function(function () { echo "
      "'late'; }); echo 'a';",
    "shutdown-clean": "ob_start(); echo 'a'; register_shutdown_function(function () { while "
      "(ob_get_level()) ob_end_clean(); echo 'only'; });",
    "shutdown-echo": "register_shutdown_function(function () { echo 's'; }); echo 'a';",
    "destructor-echo": "class D { function __destruct() { echo 'd'; } } $d = new D; echo 'a';",
    "end-more": "var_dump(@ob_end_flush(), @ob_end_flush(), @ob_end_clean()); echo 'a';",
    "implicit": "ob_implicit_flush(); echo 'a'; echo 'b';",
    "flush": "echo 'a'; flush(); echo 'b'; flush(); echo 'c';",
    "ob-flush": "echo 'a'; if (ob_get_level()) ob_flush(); flush(); header('X: y'); echo 'b';",
    "rewrite": "output_add_rewrite_var('v', '1'); echo '<a href=\"/x.php?a=b\">x</a><form></form>';",
    "rewrite-reset": "output_add_rewrite_var('v', '1'); output_reset_rewrite_vars(); echo '<a "
      "href=\"x.php\">x</a>';",
    "iconv": "ob_start('ob_iconv_handler'); echo 'ä';",
    "tidy": "var_dump(@ob_start('no_such_handler')); echo 'a';",
    "big": "for ($i = 0; $i < 3000; $i++) echo str_repeat('x', 100), \"\\n\";",
    "length": "echo 'abc'; header('Content-Length: ' . ob_get_length());",
}
CASES = [
    *(o(f"buffer-{name}-{size}", code, ini=f"output_buffering = {size}") for name, code in BUFFERS.items()
      for size in ("0", "4096", "On")),
    *(o(f"buffer-implicit-{name}", code, ini=f"{OFF}\nimplicit_flush = 1") for name,
      code in list(BUFFERS.items())[:4]),
    o("handler-ini", "echo 'abc';", ini="output_handler = strtoupper"),
    o("handler-ini-missing", "echo 'abc';", ini="output_handler = nothing_such"),
    *(o(f"exit-{name}", code, files={"inc.php": "echo 'inc'; exit('bye');"}) for name,
      code in EXITS.items()),
    *(o(f"finish-{name}", code) for name, code in FINISH.items()),
    *(after(name, code) for name, code in AFTER.items()),
    *(later(name, code) for name, code in AFTER.items()),
    o("finish-keep", "echo 'a'; fastcgi_finish_request(); echo 'b';", keep=True),
    o("finish-head", "echo 'a'; fastcgi_finish_request();", method="HEAD"),
    o("finish-gzip", "echo 'aaaa'; fastcgi_finish_request();", params=GZIP, ini="zlib.output_compression = "
      "1"),
    o("finish-buffered", "echo 'a'; fastcgi_finish_request();", ini="output_buffering = 4096"),
    *(o(f"gzip-{i}", "echo str_repeat('hello ', 1000);", ini=ini, params=params) for i,
      (ini, params) in enumerate((("zlib.output_compression = 1", GZIP),
      ("zlib.output_compression = 1", {}), ("zlib.output_compression = 1", {"HTTP_ACCEPT_ENCODING":
      "deflate"}), ("zlib.output_compression = 1", {"HTTP_ACCEPT_ENCODING": "br"}), (
      "zlib.output_compression = 1", {"HTTP_ACCEPT_ENCODING": "gzip;q=0"}), (
      "zlib.output_compression = 200", GZIP), (
      "zlib.output_compression = 1\nzlib.output_compression_level = 1", GZIP), (
      "output_handler = ob_gzhandler", GZIP)))),
    o("gzip-ob", "ob_start('ob_gzhandler'); echo str_repeat('hello ', 1000);", params=GZIP),
    o("gzip-ob-none", "ob_start('ob_gzhandler'); echo 'hello';"),
    o("gzip-ini-set", "ini_set('zlib.output_compression', '1'); echo str_repeat('hello ', 1000);",
      params=GZIP),
    o("gzip-ini-set-late", "echo 'x'; flush(); var_dump(ini_set('zlib.output_compression', '1'));",
      params=GZIP),
    o("gzip-flush", "echo 'a'; ob_flush(); flush(); echo 'b';", params=GZIP, ini="zlib.output_compression "
      "= 1"),
    o("gzip-empty", "", params=GZIP, ini="zlib.output_compression = 1"),
    o("gzip-head", "echo 'abc';", params=GZIP, ini="zlib.output_compression = 1", method="HEAD"),
    o("gzip-304", "http_response_code(304);", params=GZIP, ini="zlib.output_compression = 1"),
    o("gzip-error", "echo 'abc'; nonsense();", params=GZIP, ini="zlib.output_compression = 1"),
    o("gzip-exit", "echo 'abc'; exit('d');", params=GZIP, ini="zlib.output_compression = 1"),
    o("large-1m", "echo str_repeat('0123456789abcdef', 65536);"),
    o("large-20m", "for ($i = 0; $i < 1280; $i++) echo str_repeat(chr($i % 256), 16384);", times=1,
      timeout=10),
    o("large-one-write", "echo str_repeat('x', 20 << 20);", times=1, timeout=10),
    o("large-keep", "echo str_repeat('y', 3 << 20);", keep=True, timeout=10),
    o("large-buffered", "echo str_repeat('z', 3 << 20);", ini="output_buffering = On", timeout=10),
    o("large-header", "header('X-L: ' . str_repeat('h', 200000)); echo 'b';"),
    o("binary", "header('Content-Type: application/octet-stream'); for ($i = 0; $i < 256; $i++) echo "
      "chr($i);"),
    o("sizes", "foreach ([1, 7, 8, 9, 8183, 8184, 8185, 8191, 8192, 8193, 16384, 32767, 65527, 65528, "
      "65529, 65535, 65536, 65537] as $n) { echo str_repeat('s', $n); if ($n & 1) flush(); }", ini=OFF),
    o("nul", "echo \"a\\0b\";"),
    o("many-writes", "for ($i = 0; $i < 50000; $i++) echo 'x';", ini=OFF),
    o("many-flushes", "for ($i = 0; $i < 500; $i++) { echo 'x'; flush(); }", ini=OFF),
    o("empty-writes", "echo ''; flush(); echo '';"),
    o("readfile", "var_dump(readfile(__DIR__ . '/data'));", files={"data": bytes(range(256)) * 100}),
    o("readfile-ob", "ob_start(); readfile(__DIR__ . '/data'); echo strlen(ob_get_clean());", files={"data":
      b"x" * 9000}),
    o("fpassthru", "$f = fopen(__DIR__ . '/data', 'r'); fseek($f, 10); var_dump(fpassthru($f));", files={
      "data": bytes(range(256)) * 100}),
    o("readfile-missing", "var_dump(readfile('/nonexistent'));"),
    o("copy-to-output", "copy(__DIR__ . '/data', 'php://output');", files={"data": b"x" * 9000}),
    o("highlight", "highlight_file(__FILE__);"),
    o("passthru", "passthru('echo from shell'); system('echo again');"),
    o("exec", "exec('echo out; echo err >&2', $o, $r); var_dump($o, $r);"),
    o("stream-output", "$f = fopen('php://output', 'w'); fwrite($f, 'a'); echo 'b'; fclose($f); echo 'c';"),
    o("stream-output-ob", "ob_start(fn($b) => strtoupper($b)); file_put_contents('php://output', 'abc');"),
    o("stream-stdout", "var_dump(file_put_contents('php://stdout', 'to stdout'));"),
    o("stream-stderr", "var_dump(file_put_contents('php://stderr', 'to stderr'));"),
    o("stream-stdout-closed", "$f = fopen('php://stdout', 'w'); var_dump(fclose($f)); echo 'after';"),
    o("stream-fd", "var_dump(@file_put_contents('php://fd/1', 'x') !== false);"),
    o("print-r", "print_r([1, ['a' => null]]); var_export(1.5); echo true, null, 1.0;"),
    o("abort-status", "ignore_user_abort(true); echo connection_status(), connection_aborted();"),
    o("ini-ignore", "var_dump(ignore_user_abort(), ignore_user_abort(true), ignore_user_abort());",
        ini="ignore_user_abort = 1"),
    o("short-tags", None, files={"index.php": "<? echo 'short'; ?>x<?= 1 ?>"}, ini="short_open_tag = 1"),
    o("short-tags-off", None, files={"index.php": "<? echo 'short'; ?>x<?= 1 ?>"}, ini="short_open_tag = 0"),
    o("halt", None, files={"index.php": "<?php echo stream_get_contents(fopen(__FILE__, 'r'), -1, "
      "__COMPILER_HALT_OFFSET__); __halt_compiler();data"}),
    o("no-end-newline", None, files={"index.php": "<?php echo 'a' ?>"}),
    o("end-newline", None, files={"index.php": "<?php echo 'a' ?>\n"}),
    o("include-many", "for ($i = 0; $i < 3; $i++) include 'inc.php'; echo count(get_included_files());",
      files={"inc.php": "echo __FILE__, __LINE__;"}),
    o("mb-http-output", "echo 'ä', function_exists('mb_http_output');"),
]
