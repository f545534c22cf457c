# SPDX-License-Identifier: MIT
"""
mail() in the sandbox, by php-pool-sendmail: what sendmail gets and gives back, who may hold up whom, and what
is said where nothing can deliver. The sendmail is a script here; test_mail_servers.py has real ones.
"""

import contextlib
import json
import socket
import struct

import pytest

from lib.messages import MESSAGE_ID
from lib.wait import wait_until

CLIENT = "/usr/libexec/php-pool/php-pool-sendmail"
SOCKET = "/run/php-pool-sendmail/socket"
UNIT = "php-pool-sendmail.service"
SENDMAIL = "/usr/sbin/sendmail"

# Says all that it sees of itself, as JSON in a file of its user's.
TELLS = """#!/usr/bin/python3
import json, os, sys
status = open("/proc/self/status").read()
seen = {"argv": sys.argv, "stdin": sys.stdin.read(), "cwd": os.getcwd(), "environ": dict(os.environ),
        "ids": [os.getresuid(), os.getresgid(), os.getgroups()],
        "fds": sorted(os.listdir("/proc/self/fd"))[:4],
        "status": {line.split(":")[0]: line.split(":")[1].strip() for line in status.splitlines()}}
with open(f"/tmp/mail/{os.getuid()}", "w") as f:
    json.dump(seen, f)
print("to standard output")
print("to standard error", file=sys.stderr)
sys.exit(%d)
"""

# CAP_NET_BIND_SERVICE, which keeps the processes of a sandbox out of sendmail's.
SHIELD = 1 << 10

# Waits until a gate is open: for the lock on a file.
HANGS = """#!/bin/sh
echo $$ >>/tmp/mail/begun.$(id -u)
exec flock /tmp/mail/gate true
"""

MAIL = "<?php var_dump(mail('alice@localhost', 'Hi', \"Body\", '%s', '%s'));"


@pytest.fixture
def sendmail(machine):
    """Has a script be the sendmail: sendmail(text)."""
    machine.run("mkdir", "-m", "1777", "/tmp/mail")
    machine.write("/tmp/mail/gate", "", 0o666)
    machine.systemctl("start", "php-pool-sendmail.socket")
    yield lambda text: machine.write(SENDMAIL, text, 0o755)
    machine.systemctl("stop", UNIT)
    machine.systemctl("reset-failed", UNIT, check=False)
    machine.remove(SENDMAIL, "/tmp/mail")


@contextlib.contextmanager
def closed_gate(machine):
    """sendmail that HANGS does until the end of the block."""
    hold = machine.start("flock", "/tmp/mail/gate", "sleep", "infinity")
    wait_until(lambda: machine.run("flock", "-n", "/tmp/mail/gate", "true", check=False).returncode)
    try:
        yield
    finally:
        machine.run("pkill", "-f", "^sleep infinity$")
        hold.communicate()


def seen(machine, user="www-data"):
    uid = machine.run("id", "-u", user).stdout.strip()
    return json.loads(machine.read(f"/tmp/mail/{uid}"))


def run_as(machine, user, *args, check=False, input=""):
    return machine.run("runuser", "-u", user, "--", CLIENT, *args, check=check, input=input)


def processes(machine, unit=UNIT):
    """The processes of a service's control group, without its main one."""
    text = machine.run("sh", "-c", f"cat /sys/fs/cgroup/system.slice/{unit}/cgroup.procs "
                       f"/sys/fs/cgroup/unified/system.slice/{unit}/cgroup.procs 2>/dev/null", check=False)
    return set(text.stdout.split()) - {machine.show(unit, "MainPID")}


def children(machine):
    """The processes that the server has for messages."""
    return machine.run("pgrep", "-P", machine.show(UNIT, "MainPID"), check=False).stdout.split()


