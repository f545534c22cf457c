# SPDX-License-Identifier: MIT
"""PHP's settings from the pool file, which hold for the pool, and from a request, which hold for that one."""

import json
import os
import time

import pytest

from lib import fastcgi
from lib.daemon import Daemon, given_away
from lib.php import at_least

ONE = 'pm = { mode = "static"; max_children = 1; };\n'
SHOW = """<?php echo json_encode([ini_get('precision'), ini_get('memory_limit'), ini_get('auto_prepend_file'),
    @ini_set('precision', '9') !== false, getmypid()]);"""
FUNCTIONS = """<?php echo json_encode(array_map('function_exists',
    ['exec', 'passthru', 'popen', 'proc_open', 'strlen']));"""


def show(connection, script, **kwargs):
    response = connection.request(script, keep=True, **kwargs)
    assert response.status == 200, response
    return json.loads(response.text)


@pytest.mark.parametrize("key", ["value", "admin_value"])
def test_extensions(make_daemon, tmp_path, key):
    """One that php.ini does not name is loaded for the pool."""
    (tmp_path / "scan").mkdir()
    code = "<?php echo json_encode([extension_loaded('ctype'), extension_loaded('tokenizer')]);"
    conf = ONE + f'php = {{ ini_scan_dir = "{tmp_path}/scan"; %s = ["extension=ctype", "extension=tokenizer.so"]; }};'
    with make_daemon(conf % key) as daemon:
        assert json.loads(daemon.run(code)) == [True, True]
        daemon.conf.write_text(ONE + f'php = {{ ini_scan_dir = "{tmp_path}/scan"; }};')
        daemon.reload()
        assert json.loads(daemon.run(code)) == [False, False]


CTYPE = "<?php echo extension_loaded('ctype') ? 'with' : 'without';"


def test_a_directory_that_has_become_empty(make_daemon, tmp_path):
    """As PHP-FPM's, when its package is removed: a pool that serves keeps its extensions, and says why."""
    scan, other = tmp_path / "scan", tmp_path / "other"
    for directory in (scan, other):
        directory.mkdir()
    ini = scan / "20-ctype.ini"
    ini.write_text("extension=ctype\n")
    conf = ONE + 'php = { ini_scan_dir = "%s"; };'
    with make_daemon(conf % scan) as daemon:
        ini.unlink()
        result = daemon.ctl("reload", "www")
        assert result.returncode == 1 and f"php.ini_scan_dir: there is no *.ini in {scan} any more" in result.stderr
        assert daemon.run(CTYPE) == "with" and daemon.status()["generation"] == 1

        # Where the operator names an empty one, there is none.
        daemon.conf.write_text(conf % other)
        daemon.reload()
        assert daemon.run(CTYPE) == "without"
        daemon.reload()
        assert f"php.ini_scan_dir: there is no *.ini in {other}, so" in daemon.logged()


def test_directories_of_which_one_has_files(make_daemon, tmp_path):
    scan, other = tmp_path / "scan", tmp_path / "other"
    for directory in (scan, other):
        directory.mkdir()
    ini = scan / "20-ctype.ini"
    with make_daemon(ONE + f'php = {{ ini_scan_dir = "{scan}:{other}"; }};') as daemon:
        assert daemon.run(CTYPE) == "without"
        assert f"there is no *.ini in {scan}:{other}, so" in daemon.logged()
        ini.write_text("extension=ctype\n")
        daemon.reload()
        assert daemon.run(CTYPE) == "with"
        ini.rename(other / ini.name)  # one of them is enough
        daemon.reload()
        assert daemon.run(CTYPE) == "with"


@pytest.mark.parametrize("key", ["value", "admin_value"])
def test_disabled_functions_add_up(make_daemon, tmp_path, key):
    """What php.ini disables stays disabled; no request brings it back, or takes more away."""
    (tmp_path / "php.ini").write_text("disable_functions=popen\n")
    conf = ONE + f'php = {{ ini = "{tmp_path}/php.ini"; {key} = ["disable_functions=exec, passthru"]; }};'
    with make_daemon(conf) as daemon:
        script = daemon.script("functions.php", FUNCTIONS)
        with daemon.connect() as connection:
            for extra in ({}, {"PHP_VALUE": "disable_functions="},
                          {"PHP_ADMIN_VALUE": "disable_functions=strlen"}, {}):
                assert show(connection, script, extra=extra) == [False, False, False, True, True]
        assert daemon.run("<?php try { exec('true'); } catch (Error $e) { echo $e->getMessage(); }") == \
            "Call to undefined function exec()"


