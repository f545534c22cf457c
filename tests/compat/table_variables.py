# SPDX-License-Identifier: MIT
"""What a script sees of its request, its process and its settings."""

from compat.case import Case as C
from lib import fastcgi

DUMP = "require __DIR__ . '/../../dump.php'; "
AUTH = DUMP + "dump(array_filter($_SERVER, fn($n) => preg_match('/AUTH/', $n), ARRAY_FILTER_USE_KEY));"


def shows(name, expression, **kwargs):
    return C(name, f"var_dump({expression});", **kwargs)


def auth(name, value):
    return C(f"auth-{name}", AUTH, params={"HTTP_AUTHORIZATION": value})


def order(value, argc=0):
    return C(f"variables-order-{value or 'none'}-{argc}", DUMP + """
        echo count($_ENV), isset($_ENV['QUERY_STRING']), isset($_ENV['PATH']), "\n";
        dump($_ENV);
        dump($_SERVER);
        var_dump($_GET, $_POST, $_COOKIE, $_REQUEST, $argv ?? null);
        var_dump(getenv('QUERY_STRING'), getenv('PATH'));""",
             query="a=1+2&b", body=b"p=3", method="POST", params={"HTTP_COOKIE": "c=4"},
             ini=f'variables_order = "{value}"\nregister_argc_argv = {argc}')


def with_duplicates(w):
    pairs = w.params() + fastcgi.encode_pairs({"HTTP_HOST": "second", "FRESH": "1"}) + fastcgi.encode_pairs(
        {"FRESH": "2"})
    return fastcgi.stream(fastcgi.PARAMS, pairs) + fastcgi.stream(fastcgi.STDIN, b"")


METHODS = (
    "GET",
    "POST",
    "PUT",
    "DELETE",
    "OPTIONS",
    "HEAD",
    "PATCH",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "get",
    "post",
    "head",
    "QUERY",
    "M-SEARCH",
    "X" * 200,
    "",
    "PO ST",
    "\xc9T\xc9",
)