def test_sendmail_runs_as_the_pool_does_without_its_sandbox(machine, sendmail):
    """With what it was given, nothing more: user, groups, arguments, input; no environment of the pool's."""
    sendmail(TELLS % 0)
    machine.run("useradd", "--system", "--user-group", "shop")
    service = "[Service]\nUser=shop\nGroup=shop\nSupplementaryGroups=adm\nEnvironment=SECRET=1\n"
    try:
        with machine.pool("shop", service=service) as pool:
            assert pool.run(MAIL % ("X-Test: 1", "-fbob@example.com -oi")) == "bool(true)\n"
            it = seen(machine, "shop")
            ids = [int(machine.run("id", flag, "shop").stdout) for flag in ("-u", "-g")]
            assert it["argv"][1:] == ["-t", "-i", "-fbob@example.com", "-oi"]
            assert it["stdin"].split() == "To: alice@localhost Subject: Hi X-Test: 1 Body".split()
            adm = int(machine.run("getent", "group", "adm").stdout.split(":")[2])
            assert it["ids"] == [[ids[0]] * 3, [ids[1]] * 3, sorted({adm, ids[1]})]
            assert (it["cwd"], it["fds"]) == ("/", ["0", "1", "2", "3"])
            assert it["environ"].keys() <= {"PATH", "HOME", "USER", "LOGNAME", "LC_CTYPE"}
            assert (it["environ"]["USER"], it["environ"]["HOME"]) == ("shop", "/nonexistent")
            assert it["status"]["NoNewPrivs"] == "0"
            assert {int(it["status"][cap], 16) for cap in ("CapPrm", "CapEff")} == {SHIELD}
            assert int(it["status"]["SigBlk"], 16) == 0
    finally:
        machine.run("userdel", "shop")


@pytest.mark.parametrize("status, sent", [(0, True), (75, False), (1, False), (64, False)])
def test_its_exit_status_is_mails_answer(pool, machine, sendmail, status, sent):
    """As in PHP-FPM, which takes EX_TEMPFAIL (75), a message that is queued, for a failure, too."""
    sendmail(TELLS % status)
    assert pool.run(MAIL % ("", "")) == f"bool({str(sent).lower()})\n"


# What a script could get by the memory, the environment and the descriptors of a process.
GET_IN = """<?php
$out = [];
foreach (['mem' => 'r+b', 'environ' => 'r', 'maps' => 'r', 'auxv' => 'r', 'fd/0' => 'r'] as $name => $mode)
    $out[] = (bool) @fopen("/proc/$_GET[pid]/$name", $mode);
echo json_encode($out);
"""


@pytest.mark.parametrize("proc", ["invisible", "default"])
def test_scripts_do_not_get_into_sendmail(machine, sendmail, proc):
    """It is a process of their own user, outside of the sandbox: they would be outside, too."""
    sendmail(HANGS)
    with machine.pool("www", service=f"[Service]\nProtectProc={proc}\n") as pool, closed_gate(machine):
        script = pool.script("get-in.php", GET_IN)
        client = machine.start("runuser", "-u", "www-data", "--", CLIENT, "-t")
        begun = wait_until(lambda: machine.run("sh", "-c", "cat /tmp/mail/begun.33", check=False).stdout)
        assert json.loads(pool.get(script, query=f"pid={begun.strip()}")) == [False] * 5
    client.communicate(timeout=30)


def test_its_output_is_the_callers(machine, sendmail):
    sendmail(TELLS % 3)
    result = run_as(machine, "www-data", "-t", input="hello")
    assert result.returncode == 3
    assert (result.stdout, result.stderr) == ("to standard output\n", "to standard error\n")


def test_a_large_message_that_it_does_not_read(pool, machine, sendmail):
    """PHP is not left writing to a pipe that nobody reads."""
    sendmail("#!/bin/sh\nexit 1\n")
    assert pool.run("<?php var_dump(mail('a@b', 's', str_repeat('x', 1 << 20)));") == "bool(false)\n"


# ---- Which command ----

SHOW = "<?php echo ini_get('sendmail_path');"

# The table is in test-worker-mail-command.c.
COMMANDS = {
    "/usr/sbin/sendmail -t -i": f"{CLIENT} -t -i",
    "/usr/lib/sendmail -t -fwww@example.com": f"{CLIENT} -t -fwww@example.com",
    "sendmail -t": f"{CLIENT} -t",
    "/usr/bin/env -i /usr/sbin/sendmail -t -i": f"/usr/bin/env -i {CLIENT} -t -i",
    "/usr/bin/msmtp -t": "/usr/bin/msmtp -t",
    "/bin/false": "/bin/false",
}


@pytest.mark.parametrize("key", ["admin_value", "value"])
@pytest.mark.parametrize("value", ["/usr/lib/sendmail -t -fwww@example.com", "/usr/bin/msmtp -t"])
def test_sendmail_path_of_the_pool(machine, key, value):
    """Applications that read it see the same."""
    with machine.pool("www", f'php = {{ {key} = [ "sendmail_path={value}" ]; }};') as pool:
        assert pool.run(SHOW) == COMMANDS[value]


