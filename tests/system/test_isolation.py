# SPDX-License-Identifier: MIT
"""Two pools under two users share nothing."""

import json

import pytest

OPCACHE = """<?php
echo json_encode(array_keys(opcache_get_status()['scripts']));
"""

# Files that are a moment old are cached as well.
CONF = 'php = { admin_value = ["opcache.file_update_protection=0"]; };'

MISSES = "<?php echo getmypid(), ' ', opcache_get_status()['opcache_statistics']['misses'];"

REACH = """<?php
$out = ['me' => posix_getpwuid(posix_geteuid())['name']];
$out['control'] = (bool) @stream_socket_client('unix:///run/php-pool/%(other)s.control.sock');
$out['conf'] = @file_get_contents('/srv/%(other)s/secret') !== false;
$out['signal'] = posix_kill((int) $_GET['pid'], 0);
echo json_encode($out);
"""


@pytest.fixture
def pools(machine):
    """Pools a and b under users of their names."""
    for name in "ab":
        machine.run("useradd", "--system", f"user-{name}")
    service = "[Service]\nUser=user-{0}\nGroup=user-{0}\n"
    with machine.pool("a", CONF, service=service.format("a")) as a:
        with machine.pool("b", CONF, service=service.format("b")) as b:
            yield a, b
    for name in "ab":
        machine.run("userdel", f"user-{name}")


def test_each_has_its_own_opcache(pools):
    for pool in pools:
        assert json.loads(pool.run(OPCACHE, "first.php")) == [f"{pool.scripts}/first.php"]
    for pool in pools:
        pool.run("<?php echo 1;", f"only-{pool.name}.php")
    for pool, other in (pools, pools[::-1]):
        scripts = json.loads(pool.get(f"{pool.scripts}/first.php"))
        assert f"{pool.scripts}/only-{pool.name}.php" in scripts
        assert not any(script.startswith(other.scripts) for script in scripts)


def test_workers_share_one_opcache(pools):
    """Every worker of a pool sees what another one compiled."""
    pool = pools[0]
    script = pool.script("misses.php", MISSES)
    pool.get(script)
    seen = dict(pool.get(script).split() for _ in range(30))
    assert len(set(seen.values())) == 1, seen


def test_none_reaches_the_other(pools):
    for pool in pools:
        pool.machine.write(f"{pool.scripts}/secret", "x")
        pool.machine.run("chown", f"user-{pool.name}:", f"{pool.scripts}/secret")
        pool.machine.run("chmod", "600", f"{pool.scripts}/secret")
        pool.start()
    for pool, other in (pools, pools[::-1]):
        script = pool.script("reach.php", REACH % {"other": other.name})
        got = json.loads(pool.get(script, query=f"pid={other.manager}"))
        assert got == {"me": f"user-{pool.name}", "control": False, "conf": False, "signal": False}
