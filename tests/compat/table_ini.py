# SPDX-License-Identifier: MIT
"""Settings from all the places that they come from, and sessions."""

from compat.case import MULTIPART, Case as C, multipart

P = "var_dump(ini_get('precision'), ini_get('memory_limit'), ini_get('display_errors'), 1 / 3);"
SET = P + " var_dump(@ini_set('precision', '3'), @ini_set('memory_limit', '200M'), 1 / 3);"
RESTORE = " ini_restore('precision'); var_dump(ini_get('precision'));"
ACCESS = """var_dump(array_map(fn($n) => ini_get_all(null)[$n]['access'],
    ['precision', 'memory_limit', 'open_basedir', 'upload_max_filesize', 'allow_url_fopen']));"""


def i(name, code=SET + RESTORE, **kwargs):
    return C(f"ini-{name}", code, **kwargs)


def value(name, text, admin=None, code=SET + ACCESS, **kwargs):
    """PHP_VALUE and PHP_ADMIN_VALUE where FPM forgets them as well: its worker ends. So once."""
    params = {"PHP_VALUE": text, "PHP_ADMIN_VALUE": admin}
    return i(f"value-{name}", code, params=params, **{"profile": "values", "times": 1, **kwargs})


# What a request may or may not change.
CHANGEABLE = (
    "open_basedir", "disable_functions", "allow_url_fopen", "allow_url_include", "upload_max_filesize",
    "post_max_size", "max_input_vars", "auto_prepend_file", "short_open_tag", "include_path",
    "max_execution_time", "extension_dir", "sys_temp_dir", "expose_php", "register_argc_argv",
    "variables_order", "output_buffering", "error_log", "session.save_path", "opcache.enable",
    "zend.assertions", "cgi.nph", "cgi.fix_pathinfo", "fastcgi.logging", "no.such.setting",
)
NESTED = {
    "a/.user.ini": "precision = 4\nuser_agent = a",
    "a/b/.user.ini": "user_agent = b",
    "a/b/page.php": "<?php var_dump(ini_get('precision'), ini_get('user_agent'));",
}