def test_sendmail_path_of_a_request(pool):
    script = pool.script("show.php", SHOW)
    default = f"{CLIENT} -t -i"
    assert pool.get(script) == default
    for value, wanted in COMMANDS.items():
        assert pool.get(script, extra={"PHP_ADMIN_VALUE": f"sendmail_path={value}"}) == wanted
        assert pool.get(script) == default


def test_sections_of_php_ini(machine):
    machine.write("/srv/ini/php.ini", 'sendmail_path = "/usr/lib/sendmail -t -F ini"\n'
                  '[PATH=/srv/www/site]\nsendmail_path = "/usr/sbin/sendmail -t -F site"\n')
    with machine.pool("www", 'php = { ini = "/srv/ini/php.ini"; };') as pool:
        assert pool.run(SHOW, "site/page.php") == f"{CLIENT} -t -F site"
        assert pool.run(SHOW) == f"{CLIENT} -t -F ini"
    machine.remove("/srv/ini")


NEW_PRIVILEGES = """[Service]
NoNewPrivileges=no
LockPersonality=no
PrivateDevices=no
ProtectClock=no
ProtectHostname=no
ProtectKernelLogs=no
ProtectKernelModules=no
ProtectKernelTunables=no
RestrictAddressFamilies=
RestrictNamespaces=no
RestrictRealtime=no
RestrictSUIDSGID=no
SystemCallArchitectures=
SystemCallFilter=
"""


@pytest.mark.parametrize("more, wanted", [
    ("CapabilityBoundingSet=~\n", "/usr/sbin/sendmail -t -i"),
    ("", f"{CLIENT} -t -i"),  # Exim's becomes root, and would have no capabilities
])
def test_without_that_part_of_the_sandbox(machine, more, wanted):
    """Where programs of mail servers work as they are, nothing is changed."""
    with machine.pool("www", service=NEW_PRIVILEGES + more) as pool:
        assert pool.run(SHOW) == wanted
        assert "NoNewPrivs:\t0" in pool.run("<?php echo `cat /proc/self/status`;")


# ---- Where nothing can deliver ----

def failed(pool):
    return pool.logged(lambda r: True, f"MESSAGE_ID={MESSAGE_ID['MAIL_FAILED']}")


def test_no_sendmail(pool, machine):
    assert pool.run(MAIL % ("", "")) == "bool(false)\n"
    record = failed(pool)
    assert "there is no /usr/sbin/sendmail" in record["MESSAGE"] and record["PHP_POOL"] == "www"
    assert record["PRIORITY"] == "3"
    explained = machine.run("journalctl", "-x", f"MESSAGE_ID={record['MESSAGE_ID']}").stdout
    assert "install a mail server" in explained and "sendmail_path" in explained


@pytest.mark.parametrize("how", ["stopped", "masked"])
def test_no_socket(pool, machine, how):
    pool.start()
    machine.systemctl("stop", "php-pool-sendmail.socket", UNIT)
    if how == "masked":
        machine.systemctl("mask", "--runtime", "php-pool-sendmail.socket")
        machine.systemctl("restart", pool.unit)
    assert pool.run(MAIL % ("", "")) == "bool(false)\n"
    record = failed(pool)
    assert "php-pool-sendmail.socket is not there" in record["MESSAGE"] and record["PHP_POOL"] == "www"
    assert record["_SYSTEMD_UNIT"] == pool.unit
    machine.systemctl("unmask", "--runtime", "php-pool-sendmail.socket")


def test_a_server_that_does_not_answer(pool, machine, sendmail):
    """It was stopped: mail() goes on without it in seconds, and what it gave up on is not sent later."""
    sendmail(HANGS)
    machine.systemctl("start", UNIT)
    machine.systemctl("kill", "--signal=STOP", UNIT)
    assert pool.run(MAIL % ("", "")) == "bool(false)\n"
    assert "does not answer" in failed(pool)["MESSAGE"]
    machine.systemctl("kill", "--signal=CONT", UNIT)
    sendmail(TELLS % 0)
    assert run_as(machine, "www-data", "-t").returncode == 0
    assert machine.run("sh", "-c", "ls /tmp/mail/begun.*", check=False).stdout == ""