ENDS = {"end": "", "exit": "exit(1);", "fatal": "undefined();",
        "memory": "ob_end_flush(); $a = str_repeat('x', random_int(1 << 28, 1 << 29));",
        "finish": "fastcgi_finish_request();", "time": "set_time_limit(1); while (true);"}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("name, changeable", [("PHP_VALUE", True), ("PHP_ADMIN_VALUE", False)])
def test_values_of_a_request_hold_for_it_only(make_daemon, end, name, changeable):
    """In PHP-FPM they stick to the worker. However the request ends, the next one has the pool's."""
    with make_daemon(ONE + 'php = { value = ["precision=11"]; admin_value = ["memory_limit=44M"]; };') as daemon:
        prepended = daemon.script("before.php", "<?php")
        plain, ends = daemon.script("show.php", SHOW), daemon.script("ends.php", SHOW + ENDS[end])
        with daemon.connect() as connection:
            before = show(connection, plain)
            assert before[:4] == ["11", "44M", "", True]
            for _ in range(2):
                values = f"precision=3\nmemory_limit=55M\nauto_prepend_file={prepended}"
                response = connection.request(ends, keep=True, extra={name: values})
                got = json.loads(response.text.partition("]")[0] + "]")
                assert got == ["3", "55M", prepended, changeable, before[4]]
                assert show(connection, plain) == before


@pytest.mark.parametrize("who, unix, tcp", [("never", False, False), ("unix", True, False), ("always", True, True)])
def test_who_may_send_them(make_daemon, who, unix, tcp):
    port = fastcgi.free_port()
    conf = ONE + f'security = {{ ini_params = "{who}"; }}; php = {{ value = ["precision=11"]; }};'
    with make_daemon(conf, tcp=[f"127.0.0.1:{port}"]) as daemon:
        script = daemon.script("show.php", SHOW)
        with daemon.connect() as local, fastcgi.connect_tcp("127.0.0.1", port) as remote:
            for _ in range(2):  # the connections are parked and handed back meanwhile
                for connection, allowed in ((local, unix), (remote, tcp)):
                    for name in ("PHP_VALUE", "PHP_ADMIN_VALUE"):
                        got = show(connection, script, extra={name: "precision=3"})
                        assert got[0] == ("3" if allowed else "11"), name
                        assert show(connection, script)[0] == "11"


LINES = {
    "precision=11": True, "sendmail_path=/usr/sbin/sendmail -t -i": True, "user_agent='a = b'": True,
    "user_agent=": True, "error_reporting=E_ALL & ~E_NOTICE": True, "user_agent=${HOME}": True,
    "no.such_setting=1": True,
    "sendmail_path=/usr/bin/msmtp --host=localhost -t": False, "user_agent=it's": False, "user_agent='a": False,
    "user_agent=a (b)": False, "user_agent=on call": False, "user_agent=${HOME": False, "user_agent[a]=b": False,
    "[HOST=a]=b": False, ";user_agent=b": False, "on=1": False}


@pytest.fixture(scope="module")
def ini_daemon(build_dir, tmp_path_factory, environment):
    """One for all lines: a refused reload leaves it as it was."""
    with Daemon(build_dir, given_away(tmp_path_factory.mktemp("ini")), ONE, environment=environment) as daemon:
        yield daemon


@pytest.mark.parametrize("key", ["value", "admin_value"])
@pytest.mark.parametrize("line", LINES)
def test_check_and_reload_judge_alike(ini_daemon, key, line):
    """What is no ini syntax is so for the one and for the other, with the same words."""
    ini_daemon.conf.write_text(ONE + f'php = {{ {key} = [ "{line}" ]; }};\n')
    check, reload = ini_daemon.ctl("check", ini_daemon.conf), ini_daemon.ctl("reload", "www")
    assert (check.returncode == 0, reload.returncode == 0) == (LINES[line], LINES[line]), (check, reload)
    if not LINES[line]:
        place = f"www.conf:2: php.{key}[0]: is no line of an ini file: "
        assert place in check.stderr and place in reload.stderr, (check, reload)


