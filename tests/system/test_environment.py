# SPDX-License-Identifier: MIT
"""What of the environment reaches scripts: nothing of the machine's locale, as in PHP-FPM."""

import json

import pytest

# Of locale.conf(5), and LC_ALL.
NAMES = ("LANG LANGUAGE LC_ALL LC_CTYPE LC_NUMERIC LC_TIME LC_COLLATE LC_MONETARY LC_MESSAGES LC_PAPER LC_NAME "
         "LC_ADDRESS LC_TELEPHONE LC_MEASUREMENT LC_IDENTIFICATION").split()
GERMAN = "de_DE.UTF-8"

# What a script sees before and after it asks for the environment's locale, as many libraries do.
SEE = """<?php
foreach (array_keys(getenv()) as $name)
    if (str_starts_with($name, 'LC_') || str_starts_with($name, 'LANG'))
        $out['set'][$name] = getenv($name);
$out['intl'] = class_exists('Locale') ? Locale::getDefault() : 'none';
setlocale(LC_ALL, '');
$out['number'] = localeconv()['decimal_point'] . sprintf('%.1f', 1.5);
$out['day'] = @strftime('%A', 0);
$out['date'] = exec('date -u -d @0 +%A');
$out['error'] = posix_strerror(2);
echo json_encode($out);
"""

PLAIN = {"number": ".1.5", "day": "Thursday", "date": "Thursday", "error": "No such file or directory"}


@pytest.fixture
def german(machine):
    """The machine speaks German: what is in locale.conf, PID 1 passes to each service."""
    machine.run("localedef", "-i", "de_DE", "-f", "UTF-8", GERMAN)
    machine.systemctl("set-environment", *(f"{name}={GERMAN}" for name in NAMES))
    yield machine
    machine.systemctl("unset-environment", *NAMES)
    machine.remove("/usr/lib/locale/locale-archive")


def see(pool):
    seen = json.loads(pool.run(SEE, "see.php"))
    return seen.pop("set", {}), seen


def test_the_machines_locale_stays_outside(german):
    with german.pool("www") as pool:
        names, seen = see(pool)
        assert names == {}
        assert not seen.pop("intl").startswith("de") and seen == PLAIN
        for pid in pool.children():
            assert b"de_DE" not in pool.machine.path(f"/proc/{pid}/environ").read_bytes()


@pytest.mark.parametrize("way", ["Environment=LANG=de_DE.UTF-8", "EnvironmentFile=/run/pool.env"])
def test_a_pools_own_locale_is_set(german, way):
    german.write("/run/pool.env", f"LANG={GERMAN}\n")
    with german.pool("www", service=f"[Service]\n{way}\n") as pool:
        names, seen = see(pool)
        assert names == {"LANG": GERMAN}
        assert (seen["number"], seen["day"], seen["date"]) == (",1,5", "Donnerstag", "Donnerstag"), seen


def test_all_that_a_script_sees(machine):
    """Those of the request apart: what systemd has for each service with a user, and what is the pool's own."""
    with machine.pool("www", service="[Service]\nEnvironment=APP_ENV=production\n") as pool:
        names = set(json.loads(pool.run("<?php echo json_encode(array_keys(getenv()));")))
    request = {name for name in names if name.split("_")[0] in
               ("HTTP", "SERVER", "REMOTE", "REQUEST", "GATEWAY", "DOCUMENT", "QUERY", "SCRIPT", "FCGI", "CONTENT",
                "PATH")} - {"PATH"}
    assert names - request == {"PATH", "HOME", "USER", "LOGNAME", "INVOCATION_ID", "SYSTEMD_EXEC_PID", "APP_ENV"}
