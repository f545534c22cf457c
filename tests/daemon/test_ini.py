# SPDX-License-Identifier: MIT
"""PHP's settings from the pool file, which hold for the pool, and from a request, which hold for that one."""

import json

import pytest

from lib import fastcgi
from lib.daemon import Daemon

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
    "user_agent=": True, "error_reporting=E_ALL & ~E_NOTICE": True, "user_agent=${HOME}": True, "no.such_setting=1": True,
    "sendmail_path=/usr/bin/msmtp --host=localhost -t": False, "user_agent=it's": False, "user_agent='a": False,
    "user_agent=a (b)": False, "user_agent=on call": False, "user_agent=${HOME": False, "user_agent[a]=b": False,
    "[HOST=a]=b": False, ";user_agent=b": False, "on=1": False}


@pytest.fixture(scope="module")
def ini_daemon(build_dir, tmp_path_factory, environment):
    """One for all lines: a refused reload leaves it as it was."""
    with Daemon(build_dir, tmp_path_factory.mktemp("ini"), ONE, environment=environment) as daemon:
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