def test_a_server_that_dies(machine, sendmail):
    sendmail(HANGS)
    with closed_gate(machine):
        client = machine.start("runuser", "-u", "www-data", "--", CLIENT, "-t")
        wait_until(lambda: machine.run("sh", "-c", "ls /tmp/mail/begun.*", check=False).stdout)
        machine.systemctl("kill", "--signal=KILL", UNIT)
        _, err = client.communicate(timeout=10)
        assert client.returncode == 69 and "does not answer" in err
        wait_until(lambda: processes(machine) == set())


def test_it_comes_back_after_any_number_of_failures(machine, sendmail):
    """Nothing that a pool does leaves the socket failed."""
    sendmail(TELLS % 0)
    for _ in range(8):
        assert run_as(machine, "www-data", "-t").returncode == 0
        machine.systemctl("kill", "--signal=KILL", UNIT)
        wait_until(lambda: machine.show(UNIT, "ActiveState") == "active"
                   or machine.show(UNIT, "SubState") in ("auto-restart", "dead"))
    assert wait_until(lambda: run_as(machine, "www-data", "-t").returncode == 0)


def test_root_has_no_use_for_it(machine, sendmail):
    sendmail(TELLS % 0)
    result = machine.run(CLIENT, "-t", check=False)
    assert result.returncode == 69 and "root" in result.stderr


def test_a_sendmail_that_is_the_client(pool, machine, sendmail):
    """No message goes in circles."""
    machine.run("ln", "-sf", CLIENT, SENDMAIL)
    assert pool.run(MAIL % ("", "")) == "bool(false)\n"
    assert "php-pool-sendmail itself" in failed(pool)["MESSAGE"]


# ---- What a pool may not ----

@pytest.mark.parametrize("arguments", [
    ["-be", "${run{/bin/id}}"], ["-C/tmp/x"], ["-C", "/tmp/x"], ["-X/srv/www/shell.php"], ["-Dx=y"],
    ["-OQueueDirectory=/tmp"], ["-oQ/tmp"], ["--passwordeval=id"], ["--file=/tmp/x"], ["-f", "-be"], ["-bp"],
    ["-v"], ["-"], ["--", "-be"], ["-t", "a\nb"]])
def test_other_arguments_are_refused(machine, sendmail, arguments):
    sendmail(TELLS % 0)
    before = machine.journal_end()
    result = run_as(machine, "www-data", *arguments)
    assert result.returncode == 64, result
    assert result.stderr.startswith("php-pool-sendmail: sendmail's argument")
    assert result.stdout == ""
    assert machine.run("ls", "/tmp/mail").stdout == "gate\n"
    refused = f"MESSAGE_ID={MESSAGE_ID['MAIL_REFUSED']}"
    records = wait_until(lambda: machine.journal("-u", UNIT, refused, since=before))
    assert len(records) == 1 and records[0]["_UID"] == "0"


def test_a_refused_argument_of_mail_stands_in_the_pools_log(pool, machine, sendmail):
    sendmail(TELLS % 0)
    assert pool.run(MAIL % ("", "-OQueueDirectory=/tmp -X/srv/www/shell.php")) == "bool(false)\n"
    record = pool.logged(lambda r: True, f"MESSAGE_ID={MESSAGE_ID['MAIL_REFUSED']}")
    assert '"-OQueueDirectory=/tmp"' in record["MESSAGE"] and record["PHP_POOL"] == "www"


def connect(machine):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.settimeout(10)
    connection.connect(str(machine.path(SOCKET)))
    return connection


JUNK = [b"", b"\0", b"x" * 60000, struct.pack("II", 0x314D5050, 1), struct.pack("II", 0x314D5050, 1) + b"-t",
        struct.pack("II", 0x314D5050, 0xFFFFFFFF) + b"-t\0", struct.pack("II", 0x314D5050, 1) + b"-t\0-i\0"]


def junk_sender(machine, data):
    """Sends it as www-data, with three descriptors."""
    code = ("import socket, sys\n"
            f"s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.connect('{SOCKET}')\n"
            "s.settimeout(10)\n"
            f"socket.send_fds(s, [bytes.fromhex('{data.hex()}') or b'\\0'], [0, 1, 2])\n"
            "try:\n"
            "    while s.recv(4096): pass\n"
            "except ConnectionResetError: pass\n")
    return machine.run("runuser", "-u", "www-data", "--", "python3", "-c", code)


def test_junk(machine, sendmail):
    sendmail(TELLS % 0)
    for data in JUNK:
        junk_sender(machine, data)
    assert machine.run("ls", "/tmp/mail").stdout == "gate\n"
    assert run_as(machine, "www-data", "-t").returncode == 0


