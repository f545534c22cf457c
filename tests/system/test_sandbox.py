# SPDX-License-Identifier: MIT
"""What the unit's sandbox leaves to ordinary applications and programs, and how it is told to leave more."""

import json

import pytest

from lib import elf32
from lib.manual import drop_ins

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

# Programs that change their user, their group or their capabilities to what they are, restrict themselves, or
# change modes and owners of files; and what they have to say.
PROGRAMS = {
    "ip": ("ip -o addr", "127.0.0.1"),
    "capabilities": ("setpriv --inh-caps=-all --no-new-privs echo ran", "ran"),
    "user": ("setpriv --reuid=$(id -u) --regid=$(id -g) --keep-groups echo ran", "ran"),
    "setuid": ("/usr/bin/python3 -c 'import os; u, g = os.getuid(), os.getgid(); os.setgid(g); os.setregid(g, g);"
               " os.setresgid(g, g, g); os.setuid(u); os.setreuid(u, u); os.setresuid(u, u, u); print(\"ran\")'",
               "ran"),
    # Level 2 and above is seccomp(2), by which a program gives up system calls.
    "seccomp": ("/usr/bin/python3 -c 'import ctypes; print(ctypes.CDLL(\"libseccomp.so.2\").seccomp_api_get() >= 2)'",
                "True"),
    "fincore": ("fincore -n /bin/sh", "/bin/sh"),
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


USER_MANAGER = "/run/systemd/system/user@33.service.d"  # without systemd-logind, which a machine does not have
MANAGERS = """<?php
echo json_encode([(bool) @stream_socket_client('unix:///run/user/33/systemd/private'),
                  (bool) @stream_socket_client('unix:///run/user/33/bus')]);
"""


@pytest.mark.parametrize("service, reached", [("", False), ("InaccessiblePaths=\n", True)])
def test_the_users_own_systemd_is_out_of_reach(machine, service, reached):
    """It would run programs for scripts, outside of the sandbox. It may start after the pool."""
    with machine.pool("www", service=f"[Service]\n{service}") as pool:
        pool.start()
        machine.write(f"{USER_MANAGER}/test.conf", "[Service]\nEnvironment=XDG_RUNTIME_DIR=/run/user/33\n")
        machine.systemctl("daemon-reload")
        machine.systemctl("start", "user@33.service")
        try:
            assert json.loads(pool.run(MANAGERS)) == [reached] * 2
        finally:
            machine.systemctl("stop", "user@33.service", "user-runtime-dir@33.service")
            machine.remove(USER_MANAGER)


# ---- The table of php-pool(7): each row fails in a default pool, and works with the drop-in as it is printed ----

DROP_INS = drop_ins("php-pool.7", "SANDBOX", "What it refuses")

# Makes what a row needs, as root in the machine.
PREPARE = {
    "home": "install -d -o www-data /home/shop /etc/shop",
    "shared": "true",
    "rename": "install -d -o www-data /srv/shop /srv/shop/tmp",
    "sudo": "echo 'www-data ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/php-pool-test",
    # A namespace may have a /proc where one is to be seen of which nothing is hidden: systemd-nspawn's of 257 is not.
    "namespaces": "mkdir /run/proc; mount -t proc proc /run/proc",
    "serial": "mknod -m 660 /dev/ttyS0 c 1 5; chgrp dialout /dev/ttyS0",
    "dri": "mkdir -p /dev/dri; mknod -m 660 /dev/dri/card0 c 1 5; chgrp video /dev/dri/card0",
    "gpio": "mount -o remount,rw /sys; mkdir -p /sys/gpio; touch /sys/gpio/value; chmod 666 /sys/gpio/value",
    "ipc": "ipcmk -Q -p 0666",
    "hostname": "hostname >/etc/hostname",
    "family": "/usr/bin/python3 -c 'import socket; socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)'",
}
CLEAN_UP = {
    "home": "rm -r /home/shop /etc/shop",
    "shared": "rm -f /tmp/upload",
    "rename": "rm -r /srv/shop",
    "sudo": "rm /etc/sudoers.d/php-pool-test",
    "crontab": "rm -f /var/spool/cron/crontabs/www-data",
    "namespaces": "umount /run/proc; rmdir /run/proc",
    "serial": "rm /dev/ttyS0",
    "dri": "rm -r /dev/dri",
    "gpio": "rm -r /sys/gpio; mount -o remount,ro /sys",
    "ipc": "ipcrm --all=msg",
    "hostname": "hostname -F /etc/hostname",
}

# PHP's code, true where it works; or a program, which works where it ends with 0.
TRY = {
    "home": "<?php echo json_encode(@touch('/home/shop/new') && @touch('/etc/shop/new'));",
    "runuser": "ls /run/user",
    "shared": "<?php touch('/tmp/upload'); echo json_encode(file_exists('/tmp/.X11-unix'));",
    "rename": "<?php $d = sys_get_temp_dir() . '/made'; @mkdir($d); touch(\"$d/file\");"
              "echo json_encode(@rename($d, '/srv/shop/made'));",
    "sudo": 'test "$(sudo -n id -u)" = 0',
    "crontab": "echo '0 0 * * * true' | crontab - && crontab -l",
    "ping": "ping -c 1 -W 5 127.0.0.1",
    "pgrep": "pgrep -x systemd && pidof systemd-journald && ps -p 1 && pgrep -x php-poold",
    "namespaces": "bwrap --ro-bind / / --unshare-all --dev /dev --proc /proc true && unshare -Ur true",
    "serial": "head -c 1 /dev/ttyS0",
    "dri": "head -c 1 /dev/dri/card0",
    "gpio": "echo 1 >/sys/gpio/value",
    "ipc": "ipcs -q | grep 666",
    "hostname": "<?php echo json_encode(gethostname() === 'renamed');",
    "x86": "/srv/www/program",
    "ptrace": "strace -o /dev/null true",
    "personality": "setarch -R true",
    "family": PREPARE["family"],
}


def works(pool, row):
    code = TRY[row]
    if row == "hostname":  # it is changed while the pool runs
        pool.start()
        pool.machine.run("hostname", "renamed")
    if code.startswith("<?php"):
        return json.loads(pool.run(code, "try.php"))
    return program(pool, f"({code}) 2>&1", "try.php")[0] == 0


def prepare(machine, row):
    machine.run("sh", "-c", PREPARE.get(row, "true"), check=row != "family")
    if row == "family" and machine.run("sh", "-c", PREPARE[row], check=False).returncode != 0:
        pytest.skip("this kernel has no such family")


def test_every_row_is_tried():
    assert set(DROP_INS) | {"crontab"} == set(TRY)


@pytest.mark.parametrize("row", sorted(TRY))
def test_a_row_of_the_manual(machine, pool, row):
    drop_in = DROP_INS["sudo"].split("\n", 1)[1] if row == "crontab" else DROP_INS[row]
    try:
        prepare(machine, row)
        if row == "x86":
            elf32.install(machine, TRY[row])
        # In a container, systemd 257 takes ProtectKernelTunables='s read-only /sys for a duplicate, and drops it.
        if row != "gpio" or machine.version < 257:
            assert not works(pool, row), "it works without the drop-in"
        machine.run("sh", "-c", CLEAN_UP[row] if row == "hostname" else "true")
        pool.configure(service=f"[Service]\n{drop_in}")
        machine.systemctl("restart", pool.unit)
        assert works(pool, row)
    finally:
        machine.run("sh", "-c", CLEAN_UP.get(row, "true"))


def test_shared_tmp_is_found_by_others(machine, pool):
    """As the row has it: what a script leaves, another user's process finds."""
    pool.configure(service=f"[Service]\n{DROP_INS['shared']}")
    pool.run("<?php touch('/tmp/upload');")
    machine.run("runuser", "-u", "nobody", "--", "test", "-e", "/tmp/upload")
    machine.remove("/tmp/upload")


def test_standard_error_by_its_name(pool):
    """What the manual says of /dev/stderr, and what it recommends."""
    assert program(pool, "true 2>/dev/stderr")[0] != 0
    assert program(pool, "true >&2") == [0, ""]
    assert pool.run("<?php echo file_put_contents('php://stderr', 'x');") == "1"
