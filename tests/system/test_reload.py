# SPDX-License-Identifier: MIT
"""`systemctl reload`: synchronous, everything new, and nothing lost when it is refused."""

import re

import pytest

from lib.messages import MESSAGE_ID
from lib.scripts import HELLO, LONG, Running

SETTINGS = "<?php echo ini_get('memory_limit'), ' ', date_default_timezone_get();"


def reload_pool(pool, check=True):
    return pool.machine.systemctl("reload", pool.unit, check=check)


def test_new_values_at_once(machine):
    conf = 'php = { ini = "/srv/www/php.ini"; value = ["date.timezone=Europe/%s"]; };'
    with machine.pool("www", conf % "Berlin") as pool:
        machine.write("/srv/www/php.ini", "memory_limit = 77M\n")
        script = pool.script("page.php", SETTINGS)
        assert pool.get(script) == "77M Europe/Berlin"
        generation, manager = pool.status()["generation"], pool.manager

        machine.write("/srv/www/php.ini", "memory_limit = 88M\n")
        machine.write(pool.file, conf % "Paris")
        reload_pool(pool)
        assert pool.get(script) == "88M Europe/Paris"
        assert pool.status()["generation"] == generation + 1
        assert pool.manager == manager and pool.active == "active"
        record = pool.logged(lambda r: True, f"MESSAGE_ID={MESSAGE_ID['RELOADED']}")
        assert record["PHP_GENERATION"] == str(generation + 1)


def test_no_request_after_a_reload_meets_the_old_generation(machine):
    """Not only mostly: when systemctl returns, no old worker takes a connection any more."""
    conf = 'php = { value = ["precision=%d"]; };'
    with machine.pool("www", conf % 1) as pool:
        script = pool.script("page.php", "<?php echo ini_get('precision');")
        pool.start()
        answers = []
        for n in range(2, 30):
            machine.write(pool.file, conf % n)
            reload_pool(pool)
            answers.append(int(pool.get(script)))
        assert answers == list(range(2, 30))


def test_new_extensions(machine):
    with machine.pool("www", 'php = { ini_scan_dir = "/srv/www/ini.d"; };') as pool:
        machine.write("/srv/www/ini.d/10-opcache.ini", "zend_extension=opcache.so\n")
        script = pool.script("page.php", "<?php echo extension_loaded('ctype') ? 'loaded' : 'missing';")
        assert pool.get(script) == "missing"
        machine.write("/srv/www/ini.d/20-ctype.ini", "extension=ctype.so\n")
        reload_pool(pool)
        assert pool.get(script) == "loaded"


def test_fresh_opcache(machine):
    conf = 'php = { admin_value = ["opcache.validate_timestamps=0", "opcache.file_update_protection=0"]; };'
    with machine.pool("www", conf) as pool:
        script = pool.script("page.php", "<?php echo 'old';")
        assert pool.get(script) == "old"
        pool.script("page.php", "<?php echo 'new';")
        assert pool.get(script) == "old"
        reload_pool(pool)
        assert pool.get(script) == "new"


def test_sighup_reloads(pool):
    pool.start()
    generation = pool.status()["generation"]
    pool.machine.run("kill", "-HUP", pool.manager)
    reloaded = f"MESSAGE_ID={MESSAGE_ID['RELOADED']}"
    pool.logged(lambda r: r.get("PHP_GENERATION") == str(generation + 1), reloaded)
    assert pool.status()["generation"] == generation + 1


def test_a_running_request_finishes(pool):
    running = Running(pool, pool.script("long.php", LONG))
    reload_pool(pool)
    assert pool.run(HELLO) == "hello"  # while the old one still runs
    assert running.finish()


BROKEN = {
    "syntax": ("pm = {\n  max_children = = 3;\n};\n", r"www\.conf:2\b"),
    "unknown key": ("pm = {\n  max_childs = 3;\n};\n", r"www\.conf:2\b.*pm\.max_childs"),
    "range": ("pm = {\n  max_children = 0;\n};\n", r"www\.conf:2\b.*pm\.max_children"),
    "two errors": ('pm = {\n  mode = "lazy";\n};\nidle_exit = "soon";\n',
                   r"(?s)www\.conf:2\b.*pm\.mode.*www\.conf:4\b.*idle_exit"),
    "preload": ('php = { admin_value = ["opcache.preload=/srv/www/missing.php"]; };', r"missing\.php"),
    "extension": ('php = { admin_value = ["extension=no_such_extension.so"]; };', r"no_such_extension"),
    "warm-up": ('reload = { warmup = ["/srv/www/missing.php"]; };', r"reload\.warmup: .*missing\.php"),
    "ini": ('php = { ini = "/srv/www/no.ini"; };', r"/srv/www/no\.ini"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_refused_reload_changes_nothing(pool, case):
    text, reason = BROKEN[case]
    assert pool.run(HELLO) == "hello"
    generation, manager = pool.status()["generation"], pool.manager
    children = pool.children()
    before = pool.machine.journal_end()

    pool.machine.write(pool.file, text)
    result = reload_pool(pool, check=False)
    assert result.returncode != 0
    records = pool.journal(since=before)
    said = result.stderr + "\n".join(r["MESSAGE"] for r in records)
    assert re.search(reason, said), said
    assert any(r.get("MESSAGE_ID") == MESSAGE_ID["RELOAD_FAILED"] for r in records), said

    assert pool.active == "active" and pool.manager == manager
    assert pool.status()["generation"] == generation and pool.status()["state"] == "running"
    after = pool.children()  # workers that it starts with may have come meanwhile
    assert children.keys() <= after.keys() and sum("(template)" in args for args in after.values()) == 1, after
    assert pool.run(HELLO) == "hello"

    pool.machine.write(pool.file, "")
    reload_pool(pool)
    assert pool.status()["generation"] > generation
    assert pool.run(HELLO) == "hello"