CASES = [
    C("server", DUMP + "dump();"),
    C("server-no-jit", DUMP + "dump();", ini="auto_globals_jit = 0"),
    C("server-keep", DUMP + "dump();", keep=True),
    C("server-empty-values", DUMP + "dump();",
      params={"EMPTY": "", "ZERO": "0", "SPACE": " ", "HTTP_X": ""}),
    C("server-odd-names", DUMP + "dump();", params={"a.b": "dot", "a b": "space", "a[b]": "array",
      "a[b][c]": "deeper", "a[": "open", "": "no name", " lead": "1", "=": "equals", "x=y": "1", "lower":
      "1", "MiXeD": "1", "GLOBALS": "1", "this": "1", "_SERVER": "1", "argv": "1", "argc": "2", "PHP_SELF":
      "own", "REQUEST_TIME": "1", "FCGI_ROLE": "own"}),
    C("server-odd-values", DUMP + "dump();", params={"NUL": "a\0b", "NEWLINE": "a\nb\r\nc", "HIGH":
      "\xff\xfe", "UTF": "äöü€", "LONG": "x" * 50000, "QUOTE": "'\"\\"}),
    C("server-nul-in-name", DUMP + "dump();", params={"A\0B": "1"}),
    C("server-http-proxy", "var_dump($_SERVER['HTTP_PROXY'] ?? null, getenv('HTTP_PROXY'),"
      "$_ENV['HTTP_PROXY'] ?? null, getallheaders());", params={"HTTP_PROXY": "evil", "HTTP_proxy": "e2",
      "http_proxy": "e3"}),
    shows("server-http-proxy-all", "isset(getenv()['HTTP_PROXY'])", params={"HTTP_PROXY": "evil"}),
    C("server-many-params", "var_dump(count($_SERVER), $_SERVER['P1499']);",
      params={f"P{i}": str(i) for i in range(1500)}),
    C("server-overrides-unit", DUMP + "dump(); var_dump(getenv('PATH'), getenv('POOL_TEST'), $_ENV);",
      params={"PATH": "/evil", "POOL_TEST": "request's", "HOME": "/h"}),
    C("server-minimal", DUMP + "dump();", whole={"SCRIPT_FILENAME": "@/index.php", "REQUEST_METHOD": "GET"}),
    C("server-no-method", DUMP + "dump();", params={"REQUEST_METHOD": None}),
    C("server-nothing", DUMP, whole={}),
    C("server-only-method", DUMP, whole={"REQUEST_METHOD": "GET"}),
    C("server-duplicates", DUMP + "dump();", raw=lambda w: [fastcgi.begin(), with_duplicates(w)]),
    C("server-filter", "var_dump(filter_input(INPUT_SERVER, 'QUERY_STRING'), filter_input(INPUT_ENV, "
      "'PATH'), filter_input(INPUT_GET, 'a', FILTER_VALIDATE_INT), filter_input(INPUT_SERVER, "
      "'PHP_SELF'), filter_has_var(INPUT_SERVER, 'REQUEST_METHOD'), filter_input(INPUT_COOKIE, 'c'));",
      query="a=5", params={"HTTP_COOKIE": "c=<b>"}),
    C("server-three-letters",
      "var_dump(getenv('TLS'), $_SERVER['TLS'], filter_input(INPUT_SERVER, 'TLS'));", params={"TLS": "1.3"}),
    C("server-filter-default", DUMP + "dump(); var_dump($_GET);", query="a=<b>&c=%27",
        ini="filter.default = special_chars", params={
      "X": "<&>\"'", "PATH_INFO": "/<x>"}),
    C("server-filter-strip", DUMP + "dump();", profile="filter", params={"X": "<b>y&\"'</b>", "PATH_INFO":
      "/<x>"}, query="a=<b>"),
    *(C(f"method-{i}-{m[:8]}", "var_dump($_SERVER['REQUEST_METHOD'], $_GET, $_POST, "
      "file_get_contents('php://input')); header('X-A: b');", method=m, query="q=1", body=b"b=2") for i,
      m in enumerate(METHODS)),
    *(C(f"method-nobody-{m}", "var_dump($_SERVER['REQUEST_METHOD'], $_POST);", method=m) for m in ("GET",
      "POST", "PUT", "HEAD", "DELETE")),
    *(order(value, argc) for value in ("EGPCS", "GPCS", "S", "E", "", "GP", "SE", "ES", "CGP")
      for argc in (0, 1)),
    *(shows(f"argv-{i}", "$argv ?? null, $argc ?? null, $_SERVER['argv'] ?? null, $_SERVER['argc'] ?? null",
      query=q, ini="register_argc_argv = 1") for i, q in enumerate(("", "a", "a+b+c", "a=1&b=2", "a%20b+c",
      "+", "++a+"))),
    C("argv-no-query", "var_dump($argv, $_SERVER['argc']);", ini="register_argc_argv = 1", params={
      "QUERY_STRING": None}),
    shows("env-getenv-name", "getenv('REQUEST_METHOD'), getenv('PATH'), getenv('NONE'), "
      "getenv('QUERY_STRING', true),getenv('PATH', true), getenv('')"),
    C("env-getenv-all", DUMP + "dump(getenv());"),
    C("env-putenv", "putenv('A=b'); putenv('QUERY_STRING=put'); putenv('POOL_TEST=put');"
      "var_dump(getenv('A'), getenv('QUERY_STRING'), getenv('QUERY_STRING', true), getenv('POOL_TEST'), "
      "getenv()['A'], getenv()['QUERY_STRING']); putenv('A'); var_dump(getenv('A'));"),
    shows("env-putenv-gone", "getenv('A'), getenv('POOL_TEST'), getenv()['POOL_TEST']"),
    C("env-array", DUMP + "dump($_ENV);"),
    C("env-shell", "echo shell_exec('echo $PATH $POOL_TEST $QUERY_STRING $USER');"),
    C("env-shell-all", "$e = explode(\"\\n\", trim(shell_exec('env')));echo implode(\"\\n\", "
      "preg_grep('/^(PWD|_|SHLVL|PHP_POOL_WORKER_DIR|.SAN_OPTIONS|OLDPWD)=/', $e,"
      " PREG_GREP_INVERT));"),
    auth("basic", "Basic dXNlcjpwYXNz"),
    auth("basic-lower", "basic dXNlcjpwYXNz"),
    auth("basic-bad", "Basic ###"),
    auth("basic-no-colon", "Basic dXNlcg=="),
    auth("basic-empty", "Basic "),
    auth("basic-no-space", "Basic"),
    auth("basic-empty-user", "Basic OnBhc3M="),
    auth("basic-colons", "Basic YTpiOmM="),
    auth("basic-nul", "Basic YQBiOmMAZA=="),
    auth("digest", 'Digest username="a", realm="b"'),
    auth("digest-lower", "digest x"),
    auth("digest-empty", "Digest "),
    auth("bearer", "Bearer abc.def"),
    auth("empty", ""),
    auth("negotiate", "Negotiate YII="),
    C("auth-remote-user", AUTH + "dump(['r' => $_SERVER['REMOTE_USER']]);", params={"REMOTE_USER": "remote",
      "AUTH_TYPE": "Basic", "HTTP_AUTHORIZATION": "Basic dXNlcjpwYXNz"}),
    C("auth-redirect", AUTH, params={"REDIRECT_HTTP_AUTHORIZATION": "Basic dXNlcjpwYXNz"}),
    C("auth-does-not-stay", AUTH),
    C("auth-keep-two", AUTH, ends=2, raw=lambda w: [
        w.request(keep=True, HTTP_AUTHORIZATION="Basic dXNlcjpwYXNz"), w.request()]),
    shows("headers-all", "getallheaders(), apache_request_headers()", params={"HTTP_ACCEPT": "x",
      "HTTP_X_FORWARDED_FOR": "y", "HTTP_": "z", "HTTP_A__B": "1", "HTTP_lower_case": "2", "CONTENT_TYPE":
      "text/x", "CONTENT_LENGTH": "0", "CONTENT_MD5": "m", "HTTP_CONTENT_TYPE": "other",
      "HTTP_AUTHORIZATION": "Basic dXNlcjpwYXNz", "HTTPS": "on", "HTTP2": "h2", "HTTP_1A": "3"}),
    *(C(f"cookies-{i}", "var_dump($_COOKIE, $_SERVER['HTTP_COOKIE']);", params={"HTTP_COOKIE": cookie})
      for i, cookie in enumerate(("", "a=b", "a=b; c=d", "a=b;c=d", "a=b;; ;c", "a[x]=1; a[y]=2; a[]=3",
      "a=1; a=2", "a=%41%00b; b=+x", " a = b ", "a.b=1; a b=2", "=x", "a=b=c", '"a=b"', "x" * 5000 + "=1",
      "__Host-a=1; __Secure-b=2; ..Host-c=3", "; ".join(f"c{i}=v" for i in range(1100))))),
    *(C(f"query-{i}", "var_dump($_GET, $_SERVER['QUERY_STRING']);", query=q) for i, q in enumerate((
      "a=1&a=2", "a[]=1&a[]=2&a[x][y]=3", "a.b=1&a b=2&a+b=3", "%61=%62", "a;b=1", "a=1&&b=2&", "=1",
      "a=%00", "a[b=1", "a=%zz", "a=%E4%F6", "&".join(f"v{i}=1" for i in range(1005)), "[]=1", "a[[b]]=1",
      "x" * 9000))),
    shows("sapi-name", "php_sapi_name(), PHP_SAPI"),
    shows("sapi-constants", "defined('STDIN'), defined('STDOUT'), defined('STDERR'), PHP_OS, PHP_ZTS, "
      "PHP_DEBUG, PHP_VERSION,PHP_EXTRA_VERSION, PHP_MAXPATHLEN, PHP_SHLIB_SUFFIX, "
      "DEFAULT_INCLUDE_PATH, PEAR_INSTALL_DIR, PHP_EXTENSION_DIR,PHP_PREFIX, PHP_BINDIR, PHP_LIBDIR, "
      "PHP_DATADIR, PHP_SYSCONFDIR, PHP_MANDIR, PHP_LOCALSTATEDIR, PHP_EOL, PHP_FD_SETSIZE,"
      "PHP_OUTPUT_HANDLER_START, UPLOAD_ERR_OK"),
    shows("sapi-config-scan-dir", "PHP_CONFIG_FILE_SCAN_DIR"),
    shows("sapi-binary", "PHP_BINARY"),
    shows("sapi-config-path", "PHP_CONFIG_FILE_PATH"),
    shows("sapi-ini-files", "basename(php_ini_loaded_file()), php_ini_scanned_files(), "
      "get_cfg_var('date.timezone'),basename(get_cfg_var('cfg_file_path'))"),
    shows("sapi-extension", "extension_loaded('cgi-fcgi'), extension_loaded('CGI-FCGI'), "
      "phpversion('cgi-fcgi') === PHP_VERSION,get_extension_funcs('cgi-fcgi')"),
    shows("sapi-ini-all", "ini_get_all('cgi-fcgi')"),
    C("sapi-reflection", "foreach (['fastcgi_finish_request', 'apache_request_headers', 'getallheaders', "
      "'fpm_get_status'] as $f) echo new ReflectionFunction($f); echo (new "
      "ReflectionExtension('cgi-fcgi'))->getName();"),
    shows("sapi-extensions", "get_loaded_extensions(), get_loaded_extensions(true)"),
    shows("sapi-functions-absent", "array_map('function_exists', ['apache_response_headers', "
      "'apache_setenv', 'apache_getenv','virtual', 'apache_note', 'apache_lookup_uri', "
      "'cli_set_process_title', 'cli_get_process_title', 'dl',"
      "'litespeed_request_headers', 'sapi_windows_set_ctrl_handler'])"),
    shows("sapi-functions", "array_diff(get_defined_functions()['internal'], get_extension_funcs('pcntl') "
      "?: [])"),
    shows("sapi-classes", "array_filter(get_declared_classes(), fn($c) => (new "
      "ReflectionClass($c))->isInternal())"),
    C("sapi-ini-values", "$a = ini_get_all(null, true); unset($a['fpm.config']); var_dump($a);"),
    shows("sapi-cgi-settings", "array_map('ini_get', ['cgi.nph', 'cgi.fix_pathinfo', 'cgi.discard_path', "
      "'cgi.rfc2616_headers','cgi.force_redirect', 'cgi.redirect_status_env', 'fastcgi.logging', "
      "'fastcgi.error_header', 'fpm.config', 'implicit_flush','output_buffering', 'max_execution_time', "
      "'max_input_time', 'html_errors', 'register_argc_argv', 'display_errors'])"),
    C("sapi-phpinfo", "ob_start(); phpinfo(); $i = ob_get_clean(); preg_match_all('~<tr><td "
      "class=\"e\">(Server API|Thread Safety|"
      "Virtual Directory Support|PHP API|Zend Signal Handling)[^\\n]*~', $i, $m); print_r($m[0]);"),
    C("sapi-phpinfo-module", "ob_start(); phpinfo(INFO_MODULES); preg_match('~<h2><a "
      "name=\"module_cgi-fcgi\".*?(?=<h2>)~s', ob_get_clean(), $m); echo $m[0];"),
    C("sapi-phpinfo-variables", "ob_start(); phpinfo(INFO_VARIABLES); echo preg_match_all('/<tr>/', "
      "ob_get_clean()) > 20;"),
    shows("sapi-opcache", "opcache_get_status(false)['opcache_enabled'], "
      "array_keys(opcache_get_status(false)),opcache_get_configuration()['directives']"),
    shows("sapi-cwd", "getcwd(), __DIR__, __FILE__, get_included_files(), $_SERVER['SCRIPT_FILENAME']"),
    shows("sapi-user", "get_current_user(), getmyuid(), getmygid(), posix_getuid(), posix_getgroups(), "
      "umask()"),
    shows("sapi-my",
      "getmyinode() > 0, getlastmod() > 0, gethostname(), php_uname() !== '', zend_version()"),
    shows("sapi-fd-streams", "@fopen('php://stdin', 'r') !== false, stream_get_wrappers(), "
      "stream_get_transports(), stream_get_filters()"),
    shows("sapi-stdin-read", "file_get_contents('php://stdin')", body=b"a=1", method="POST"),
    shows("sapi-limits", "get_cfg_var('max_execution_time'), ini_get('memory_limit'), set_time_limit(5), "
      "gc_enabled()"),
    shows("sapi-signals", "function_exists('pcntl_signal'), function_exists('posix_kill'), "
      "extension_loaded('pcntl')"),
    shows("sapi-locale", "setlocale(LC_ALL, 0), ini_get('default_charset'), localeconv()"),
    shows("sapi-connection", "connection_status(), connection_aborted(), ignore_user_abort(), "
      "headers_sent()"),
    shows("sapi-request-time", "abs($_SERVER['REQUEST_TIME'] - time()) < 3, "
      "is_float($_SERVER['REQUEST_TIME_FLOAT']),"
      "(int) $_SERVER['REQUEST_TIME_FLOAT'] === $_SERVER['REQUEST_TIME']"),
    C("state-globals-gone", "var_dump(isset($leak), ini_get('precision'), error_reporting(), umask(), "
      "date_default_timezone_get(), getcwd());$leak = 1; ini_set('precision', '3'); error_reporting(0); "
      "umask(077); date_default_timezone_set('Asia/Tokyo'); chdir('/');"),
    C("state-chdir", "chdir('/tmp'); echo getcwd();"),
    C("role-filter", DUMP + "dump();", role=3),
    C("role-authorizer", DUMP + "dump();", role=2),
    *(C(f"role-{role}-{name}", code, role=number, **kwargs)
      for role, number in (("authorizer", 2), ("filter", 3))
      for name, code, kwargs in (
        ("headers", "header('Variable-USER: joe'); header('X-A: b'); echo 'body';", {}),
        ("nothing", "", {}), ("401", "http_response_code(401); header('WWW-Authenticate: Basic');", {}),
        ("body", "var_dump($_POST, file_get_contents('php://input'));",
         {"method": "POST", "body": b"a=1",
             "params": {"CONTENT_TYPE": "application/x-www-form-urlencoded"}}),
        ("auth", "var_dump($_SERVER['PHP_AUTH_USER'], $_SERVER['FCGI_ROLE']);",
         {"params": {"HTTP_AUTHORIZATION": "Basic dXNlcjpwYXNz"}}),
        ("keep", "echo $_SERVER['FCGI_ROLE'];", {"keep": True}),
        ("error", "nonsense();", {}), ("exit", "exit(3);", {}),
        ("finish", "fastcgi_finish_request(); echo 'x';", {}),
        ("missing", None, {"script": "@/none.php"}), ("head", "echo 'x';", {"method": "HEAD"}),
        ("data-length", "var_dump($_SERVER['FCGI_DATA_LENGTH']);", {"params": {"FCGI_DATA_LENGTH": "0"}}))),
    C("role-authorizer-denied", "http_response_code(403); header('Variable-X: y'); echo 'no';", role=2),
]