SESSION = "session_id('case1');"
SESSIONS = {
    "start": SESSION + "session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; var_dump($_SESSION, "
      "session_id());",
    "read-close": SESSION + "var_dump(session_start(['read_and_close' => true]), session_status());",
    "destroy": SESSION + "session_start(); $_SESSION['a'] = 1; var_dump(session_destroy(), "
      "session_status(), $_SESSION);",
    "regenerate": SESSION + "session_start(); $done = [session_regenerate_id(true), strlen(session_id())]; "
      "header_remove('Set-Cookie'); var_dump($done);",
    "after-output": "echo 'x'; flush(); session_id('late'); var_dump(session_start());",
    "close-early": SESSION + "session_start(); $_SESSION['a'] = 1; session_write_close(); $_SESSION['b'] = "
      "2; session_start(); var_dump($_SESSION);",
    "object": SESSION + "class O { public $x = 1; } session_start(); $_SESSION['o'] = new O; "
      "session_write_close(); session_start(); var_dump($_SESSION);",
    "abort": SESSION + "session_start(); $_SESSION['a'] = 1; session_abort(); session_start(); "
      "var_dump($_SESSION);",
    "exit": SESSION + "session_start(); $_SESSION['e'] = 1; exit('bye');",
    "fatal": SESSION + "session_start(); $_SESSION['e'] = ($_SESSION['e'] ?? 0) + 1; echo $_SESSION['e']; "
      "nonsense();",
    "in-shutdown": SESSION + "register_shutdown_function(function () { session_start(); $_SESSION['s'] = "
      "1; }); echo 'a';",
    "name": "session_name('OTHER'); session_id('x'); session_start(); echo SID;",
    "cookie-params": "session_set_cookie_params(['path' => '/p', 'secure' => true, 'samesite' => "
      "'Strict']); session_id('x'); session_start();",
    "limiter": "session_cache_limiter('public'); session_cache_expire(5); session_id('x'); "
      "session_start(); header_remove('Expires'); header_remove('Last-Modified');",
    "limiter-none": "session_cache_limiter(''); session_id('x'); session_start();",
    "bad-id": "session_id('a b/../c'); $done = @session_start(); header_remove('Set-Cookie'); "
      "var_dump($done);",
    "decode": SESSION + "session_start(); session_decode('a|i:5;'); var_dump($_SESSION, session_encode());",
    "handler": "class H extends SessionHandler { function write($i, $d): bool { echo \"[write $d]\"; "
      "return parent::write($i, $d); } } session_set_save_handler(new H); session_id('h'); "
      "session_start(); $_SESSION['a'] = 1;",
}
CASES = [
    i("plain"),
    i("path", ini="precision = 5\nmemory_limit = 99M"),
    i("path-nested", ini="precision = 5", files={"a/page.php": "<?php " + SET}, script="@/a/page.php"),
    i("path-unknown", ini="no.such = 5"),
    i("path-array", ini="x[] = 5\nprecision = 6"),
    i("path-bad-value", ini="memory_limit = abc"),
    i("path-access", ACCESS, ini="precision = 5"),
    i("path-cfg-var", "var_dump(get_cfg_var('precision'), get_cfg_var('own.setting'));",
        ini="precision = 5\nown.setting = x"),
    i("host", params={"SERVER_NAME": "special.example"}),
    i("host-upper", params={"SERVER_NAME": "SPECIAL.example"}),
    i("host-header-only", params={"HTTP_HOST": "special.example"}),
    i("host-none", params={"SERVER_NAME": None}),
    i("host-and-path", params={"SERVER_NAME": "special.example"}, ini="precision = 5"),
    i("host-long", params={"SERVER_NAME": "x" * 300}),
    i("host-empty", params={"SERVER_NAME": ""}),
    i("user", user_ini="precision = 7\nmemory_limit = 77M"),
    i("user-and-path", user_ini="precision = 7", ini="precision = 5"),
    i("user-system-only", "var_dump(ini_get('disable_functions'), ini_get('allow_url_fopen'), "
      "ini_get('fastcgi.logging'));", user_ini="disable_functions = strlen\nallow_url_fopen = "
      "0\nfastcgi.logging = 0"),
    i("user-perdir", "var_dump(ini_get('upload_max_filesize'), ini_get('short_open_tag'));",
        user_ini="upload_max_filesize = 3M\nshort_open_tag = 1"),
    i("user-broken", user_ini="precision = 7\n[[[\nmemory_limit = = 5"),
    i("user-section", user_ini="precision = 7\n[PATH=/]\nmemory_limit = 66M"),
    i("user-prepend", "echo 'main';", user_ini="auto_prepend_file = pre.php", files={"pre.php":
      "echo 'pre ';"}),
    i("user-env", "var_dump(ini_get('user_agent'));", user_ini="user_agent = ${PATH}"),
    i("user-constant", "var_dump(ini_get('error_reporting'));", user_ini="error_reporting = E_ALL & "
      "~E_NOTICE"),
    i("user-nested", None, files={**NESTED, ".user.ini": "precision = 9"}, script="@/a/b/page.php"),
    i("user-nested-outside", None, files={**NESTED, ".user.ini": "precision = 9"}, script="@/a/b/page.php",
      params={"DOCUMENT_ROOT": "/elsewhere"}),
    i("user-nested-root-slash", None, files={**NESTED, ".user.ini": "precision = 9"},
        script="@/a/b/page.php", params={
      "DOCUMENT_ROOT": "@/"}),
    i("user-nested-root-in", None, files={**NESTED, ".user.ini": "precision = 9"}, script="@/a/b/page.php",
      params={"DOCUMENT_ROOT": "@/a"}),
    i("user-nested-root-deeper", None, files={**NESTED, ".user.ini": "precision = 9"},
        script="@/a/b/page.php", params={
      "DOCUMENT_ROOT": "@/a/b/c"}),
    i("user-root-none", user_ini="precision = 7", params={"DOCUMENT_ROOT": None}),
    i("user-root-empty", None, files={**NESTED, ".user.ini": "precision = 9"}, script="@/a/b/page.php",
      params={"DOCUMENT_ROOT": ""}),
    i("user-root-slash", None, files={**NESTED, ".user.ini": "precision = 9"}, script="@/a/b/page.php",
      params={"DOCUMENT_ROOT": "/"}),
    i("user-prefix", None, files={**NESTED, "a/b2/page.php": "<?php var_dump(ini_get('precision'));"},
      script="@/a/b2/page.php", params={"DOCUMENT_ROOT": "@/a/b"}),
    i("user-symlink", user_ini="precision = 7", script="@/./index.php"),
    i("user-info", user_ini="precision = 7", script="@/index.php/x/y"),
    i("user-cached", "if (file_exists(__DIR__ . '/.user.ini')) unlink(__DIR__ . '/.user.ini'); "
      "var_dump(ini_get('precision'));", times=1),
    i("user-gone", "var_dump(ini_get('precision'));"),
    i("user-headers", "echo 'x';", user_ini="default_mimetype = text/plain\nexpose_php = "
      "0\ndefault_charset = iso-8859-15"),
    i("user-display", "nonsense();", user_ini="display_errors = 0\nlog_errors = 0"),
    i("user-session", "session_id('x'); session_start(); echo ini_get('session.name');",
        user_ini="session.name = OWN"),
    i("user-output", "echo 'x'; header('X: y'); var_dump(headers_sent());",
        user_ini="output_buffering = 4096"),
    i("user-zlib", "echo str_repeat('x', 100);", user_ini="zlib.output_compression = 1", params={
      "HTTP_ACCEPT_ENCODING": "gzip"}),
    i("user-basedir", "var_dump(ini_get('open_basedir'), @file_get_contents('/etc/hostname'), "
      "file_exists(__FILE__));", user_ini="open_basedir = @"),
    i("user-basedir-path", "var_dump(@file_get_contents('/etc/hostname'), is_readable(__FILE__), "
      "ini_set('open_basedir', '/'));", ini="open_basedir = @/"),
    *(i(f"basedir-{name}", code, ini="open_basedir = @:@ROOT/uploads",
        files={"a/in.txt": "in", "a.txt": "a"}, **kwargs)
      for name, code, kwargs in (
        ("read", "var_dump(file_get_contents(__DIR__ . '/a.txt'), file_get_contents('/etc/hostname'));", {}),
        ("dots", "var_dump(@file_get_contents(__DIR__ . '/a/../../../etc/hostname'), "
         "error_get_last()['message']);", {}),
        ("beside", "var_dump(file_exists(__DIR__), file_exists(dirname(__DIR__)), file_exists(__DIR__ . "
         "'x'));", {}),
        ("symlink", "@symlink('/etc/hostname', __DIR__ . '/../../uploads/l'); var_dump(is_link(__DIR__ . "
         "'/../../uploads/l'));", {}),
        ("list", "var_dump(scandir('/etc'), glob('/etc/host*'), count(glob(__DIR__ . '/*')));", {}),
        ("chdir", "var_dump(chdir('/'), getcwd() === __DIR__);", {}),
        ("tighter", "var_dump(ini_set('open_basedir', __DIR__ . '/a'), file_exists(__DIR__ . '/a.txt'));",
            {}),
        ("looser", "var_dump(ini_set('open_basedir', '/'), ini_get('open_basedir') === '/');", {}),
        ("reset", "var_dump(ini_set('open_basedir', ''), ini_restore('open_basedir'), file_exists('/etc'));",
            {}),
        ("user-looser", "var_dump(file_exists('/etc'), ini_get('open_basedir'));",
            {"user_ini": "open_basedir = /"}),
        ("wrapper", "var_dump(fopen('file:///etc/hostname', 'r'), fopen('php://memory', 'r') !== false);",
            {}),
        ("exec", "echo shell_exec('echo from a shell');", {}),
        ("include-path", "set_include_path('/etc'); var_dump(include 'hostname');", {}),
        ("require", "require '/etc/hostname'; echo 'never';", {}),
        ("session", "session_save_path('/tmp'); session_id('x'); var_dump(session_start());", {}),
        ("moved", "var_dump($_FILES['f']['error'], move_uploaded_file($_FILES['f']['tmp_name'], '/tmp/x'));",
         {"method": "POST", "body": multipart(("f", "n.txt", "x")), "params": MULTIPART}))),
    i("basedir-prepend", "echo 'in';", ini="open_basedir = @\nauto_prepend_file = /etc/hostname"),
    i("basedir-append", "echo 'in';", ini="open_basedir = @\nauto_append_file = /etc/hostname"),
    i("basedir-error-log", "error_log('x'); echo 'in';", ini="open_basedir = @\nerror_log = /tmp/none/x"),
    i("basedir-many", "var_dump(file_exists('/etc'), file_exists('/usr'));",
        ini="open_basedir = @:/etc:/nonexistent"),
    i("basedir-dot", "var_dump(file_exists('.'), file_exists('..'));", ini="open_basedir = ."),
    i("basedir-info", "echo $_SERVER['PATH_INFO'] ?? 'none';", ini="open_basedir = @",
        script="@/index.php/x"),
    i("basedir-missing", None, ini="open_basedir = @", script="@/none.php"),
    i("basedir-directory", None, ini="open_basedir = @", script="@/sub", files={"sub/x": ""}),
    i("basedir-script-outside", "echo 'in';", ini="open_basedir = /nonexistent"),
    i("basedir-include", "include '/etc/hostname';", ini="open_basedir = @"),
    i("basedir-upload", "var_dump(sys_get_temp_dir(), tempnam('/tmp', 'x') !== false);",
        ini="open_basedir = @:@ROOT/uploads"),
    i("prepend", "echo 'main ';", ini="auto_prepend_file = @/pre.php\nauto_append_file = @/app.php", files={
      "pre.php": "echo 'pre ', basename(__FILE__), ' ';", "app.php": "echo 'app';"}),
    i("prepend-exit", "echo 'main';", ini="auto_prepend_file = @/pre.php\nauto_append_file = @/app.php",
      files={"pre.php": "exit('stop');", "app.php": "echo 'app';"}),
    i("prepend-missing", "echo 'main';", ini="auto_prepend_file = /nonexistent.php"),
    i("append-missing", "echo 'main';", ini="auto_append_file = /nonexistent.php"),
    i("prepend-error", "echo 'main';", ini="auto_prepend_file = @/pre.php",
      files={"pre.php": "nonsense();"}),
    i("prepend-none", "echo 'main';", ini="auto_prepend_file = none"),
    i("prepend-variables", "var_dump($a ?? null, get_included_files());",
        ini="auto_prepend_file = @/pre.php", files={
      "pre.php": "$a = 1;"}),
    i("append-exit", "exit('main ');", ini="auto_append_file = @/app.php", files={"app.php": "echo 'app';"}),
    i("prepend-return", "echo 'main';", ini="auto_prepend_file = @/pre.php", files={"pre.php": "return;"}),
    i("include-path", "var_dump(get_include_path()); include 'inc.php'; include './inc2.php';",
        ini="include_path = @/lib", files={
      "lib/inc.php": "echo 'lib';", "inc2.php": "echo 'here';"}),
    i("include-relative", "include 'sub/inc.php';", files={"sub/inc.php":
      "include 'other.php'; include __DIR__ . '/other.php';", "sub/other.php": "echo 'other';", "other.php":
      "echo 'top ';"}),
    *(i(f"change-{n}", f"var_dump(ini_get('{n}'), @ini_set('{n}', '1'), ini_get('{n}'));")
      for n in CHANGEABLE),
    *(i(f"change-user-{n}", f"var_dump(ini_get('{n}'));", user_ini=f"{n} = 1") for n in CHANGEABLE
      if n not in ("auto_prepend_file", "open_basedir")),
    i("restore", "ini_set('precision', '3'); ini_restore('precision'); var_dump(ini_get('precision'));",
      ini="precision = 5"),
    i("get-all", "var_dump(ini_get_all('session'));", ini="session.name = X"),
    i("parse-quantity", "ini_set('memory_limit', '1.5G'); var_dump(ini_get('memory_limit'));"),
    i("set-locale", "var_dump(setlocale(LC_ALL, 'C.UTF-8'), setlocale(LC_ALL, 0));"),
    i("date", "var_dump(date_default_timezone_get(), date('T', 0));"),
    i("mail-headers", "var_dump(ini_get('sendmail_path'), ini_get('mail.add_x_header'));"),
    i("dl", "var_dump(function_exists('dl'), ini_get('enable_dl'));"),
    value("plain", "precision=5"),
    value("several", "precision=5\nmemory_limit=99M"),
    value("admin", None, "precision=5"),
    value("both", "precision=5", "memory_limit=99M"),
    value("both-same", "precision=5", "precision=6"),
    value("spaces", " precision = 5 \n\n ; comment\n memory_limit=\"99M\""),
    value("restore", "precision=5", code=SET + RESTORE),
    value("empty", ""),
    value("empty-value", "precision="),
    value("unknown", "no.such=1"),
    value("no-equals", "precision"),
    value("array", "precision[]=5"),
    value("section", "[x]\nprecision=5"),
    value("system", "allow_url_fopen=0\nopen_basedir=/tmp:/nonexistent"),
    value("system-admin", None, "allow_url_fopen=0"),
    value("basedir", None, "open_basedir=@", code="var_dump(ini_get('open_basedir'), "
      "@file_get_contents('/etc/hostname'));"),
    value("prepend", "auto_prepend_file=@/pre.php", code="echo 'main';", files={"pre.php": "echo 'pre ';"}),
    value("broken", "precision=5\n((("),
    value("crlf", "precision=5\r\nmemory_limit=99M"),
    value("constant", "error_reporting=E_ERROR|E_PARSE", code="echo error_reporting();"),
    value("env", "user_agent=${PATH}", code="echo ini_get('user_agent');"),
    value("quoted", "user_agent=\"a;b=c\"", code="echo ini_get('user_agent');"),
    value("bool", "display_errors=off\nhtml_errors=on", code="var_dump(ini_get('display_errors'), "
      "ini_get('html_errors'));"),
    value("upper", "PRECISION=5"),
    value("with-path", "precision=5", ini="precision = 6"),
    value("admin-with-user-ini", None, "precision=5", user_ini="precision = 6"),
    value("with-user-ini", "precision=5", user_ini="precision = 6"),
    value("disable-functions", None, "disable_functions=strrev", code="var_dump(function_exists('strrev'), "
      "ini_get('disable_functions'));"),
    value("disable-functions-user", "disable_functions=strrev", code="var_dump(function_exists('strrev'));"),
    value("disable-classes", None, "disable_classes=SplStack", code="var_dump(class_exists('SplStack') && "
      "new SplStack);"),
    value("extension", None, "extension=nothing_such", code="echo 'x';"),
    value("upload", "upload_max_filesize=1\npost_max_size=3", code="var_dump($_POST);", body=b"a=12345",
      method="POST"),
    value("post-data", "enable_post_data_reading=0",
        code="var_dump($_POST, file_get_contents('php://input'));", body=b"a=1", method="POST"),
    value("variables", "variables_order=G", code="var_dump(isset($_SERVER['PATH']), $_GET);", query="a=1"),
    value("logging", None, "fastcgi.logging=0", code="error_log('x');"),
    value("bad-limit", "memory_limit=1"),
    value("buffering", "output_buffering=4096", code="echo 'x'; header('X: y'); var_dump(headers_sent());"),
    value("auto-globals", "auto_globals_jit=0", code="var_dump(isset($GLOBALS['_SERVER']));"),
    i("value-sticks", "var_dump(ini_get('precision'));", ends=2, raw=lambda w:
      [w.request(keep=True, PHP_VALUE="precision=5"), w.request(keep=False)], times=1),
    i("value-unstick", "ini_set('precision', '14'); echo 'x';", params={"PHP_VALUE": "precision=14"}),
    C("tcp-hello", "echo 'hello';", profile="tcp", times=1),
    C("tcp-value", "var_dump(ini_get('precision'));", profile="tcp", params={"PHP_VALUE": "precision=5"},
      times=1),
    C("tcp-admin-value", "var_dump(ini_get('precision'));", profile="tcp", params={"PHP_ADMIN_VALUE":
      "precision=5"}, times=1),
    C("tcp-large", "echo str_repeat('x', 3 << 20);", profile="tcp", times=1, timeout=10),
    C("tcp-post", "var_dump($_POST);", profile="tcp", method="POST", body=b"a=1", times=1),
    *(C(f"pool-{n}", code, profile="pool-values", user_ini=user) for n, code, user in (("values",
      "var_dump(ini_get('precision'), ini_get('serialize_precision'), ini_get('html_errors'), "
      "ini_get('short_open_tag'), 1 / 3, json_encode(1 / 3));", ""), ("set",
      "var_dump(ini_set('precision', '3'), @ini_set('serialize_precision', '3'));", ""), ("access",
      "var_dump(ini_get_all(null)['precision'], ini_get_all(null)['serialize_precision'], "
      "ini_get_all(null)['short_open_tag']);", ""), ("user-ini",
      "var_dump(ini_get('precision'), ini_get('serialize_precision'));",
      "precision = 8\nserialize_precision = 8"), ("disabled", "var_dump(function_exists('strrev'), "
      "function_exists('str_rot13'), ini_get('disable_functions')); strrev('x');", ""),
      ("disabled-class", "var_dump(ini_get('disable_classes'), new SplStack); (new SplStack)->push(1);",
      ""), ("restore",
      "ini_set('precision', '3'); ini_restore('precision'); var_dump(ini_get('precision'));", ""))),
    *(C(f"session-{name}", code) for name, code in SESSIONS.items()),
    *(C(f"session-cookie-{name}", SESSIONS["start"].replace(SESSION, ""), params={"HTTP_COOKIE": cookie},
      ini=ini, query=query, times=1 if "new" in name else 2) for name, cookie, ini, query in (("known",
      "PHPSESSID=known1", "", ""), ("get", "", "session.use_only_cookies = 0\nsession.use_strict_mode = 0",
      "PHPSESSID=fromget"), ("custom", "OWN=abc", "session.name = OWN", ""))),
    C("session-strict",
      "session_start(); header_remove('Set-Cookie'); var_dump(session_id() !== 'forged');", params={
      "HTTP_COOKIE": "PHPSESSID=forged"}, ini="session.use_strict_mode = 1"),
    C("session-bad-cookie", "$done = @session_start(); header_remove('Set-Cookie'); var_dump($done, "
      "session_id() !== '../x');", params={"HTTP_COOKIE": "PHPSESSID=../x"}),
    C("session-auto", "var_dump(session_status(), session_id());", ini="session.auto_start = 1", params={
      "HTTP_COOKIE": "PHPSESSID=auto1"}),
    C("session-trans-sid", "session_id('tsid'); session_start(); echo '<a href=\"/x.php\">x</a>';",
        ini="session.use_trans_sid = 1\nsession.use_only_cookies = 0\nsession.use_cookies = 0"),
    C("session-bad-path", "session_id('x'); var_dump(session_start());", ini="session.save_path = "
          "/nonexistent"),
    C("session-serialize", "session_id('ser'); session_start(); $_SESSION['a'] = [1]; "
      "session_write_close(); echo file_get_contents(session_save_path() . '/sess_ser');",
          ini="session.serialize_handler = php_serialize"),
]