# ---- Nothing that a request brings outlives it ----

# All that a request can find out of its settings, and of what they do.
STATE = r"""<?php
$state = ini_get_all() + ['gc' => gc_enabled(), 'level' => error_reporting(), 'zone' => date_default_timezone_get(),
    'sessions' => [session_module_name(), session_name()], 'opcache' => opcache_get_status(false)['opcache_enabled'],
    'output' => ob_get_level(), 'temporary' => sys_get_temp_dir(), 'directory' => getcwd()];
$before = realpath_cache_size();
realpath(__DIR__ . '/' . $_GET['file']);
$state['cache grows'] = realpath_cache_size() > $before;
echo json_encode($state, JSON_PARTIAL_OUTPUT_ON_ERROR);"""

# A script that changes the setting itself, in each of PHP's ways.
MEDDLE = r"""<?php
$name = $_GET['name'];
$value = ini_get($name);
error_reporting(E_ALL & ~E_DEPRECATED);
echo @$undefined;
@ini_set($name, '1');
@ini_set($name, (string) $value);
error_reporting(E_ALL);
@ini_restore($name);
@ini_set($name, '2');
ini_restore('error_reporting');
error_reporting(0);
echo "hello\n";"""


class Meddling:
    """One worker, and requests that bring settings to it over one kept connection."""

    def __init__(self, daemon):
        self.daemon, self.connection, self.n = daemon, daemon.connect(), 0
        self.directory = daemon.directory
        self.state_script, self.meddle_script = daemon.script("state.php", STATE), daemon.script("meddle.php", MEDDLE)
        self.state()  # opcache has it
        self.before = self.state()

    def state(self):
        self.n += 1
        file = self.directory / f"file-{self.n}"
        file.touch()
        response = self.connection.request(self.state_script, keep=True, query=f"file={file.name}")
        file.unlink()
        return json.loads(response.text)

    def meddle(self, parameter, name, value):
        return self.connection.request(self.meddle_script, keep=True, query=f"name={name}",
                                       extra={parameter: f'{name}="{value}"'})

    def names(self):
        return [name for name, value in self.before.items() if isinstance(value, dict) and "access" in value]

    def assert_unchanged(self, what):
        now = self.state()
        assert {k: v for k, v in now.items() if self.before[k] != v} == {}, what


@pytest.fixture
def meddling(make_daemon):
    with make_daemon(ONE) as daemon:
        one = Meddling(daemon)
        with one.connection:
            yield one


@pytest.mark.parametrize("parameter", ["PHP_VALUE", "PHP_ADMIN_VALUE"])
def test_every_setting_is_undone(meddling, parameter):
    """Whatever a request sets, and its script sets once more: the worker serves on, the next request as before."""
    for name in meddling.names():
        for value in dict.fromkeys((meddling.before[name]["local_value"] or "", "1", "0", "Pig", "/tmp")):
            meddling.meddle(parameter, name, value)
            meddling.assert_unchanged((name, value))


@pytest.mark.parametrize("level", ["E_ALL", "0", "E_ALL & ~E_NOTICE", "22527"])
@pytest.mark.parametrize("place", ["PHP_VALUE", "PHP_ADMIN_VALUE", ".user.ini", "pool"])
def test_error_reporting(make_daemon, place, level):
    """A script sets the level that its request has set."""
    values = f'php = {{ value = ["error_reporting={level}"]; }};' if place == "pool" else ""
    with make_daemon(ONE + values) as daemon:
        script = daemon.script("level.php", "<?php $a = error_reporting(E_ALL & ~E_DEPRECATED); "
                               "error_reporting(1); echo @$b, 'hello'; error_reporting($a);")
        if place == ".user.ini":
            daemon.script(".user.ini", f"error_reporting = {level}\n")
        extra = {place: f"error_reporting={level}"} if place.startswith("PHP_") else {}
        with daemon.connect() as connection:
            for _ in range(3):
                assert connection.request(script, keep=True, extra=extra).text == "hello"
        assert "died" not in daemon.logged()


# Values that PHP refuses, one by a fatal error; and what the script sets instead.
REFUSED = {"session.sid_length": ("1", "40"), "zend.exception_string_param_max_len": ("-1", "20"),
           "session.name": ("17", "OWN"), "session.save_handler": ("user", "files")}
