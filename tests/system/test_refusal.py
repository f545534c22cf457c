# SPDX-License-Identifier: MIT
"""What the sandbox may have refused is told once a generation, and where there is no sandbox, never."""

import pytest

from lib import elf32
from lib.messages import MESSAGE_ID
from lib.scripts import Running, hang

# One that a script has nothing to do with: it comes after all that was logged for what ran before.
LAST = "<?php error_log('the last');"

PROBABLE, POSSIBLE = "4", "5"  # PRIORITY=: warning, notice

# What a script does, what of PHP's text is repeated, and how likely it is the sandbox.
REPORTED = {
    "read-only": ("mkdir('/usr/new');", "mkdir(): Read-only file system", PROBABLE),
    "suppressed": ("@file_put_contents('/home/new', 'x');", "Read-only file system", PROBABLE),
    "handled": ("set_error_handler(fn() => true); touch('/etc/new');", "Read-only file system", PROBABLE),
    "exception": ("try { new SplFileObject('/boot/new', 'w'); } catch (RuntimeException) { }",
                  "Read-only file system", PROBABLE),
    "muted": ("error_reporting(0); ini_set('log_errors', 0); mkdir('/usr/x');", "Read-only file system", PROBABLE),
    "denied": ("fopen('/root/x', 'r');", "Permission denied", POSSIBLE),
    "owner": ("chmod('/var/cache', 0777);", "Operation not permitted", POSSIBLE),
}

SILENT = ("@fopen('/nowhere', 'r'); trigger_error('Permission denied', E_USER_WARNING); "
          "error_log('Read-only file system'); exec('exit 1'); exec('kill -9 $$');")

# Ways to run a program that dies of SIGSYS, and what PHP code does so.
PROGRAM = "/srv/32/program"
KILLED = {
    "exec": "exec('%s');",
    "system": "system('%s');",
    "passthru": "passthru('%s');",
    "shell_exec": "shell_exec('%s');",
    "backticks": "`%s`;",
    "shell": "exec('%s; exit $?');",
    "popen": "pclose(popen('%s', 'r'));",
    "forgotten": "$p = popen('%s', 'r'); stream_get_contents($p);",
    "proc_close": "$x = []; proc_close(proc_open('%s', [], $x));",
    "no-shell": "$x = []; proc_close(proc_open(['%s'], [], $x));",
    "proc_get_status": "$x = []; $p = proc_open(['%s'], [], $x);"
                       "while (proc_get_status($p)['running']) usleep(1000);",
}


@pytest.fixture
def www(machine):
    with machine.pool("www", "pm = { mode = \"static\"; max_children = 2; };") as pool:
        elf32.install(machine, PROGRAM)
        yield pool
    machine.remove("/srv/32")


def told(pool, code):
    """The records that there are when a script has run."""
    pool.request(pool.script("refused.php", f"<?php {code}"))
    pool.run(LAST, "last.php")
    pool.logged(lambda record: "the last" in record["MESSAGE"])
    return pool.journal(f"MESSAGE_ID={MESSAGE_ID['REFUSAL']}")


@pytest.mark.parametrize("name", REPORTED)
def test_what_php_reports(www, name):
    code, text, priority = REPORTED[name]
    record, = told(www, code)
    assert text in record["MESSAGE"] and "SANDBOX in php-pool(7)" in record["MESSAGE"], record
    assert record["PRIORITY"] == priority, record
    assert record["PHP_SCRIPT"] == f"{www.scripts}/refused.php" and record["PHP_POOL"] == "www"


def test_in_the_machines_language(www):
    """A text is compared as it is now: the script has set another locale."""
    www.machine.run("localedef", "-i", "de_DE", "-f", "UTF-8", "de_DE.UTF-8")
    record, = told(www, "setlocale(LC_ALL, 'de_DE.UTF-8') or die('no locale'); mkdir('/usr/new');")
    assert record["PRIORITY"] == PROBABLE, record
    www.machine.remove("/usr/lib/locale/locale-archive")


@pytest.mark.parametrize("name", KILLED)
def test_a_program_that_is_killed(www, name):
    record, = told(www, KILLED[name] % PROGRAM)
    assert "SIGSYS" in record["MESSAGE"] and record["PRIORITY"] == PROBABLE, record


def test_mail_that_is_killed(machine):
    with machine.pool("www", f'php = {{ admin_value = [ "sendmail_path={PROGRAM}" ]; }};') as pool:
        elf32.install(machine, PROGRAM)
        record, = told(pool, "mail('a@b', 'c', 'd');")
        assert "SIGSYS" in record["MESSAGE"], record
    machine.remove("/srv/32")


def test_once_a_generation(www):
    """However often, and whichever worker meets it."""
    code = "mkdir('/usr/new'); chmod('/var/cache', 0777); echo getmypid();"
    script = www.script("often.php", f"<?php {code}")
    held = Running(www, www.script("held.php", hang(f"{code} {www.gate('held')}")))
    other = www.get(script).split()[-1]
    www.open_gate("held")
    assert held.finish() and other.encode() not in held.text, held.text  # two workers
    assert len(told(www, code)) == 1
    www.ctl("reload", "www")
    assert len(told(www, code)) == 2


def test_what_may_be_a_permission_hides_nothing(www):
    """It is told for what it is, and the likelier reason after it, once."""
    assert [r["PRIORITY"] for r in told(www, "fopen('/root/x', 'r'); chmod('/var/cache', 0777);")] == [POSSIBLE]
    assert [r["PRIORITY"] for r in told(www, "mkdir('/usr/new'); fopen('/root/x', 'r');")] == [POSSIBLE, PROBABLE]


def test_other_errors_are_not_its_doing(www):
    assert told(www, SILENT) == []


def test_silent_without_a_sandbox(machine):
    service = ("[Service]\nNoNewPrivileges=no\nProtectSystem=no\nProtectHome=no\nLockPersonality=no\n"
               "PrivateDevices=no\nProtectClock=no\nProtectHostname=no\nProtectKernelLogs=no\n"
               "ProtectKernelModules=no\n"
               "ProtectKernelTunables=no\nRestrictAddressFamilies=\nRestrictNamespaces=no\nRestrictRealtime=no\n"
               "SystemCallArchitectures=\nSystemCallFilter=\n")
    with machine.pool("www", service=service) as pool:
        assert told(pool,
                    "fopen('/root/x', 'r'); chmod('/var/cache', 0777); mkdir('/usr/new'); exec('exit 159');") == []