SILENT = f"""import socket
sockets = []
for i in range(400):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect({SOCKET!r})
    sockets.append(s)
print("connected", flush=True)
input()
"""


def test_one_user_does_not_keep_others_from_sending(machine, sendmail):
    """Neither by connections that say nothing, nor by messages that never end."""
    sendmail(HANGS)
    machine.run("useradd", "--system", "hostile")
    hostile = None
    try:
        with closed_gate(machine):
            hanging = [machine.start("runuser", "-u", "hostile", "--", CLIENT, "-t") for _ in range(20)]
            begun = wait_until(lambda: machine.run("sh", "-c", "cat /tmp/mail/begun.*", check=False).stdout)
            assert begun
            wait_until(lambda: len(machine.run("sh", "-c", "cat /tmp/mail/begun.*").stdout.split()) == 16)
            hostile = machine.start("runuser", "-u", "hostile", "--", "python3", "-c", SILENT)
            assert hostile.stdout.readline() == "connected\n"
            sendmail(TELLS % 0)
            assert run_as(machine, "www-data", "-t").returncode == 0
            sendmail(HANGS)
        assert [client.communicate(timeout=30) and client.returncode for client in hanging] == [0] * 20
    finally:
        if hostile:
            hostile.kill()
            hostile.communicate()
        machine.run("pkill", "-u", "hostile", check=False)
        wait_until(lambda: machine.run("userdel", "hostile", check=False).returncode == 0)


# ---- No process is left behind ----

def test_the_server_ends_sendmail_with_its_client(machine, sendmail):
    """As a caller that goes away, here by a signal, takes a program with it that it runs."""
    sendmail(HANGS)
    with closed_gate(machine):
        client = machine.start("runuser", "-u", "www-data", "--", CLIENT, "-t")
        wait_until(lambda: machine.run("sh", "-c", "ls /tmp/mail/begun.*", check=False).stdout)
        machine.run("pkill", "-KILL", "-f", f"^{CLIENT}")
        client.communicate()
        wait_until(lambda: processes(machine) == set())


BACKGROUND = """#!/bin/sh
setsid sh -c 'exec flock /tmp/mail/gate touch /tmp/mail/delivered' </dev/null >/dev/null 2>&1 &
echo sent
"""


def test_what_sendmail_leaves_in_the_background_finishes(machine, sendmail):
    """mail() does not wait for it, and the service does."""
    sendmail(BACKGROUND)
    with closed_gate(machine):
        assert run_as(machine, "www-data", "-t").stdout == "sent\n"
        assert processes(machine) != set()
    wait_until(lambda: processes(machine) == set())
    assert machine.run("ls", "/tmp/mail/delivered").stdout
    assert machine.show(UNIT, "ActiveState") == "active"


def test_deliveries_that_pile_up_are_ended(machine, sendmail):
    """64 of a user may go on in the background; the oldest gives way, and mail() never does."""
    sendmail(BACKGROUND)
    with closed_gate(machine):
        code = f"for i in $(seq 70); do echo | {CLIENT} -t || exit 1; done"
        machine.run("runuser", "-u", "www-data", "--", "sh", "-c", code)
        in_background = wait_until(lambda: 0 < len(own := children(machine)) <= 64 and own)
    assert len(in_background) == 64
    wait_until(lambda: processes(machine) == set())


def test_a_restart_has_messages_sent_and_ends_background_deliveries(machine, sendmail):
    sendmail(BACKGROUND)
    with closed_gate(machine):
        assert run_as(machine, "www-data", "-t").stdout == "sent\n"
        sendmail(HANGS)
        client = machine.start("runuser", "-u", "www-data", "--", CLIENT, "-t")
        wait_until(lambda: machine.run("sh", "-c", "ls /tmp/mail/begun.*", check=False).stdout)
        restart = machine.start("systemctl", "restart", UNIT)
        wait_until(lambda: machine.show(UNIT, "ActiveState") == "deactivating")
    client.communicate(timeout=30)
    assert client.returncode == 0
    restart.communicate(timeout=30)
    assert restart.returncode == 0 and processes(machine) == set()
    assert machine.run("ls", "/tmp/mail/delivered", check=False).stdout == ""


def test_exposure(machine):
    """As far as the sendmail of Postfix and Exim allow."""
    out = machine.run("systemd-analyze", "security", UNIT).stdout
    assert float(out.split("Overall exposure level for")[1].split(":")[1].split()[0]) <= 4.0