INSTEAD = """<?php echo json_encode([ini_get($_GET['name']), @ini_set($_GET['name'], $_GET['value']) !== false,
    ini_get($_GET['name']), http_response_code()]);"""


@pytest.mark.parametrize("place", ["PHP_VALUE", "PHP_ADMIN_VALUE", "section", ".user.ini"])
@pytest.mark.parametrize("name", REFUSED)
def test_a_value_that_php_refuses(make_daemon, tmp_path, name, place):
    """It is as if it had not been sent, and the log says so; the script can set another."""
    value, other = REFUSED[name]
    lines = f"{name} = {value}\n"
    (tmp_path / "there").mkdir()
    (tmp_path / "php.ini").write_text(f"[PATH={tmp_path}/there]\n{lines}" if place == "section" else "")
    with make_daemon(ONE + f'php = {{ ini = "{tmp_path}/php.ini"; }};') as daemon:
        script = daemon.script("there/instead.php", INSTEAD)
        default = json.loads(daemon.run(f"<?php echo json_encode(ini_get('{name}'));"))
        if place == ".user.ini":
            daemon.script("there/.user.ini", lines)
        extra = {place: lines} if place.startswith("PHP_") else {}
        with daemon.connect() as connection:
            for _ in range(2):
                response = connection.request(script, keep=True, extra=extra, query=f"name={name}&value={other}")
                assert json.loads(response.text) == [default, True, other, 200]
                assert f"unable to set '{name}': PHP refuses the value '{value}'" in response.err.decode()


def test_a_value_of_the_pool_that_php_refuses(make_daemon):
    """The pool starts without it, and the log says which it is."""
    values = '"session.sid_length=1", "no.such=1"'
    with make_daemon(ONE + f"php = {{ admin_value = [{values}]; }};") as daemon:
        assert daemon.run("<?php echo ini_set('session.sid_length', '40') !== false ? 'set' : 'not';") == "set"
        assert "PHP refuses the value '1' for session.sid_length in php.admin_value" in daemon.logged()
        assert "PHP has no setting no.such" in daemon.logged()


POOL_ONLY = ("disable_functions", "disable_classes", "extension", "zend_extension", "syslog.ident", "syslog.facility",
             "opcache.protect_memory", "opcache.save_comments", "opcache.optimization_level",
             "opcache.file_cache", "opcache.interned_strings_buffer", "opcache.jit_max_root_traces",
             "mysqlnd.collect_memory_statistics")
# PHP does not know them any more, and that is what is said.
GONE = ("disable_classes",) if at_least(8, 5) else ()


@pytest.mark.parametrize("parameter", ["PHP_VALUE", "PHP_ADMIN_VALUE"])
@pytest.mark.parametrize("name", POOL_ONLY)
def test_a_setting_that_cannot_be_undone(meddling, name, parameter):
    """It is refused for a request, with the reason."""
    for _ in range(3):
        response = meddling.meddle(parameter, name, "1")
        assert response.text == "hello\n"
        assert (f"unable to set '{name}'" if name in GONE else f"unable to set '{name}': ") in response.err.decode()
        meddling.assert_unchanged(name)


@pytest.mark.parametrize("place", ["PHP_VALUE", "PHP_ADMIN_VALUE", "section", ".user.ini", "host"])
def test_open_basedir_of_one_request(make_daemon, tmp_path, place):
    """While it holds, PHP resolves paths without its cache, as in PHP-FPM; the next request has the cache again."""
    (tmp_path / "there").mkdir()
    line = f"open_basedir = {tmp_path}/there\n"
    head = {"section": f"[PATH={tmp_path}/there]\n{line}", "host": f"[HOST=there]\n{line}"}.get(place, "")
    (tmp_path / "php.ini").write_text(head)
    code = """<?php $n = realpath_cache_size(); realpath(__DIR__ . '/' . $_GET['file']);
        echo json_encode([ini_get('open_basedir') !== '', realpath_cache_size() > $n]);"""
    with make_daemon(ONE + f'php = {{ ini = "{tmp_path}/php.ini"; }};') as daemon:
        plain, held = daemon.script("plain.php", code), daemon.script("there/held.php", code)
        for name in ("a", "b", "c", "there/a"):
            daemon.script(name, "")
        if place == ".user.ini":
            daemon.script("there/.user.ini", line)
        extra = {place: line} if place.startswith("PHP_") else {"SERVER_NAME": "there"} if place == "host" else {}
        with daemon.connect() as connection:
            assert show(connection, plain, query="file=a") == [False, True]
            assert show(connection, held, query="file=a", extra=extra) == [True, False]
            assert show(connection, plain, query="file=b") == [False, True]
            assert show(connection, plain, query="file=c") == [False, True]


