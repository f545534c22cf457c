# SPDX-License-Identifier: MIT
"""php-poolctl import beside PHP-FPM itself: which directives there are, and what it takes values to be."""

import os
import re
import shutil
import subprocess

import pytest

from lib.php import BUILD_DIR, FPM, FPM_DIR, FPM_SOCKET

ENVIRONMENT = {**os.environ, "SET": "it's \"set\"", "PHP_POOL_WORKER_DIR": f"{BUILD_DIR}/daemon"}

pytestmark = pytest.mark.skipif(shutil.which(FPM) is None or not os.path.isdir(FPM_DIR), reason=f"there is no {FPM}")

POOL = """[global]
error_log = {log}
[p]
user = nobody
listen = /run/p.sock
pm = static
pm.max_children = 1
"""

VALUES = r"""
E_ALL & ~E_NOTICE
E_ALL & ~E_DEPRECATED & ~E_STRICT
1 | 6 & 2
4 & !0 | 2
(1|2) ^ 4
~5
!5
99999999999 | 0
5 | 6 foo
"E_ALL" | 1
E_ALL E_NOTICE
E_ALL-1
E_ALL"x"
foo bar   baz
"a b" c
"a" "b"
a"b"c
'single $pool "x" \' y
'a' b
"esc \" \\ \n \' \$ x"
back\\slash\n
${SET} x
"${SET} q"
${UNSET}
${UNSET:-default}
${SET:-default}
$HOME $pool $$a a$
-5
1.50
yes
TRUE
none
null
yes/no
on ; comment
a ; b
"a;b" ; c
{a}
a[b]
a,b:c#d
%a
/usr/sbin/sendmail -t -i -f www@my.domain.com
\"/usr/sbin/sendmail -t -i\"
"C:\dir\"
"a\\"
"\"a"
x "a\"b\"
x "a" y
x 'a' y
${SET}  "a"
x ${SET} "a"
/usr/sbin/sendmail -t -i -f "a b"@example.com
"""


def understood(tmp_path, text):
    """What FPM says that it has read: the lines of -tt as (name, value), in their order."""
    path = tmp_path / "reference.conf"
    path.write_text(text)
    result = subprocess.run([FPM, "-n", "-tt", "-y", path], env=ENVIRONMENT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return re.findall(r"NOTICE: \t(\S+) = (.*)", result.stderr)


def imported(build_dir, tmp_path, text):
    path = tmp_path / "import.conf"
    path.write_text(text)
    return subprocess.run([build_dir / "daemon/php-poolctl", "import", "--dry-run", path], env=ENVIRONMENT,
                          capture_output=True, text=True)


def directives(source_dir):
    text = (source_dir / "daemon/poolfile/fpm.def").read_text()
    return set(re.findall(r'^FPM\("([^"]+)"', text, re.MULTILINE))


def without_key(name):
    return re.sub(r"\[.*\]", "[]", name)


def ini_value(line):
    """The value of a line of php.value: libconfig's quotes, and in them an ini file's."""
    line = line.replace('\\"', '"').replace("\\\\", "\\")
    name, value = line.split("=", 1)
    if value.startswith("'"):
        value = value[1:-1]
    elif value.startswith('"'):
        value = re.sub(r'\\(["\\$])', r"\1", value[1:-1])
    return name, value


def test_every_directive_that_fpm_knows(source_dir, tmp_path):
    lines = understood(tmp_path, POOL.format(log=tmp_path / "log") + "env[A] = b\nphp_value[a] = b\n")
    assert len(lines) > 50
    assert {without_key(name) for name, _ in lines} - directives(source_dir) == set()


def test_every_directive_of_the_installed_files(source_dir):
    for path in ("php-fpm.conf", "pool.d/www.conf"):
        with open(f"{FPM_DIR}/{path}") as f:
            names = re.findall(r"^;? ?([a-z_.]+(?:\[\w*\])?) *=", f.read(), re.MULTILINE)
        assert {without_key(name) for name in names} - directives(source_dir) - {"include"} == set()


def test_values(build_dir, tmp_path):
    """Each value, as FPM takes it and as PHP reads what import writes."""
    values = VALUES.strip("\n").split("\n")
    text = POOL.format(log=tmp_path / "log")
    text += "".join(f"php_value[v{i}] = {value}\n" for i, value in enumerate(values))
    expected = {re.search(r"\[(.*)\]", name).group(1): value for name, value in understood(tmp_path, text)
                if name.startswith("php_value")}
    assert len(expected) == len(values)

    result = imported(build_dir, tmp_path, text)
    lines = re.findall(r'^ {16}"(v\d+=.*)",?$', result.stdout, re.MULTILINE)
    found = dict(ini_value(line) for line in lines)
    assert found == expected, result.stderr


@pytest.mark.parametrize("line", [
    "php_value[x] = a=b", 'php_value[x] = "open', "php_value[x] = a(b)", "php_value[x]", "foo = 1", "foo",
    "= x", "[b", "env[X] =", "ENV[X] = 1", "# php_value[x] = 1", "php_flag[x] = 2", "php_value[x] = a |",
    "pm.max_children = x", "request_terminate_timeout = 5w", "access.suppress_path[] = x",
    "rlimit_core = some", "pm = other", "user[x] = 1", "daemonize = no"])
def test_refused_by_both(build_dir, tmp_path, line):
    text = POOL.format(log=tmp_path / "log") + line + "\n"
    with pytest.raises(AssertionError):
        understood(tmp_path, text)
    result = imported(build_dir, tmp_path, text)
    assert result.returncode == 1 and result.stdout == ""
    assert f"import.conf:{len(text.splitlines())}: " in result.stderr


def test_the_installed_file(build_dir):
    """Nothing of Debian's own is lost, whichever of the two files is imported."""
    for path in ("php-fpm.conf", "pool.d/www.conf"):
        result = subprocess.run([build_dir / "daemon/php-poolctl", "import", "-n", f"{FPM_DIR}/{path}"],
                                capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        assert f"ListenStream={FPM_SOCKET}\n" in result.stdout
        assert "User=www-data\n" in result.stdout
