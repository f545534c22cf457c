# SPDX-License-Identifier: MIT
"""What the unit's sandbox leaves to ordinary applications and programs."""

import json

import pytest

# Directories that hand on their group, as Moodle, TYPO3 and WordPress make them.
SET_GROUP_ID = """<?php
umask(0);
$d = '%s/shared';
$out = [mkdir($d, 02777), chmod($d, 02775), mkdir("$d/below", 02777), touch("$d/file"), chmod("$d/file", 06755)];
foreach ([$d, "$d/below", "$d/file"] as $path)
    $out[] = sprintf('%%o', fileperms($path) & 07777);
echo json_encode($out);
"""

RUN = """<?php
chdir('%s');
exec(%s, $output, $status);
echo json_encode([$status, implode("\\n", $output)]);
"""

# Programs that change their user, their group or their capabilities to what they are, or modes and owners of
# files, and what they have to say.
PROGRAMS = {
    "ip": ("ip -o addr", "127.0.0.1"),
    "capabilities": ("setpriv --inh-caps=-all --no-new-privs echo ran", "ran"),
    "user": ("setpriv --reuid=$(id -u) --regid=$(id -g) --keep-groups echo ran", "ran"),
    "setuid": ("/usr/bin/python3 -c 'import os; u, g = os.getuid(), os.getgid(); os.setgid(g); os.setregid(g, g);"
               " os.setresgid(g, g, g); os.setuid(u); os.setreuid(u, u); os.setresuid(u, u, u); print(\"ran\")'", "ran"),
    "cp": ("mkdir -m 2775 from && touch from/x && cp -a from to && stat -c %a to", "2775"),
    "tar": ("mkdir -m 2775 from && tar -cf a.tar from && rmdir from && tar -xpf a.tar && stat -c %a from", "2775"),
    "install": ("install -m 6755 -o www-data /bin/true true && stat -c %a true", "6755"),
    "fifo": ("mkfifo -m 600 fifo && (echo ran >fifo &) && cat fifo", "ran"),
}


@pytest.fixture
def pool(machine):
    with machine.pool("www") as pool:
        machine.run("chown", "www-data", pool.scripts)
        yield pool


def program(pool, command, name="run.php"):
    """The status and the output of a program that a script runs."""
    return json.loads(pool.run(RUN % (pool.scripts, json.dumps(command).replace("$", "\\$")), name))


def test_modes_with_set_group_id(pool):
    got = json.loads(pool.run(SET_GROUP_ID % pool.scripts))
    assert got == [True] * 5 + ["2775", "2777", "6755"], got


@pytest.mark.parametrize("name", PROGRAMS)
def test_ordinary_programs_run(pool, name):
    command, said = PROGRAMS[name]
    status, output = program(pool, f"({command}) 2>&1")
    assert status == 0 and said in output, (status, output)


def test_no_program_becomes_another(pool):
    """No system call is in the way, the kernel is: there is no capability, and none can be had."""
    code = ("import ctypes, os\n"
            "for change in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setgroups([0]),\n"
            "               lambda: os.setresuid(65534, 65534, 65534)):\n"
            "    try:\n        change(); print('changed')\n    except PermissionError:\n        print('refused')\n")
    pool.machine.write(f"{pool.scripts}/change.py", code)
    status, output = program(pool, f"/usr/bin/python3 {pool.scripts}/change.py 2>&1")
    assert (status, output.split()) == (0, ["refused"] * 4)
    status, output = program(pool, "grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs):' /proc/self/status")
    assert [line.split()[1] for line in output.splitlines()] == ["0" * 16] * 5 + ["1"], output