def test_open_basedir_of_the_pool(make_daemon, tmp_path):
    """PHP resolves paths without its cache, as in PHP-FPM."""
    with make_daemon(ONE + f'php = {{ admin_value = ["open_basedir={tmp_path}"]; }};') as daemon:
        code = "<?php $n = realpath_cache_size(); realpath(__FILE__); echo json_encode(realpath_cache_size() > $n);"
        assert daemon.run(code, "a.php") == daemon.run(code, "b.php") == "false"


def test_opcache_keeps_no_value_of_a_request(make_daemon):
    """A script that a request with PHP_ADMIN_VALUE compiles does not have its values for ever."""
    with make_daemon(ONE) as daemon:
        code = "<?php echo json_encode([ini_get('memory_limit'), ini_get('user_dir'), ini_get('precision')]);"
        old = daemon.script("compiled.php", code)
        past = time.time() - 60
        os.utime(old, (past, past))  # opcache takes no file that was just written
        with daemon.connect() as connection:
            for n in ("55", "66"):
                values = f"memory_limit={n}M\nuser_dir={n}\nprecision={n}"
                assert show(connection, old, extra={"PHP_ADMIN_VALUE": values}) == [f"{n}M", n, n]
            assert show(connection, old) == ["128M", "", "14"]


def test_what_is_no_setting(make_daemon, tmp_path):
    """An array in a section or file, and a host that is called like a setting."""
    (tmp_path / "php.ini").write_text(f"precision = 11\n[HOST=there]\nx[] = 1\n[PATH={tmp_path}]\ny[] = 1\n")
    with make_daemon(ONE + f'php = {{ ini = "{tmp_path}/php.ini"; }};') as daemon:
        daemon.script(".user.ini", "z[] = 1\nz[a] = 2\n")
        script = daemon.script("show.php", SHOW)
        with daemon.connect() as connection:
            for host in ("there", "precision", "cfg_file_path"):
                assert show(connection, script, extra={"SERVER_NAME": host})[0] == "11"


# Whether PHP starts with it, where a file that it names is not there.
NAMED = {
    "opcache.lockfile_path=/nowhere": at_least(8, 3), "opcache.preload=/nowhere/x.php": False,
    "extension=nowhere": False,
    "extension=/nowhere/x.so": False, "zend_extension=nowhere": False, "extension_dir=/nowhere": False,
    "browscap=/nowhere": False, "error_log=/nowhere/x": True,
    "session.save_path=/nowhere": True, "upload_tmp_dir=/nowhere": True, "auto_prepend_file=/nowhere": True,
    "curl.cainfo=/nowhere": True, "extension=ctype": True, "extension=ctype.so": True,
    "zend_extension=opcache": not at_least(8, 5)}  # of which it is a part from then on


@pytest.mark.parametrize("line", NAMED)
def test_check_and_reload_judge_files_alike(ini_daemon, line):
    ini_daemon.conf.write_text(ONE + f'php = {{ admin_value = [ "{line}" ]; }};\n')
    check, reload = ini_daemon.ctl("check", ini_daemon.conf), ini_daemon.ctl("reload", "www")
    assert (check.returncode == 0, reload.returncode == 0) == (NAMED[line], NAMED[line]), (check, reload)
    assert ("/nowhere" in check.stderr) == ("nowhere" in line)


def test_a_file_cache_that_is_not_there(ini_daemon):
    """check warns of it. PHP 8.4.27 and 8.5.7 do not start with it, 8.2.36 and 8.4.28 do."""
    ini_daemon.conf.write_text(ONE + 'php = { admin_value = [ "opcache.file_cache=/nowhere" ]; };\n')
    check, reload = ini_daemon.ctl("check", ini_daemon.conf), ini_daemon.ctl("reload", "www")
    assert check.returncode == 0 and "/nowhere" in check.stderr
    assert reload.returncode == 0 or "opcache.file_cache must be a full path" in reload.stderr
    assert ini_daemon.run(SHOW)
