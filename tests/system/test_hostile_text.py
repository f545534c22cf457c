# SPDX-License-Identifier: MIT
"""
Whatever a pool, a script, a client or a file has written: what php-poolctl makes of it does nothing to a terminal,
and passes for nothing that it says itself. For each verb; a verb without a case here fails.
"""

import json
import os
import pty
import re
import select
import subprocess
import time

import pytest

from lib import dbus
from lib.machine import ENVIRONMENT
from lib.wait import wait_until

# Colours, the bell, a line that is overwritten, lines of its own, C1's CSI, text that runs backwards.
HOSTILE = "a\x1b[31mb\x1b]0;title\x07c\rd\x7fe\x9b31mf\u202eg\u2066h\u2028i\tj\nFORGED: all is well\x1b[2J"
BYTES = HOSTILE.encode() + b"\xff\xc0\x8a\xed\xa0\x80"  # and what is no UTF-8
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")

PEER = "/run/php-pool/evil.control.sock"
STATUS = dbus.says({"pool": HOSTILE, "state": HOSTILE, HOSTILE: HOSTILE, "requests": 7},
                   [{"pid": 1, "state": HOSTILE, "request-uri": HOSTILE, "script": HOSTILE, HOSTILE: 3}])


@pytest.fixture
def peer(machine):
    """Makes a pool `evil` of which something else answers."""
    machine.write("/etc/php-pool/conf.d/evil.conf", "")
    yield lambda behave: dbus.Peer(machine.path(PEER), behave)
    machine.remove("/etc/php-pool/conf.d/evil.conf")


def assert_safe(data, marks=("\\x1B[31m",)):
    """Bytes of a terminal's output, or of a pipe's."""
    text = data.replace(b"\r\n", b"\n").decode()  # a terminal makes CR LF of a line's end
    assert not UNSAFE.search(text), text
    assert not any(line.startswith("FORGED") for line in text.splitlines()), text
    for mark in marks:
        assert mark in text, text
    return text


def run(machine, *command, check=None, timeout=60):
    """Both outputs, as bytes."""
    result = subprocess.run(machine.command("php-poolctl", *command), env=ENVIRONMENT, capture_output=True,
                            timeout=timeout, stdin=subprocess.DEVNULL)
    assert check is None or result.returncode == check, result
    return result.stdout, result.stderr


def on_terminal(machine, *command, until=None):
    """What it writes to a terminal, until it ends or has written that."""
    reader, writer = pty.openpty()
    with subprocess.Popen(machine.command("php-poolctl", *command), env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                          stdout=writer, stderr=writer) as process:
        os.close(writer)
        data, deadline = b"", time.monotonic() + 30
        try:
            while (time.monotonic() < deadline and (until is None or until not in data)
                   and select.select([reader], [], [], 30)[0]):
                data += os.read(reader, 65536)
        except OSError:  # the other side is closed
            pass
        finally:
            process.terminate()
            os.close(reader)
    return data


# ---- A case for each verb ----

def case_status(machine, peer):
    with peer(STATUS):
        out, err = run(machine, "status", "evil", check=0)
        assert_safe(out)
        assert err == b""
        out, err = run(machine, "status", "--json", "evil", check=0)
        assert_safe(out, marks=())
        assert err == b"" and json.loads(out)[HOSTILE] == json.loads(out)["processes"][0]["script"] == HOSTILE
    with peer(dbus.fails_with(HOSTILE)):
        assert_safe(run(machine, "status", "evil", check=1)[1])


def case_list(machine, peer):
    with peer(STATUS):
        out, err = run(machine, "list", check=0)
        assert_safe(out)
        assert err == b""
        out, _ = run(machine, "list", "--json", check=0)
        assert_safe(out, marks=())
        assert next(pool for pool in json.loads(out) if pool["pool"] == "evil")["state"] == HOSTILE
    with peer(dbus.fails_with(HOSTILE)):
        out, err = run(machine, "list", check=0)
        assert_safe(out, marks=("evil",))
        assert_safe(err, marks=())


def case_top(machine, peer):
    clear = b"\x1b[H\x1b[J"  # its own
    for arguments in ((), ("evil",)):
        with peer(STATUS):
            data = on_terminal(machine, "top", *arguments, until=b"[31m")
            assert data.startswith(clear)
            assert_safe(data.replace(clear, b""))
        with peer(dbus.fails_with(HOSTILE)):
            data = on_terminal(machine, "top", *arguments, until=b"with an error")
            assert_safe(data.replace(clear, b""), marks=("evil",))


def case_reload(machine, peer):
    for name in ("org.phppool.Error.ReloadFailed", "org.freedesktop.DBus.Error.Failed"):
        with peer(dbus.fails_with(HOSTILE, name)):
            _, err = run(machine, "reload", "evil", check=1)
            lines = assert_safe(err).splitlines()
            assert len(lines) == 2 and all(line.startswith("Failed to reload pool evil: ") for line in lines), lines
            _, err = run(machine, "reload", "--all", check=1)
            lines = assert_safe(err).splitlines()
            assert lines[-1] == "1 of 1 pools did not reload: evil" and len(lines) == 3, lines
    with peer(dbus.fails_with("line\n" * 5000)):
        _, err = run(machine, "reload", "evil", check=1)
        assert err.count(b"\n") < 100 and b"there is more of it" in err


def case_stop(machine, peer):
    with peer(dbus.fails_with(HOSTILE)):
        _, err = run(machine, "stop", "evil", check=1)
        lines = assert_safe(err).splitlines()
        assert len(lines) == 2 and all(line.startswith("Failed to stop pool evil: ") for line in lines), lines


def case_check(machine, peer):
    contents = [b'pm = { mode = "%s"; };', b"%s", b"# %s\nunknown = 1;\nx %s", b'php = { value = ["%s"]; };',
                b'access = { format = "%s"; };', b'@include "%s"', b'status = { path = "%s"; };',
                b'security = { allowed_clients = ["%s"]; };']
    for content in contents:
        for hostile in (BYTES, BYTES.replace(b"\n", b""), HOSTILE.replace("\n", "").encode()):
            path = machine.directory / "hostile.conf"
            path.write_bytes(content.replace(b"%s", hostile))
            copy(machine, path, "/srv/hostile.conf")
            out, err = run(machine, "check", "/srv/hostile.conf")
            assert_safe(out + err, marks=("/srv/hostile.conf",))
            assert all(line.startswith("/srv/hostile.conf") for line in (out + err).decode().splitlines()), err
    for name in (HOSTILE, "/srv/" + HOSTILE.replace("/", "")):
        assert_safe(b"".join(run(machine, "check", name)))
    machine.run("sh", "-c", 'cp /srv/hostile.conf "/etc/php-pool/conf.d/$1.conf"', "sh", HOSTILE)
    assert_safe(b"".join(run(machine, "check", check=1)))
    assert_safe(b"".join(run(machine, "list", check=0)))
    machine.run("rm", f"/etc/php-pool/conf.d/{HOSTILE}.conf", "/srv/hostile.conf")


def copy(machine, source, target):
    with open(source, "rb") as file:
        subprocess.run(machine.command("sh", "-c", 'cat >"$1"', "sh", target), env=ENVIRONMENT, stdin=file, check=True)


def case_request(machine, peer):
    """The body and the headers are data for a pipe, and text for a terminal. What is logged is text."""
    literal = "'" + HOSTILE.replace("\n", "") + "'"
    with machine.pool("www") as pool:
        page = pool.script("page.php", f"<?php header('X-Evil: ' . strtr({literal}, chr(13), '_'));"
                           f"error_log({literal} . \"\\nFORGED\\xFF\");"
                           f"echo {literal}, \"\\r\\n\", \"€\\xFF\\t.\";")
        body = HOSTILE.replace("\n", "").encode() + b"\r\n" + "€".encode() + b"\xff\t."
        out, err = run(machine, "request", "www", page, check=0)
        assert out == body, "as it comes"
        assert b"\x1b" not in err and b"\\x1B[31m" in err and b"\xff" not in err
        out, _ = run(machine, "request", "-i", "www", page, check=0)
        assert out.endswith(body) and b"X-Evil: a\x1b" in out
        shown = on_terminal(machine, "request", "-i", "www", page)
        text = shown.replace(b"\r\n", b"\n").decode()
        assert not UNSAFE.search(text), text
        assert "X-Evil: a\\x1B[31m" in text and "€\\xFF\t.\n" in text and "\\x0D\n" not in text
        assert_safe(b"".join(run(machine, "request", "--socket=/run/" + HOSTILE, "www", page, check=1)))


def case_import(machine, peer):
    path = machine.directory / "hostile-fpm.conf"
    path.write_bytes(b"[www]\nuser = www-data\nlisten = /run/x.sock\npm = static\npm.max_children = 1\n"
                     b"apparmor_hat = %s\nnonsense = %s\n" % ((BYTES.replace(b"\n", b""),) * 2))
    for lines in (7, 6):
        path.write_bytes(b"\n".join(path.read_bytes().split(b"\n")[:lines]) + b"\n")
        copy(machine, path, "/srv/hostile-fpm.conf")
        _, err = run(machine, "import", "--dry-run", "/srv/hostile-fpm.conf")
        assert_safe(err, marks=("/srv/hostile-fpm.conf",))
    machine.remove("/srv/hostile-fpm.conf")


CASES = {name.removeprefix("case_"): function for name, function in list(globals().items())
         if name.startswith("case_")}


def test_every_verb_has_a_case(source_dir):
    verbs = re.findall(r"^VERB\((\w+),", (source_dir / "daemon/ctl/verbs.def").read_text(), re.M)
    assert set(verbs) == CASES.keys()


@pytest.mark.parametrize("verb", CASES)
def test_hostile_text(machine, peer, verb):
    CASES[verb](machine, peer)


def test_under_systemd_it_is_as_safe(machine, peer):
    """ExecReload= of all pools: the journal, too, has nothing that a terminal acts on."""
    begun = machine.journal_end()
    with peer(dbus.fails_with(HOSTILE)):
        machine.systemctl("start", "php-pool.service")
        assert machine.systemctl("reload", "php-pool.service", check=False).returncode != 0
        machine.systemctl("stop", "php-pool.service")
    records = wait_until(lambda: [r for r in machine.journal("-u", "php-pool.service", since=begun)
                                  if "evil" in r["MESSAGE"]], what="records")
    assert all(isinstance(r["MESSAGE"], str) and not UNSAFE.search(r["MESSAGE"]) for r in records), records


def test_only_one_place_writes(source_dir):
    """No verb writes past the functions that escape."""
    free = {"print.c", "table.c", "main.c"}  # main.c: --help, of texts of our own
    free |= {"verb-request.c"}  # the body, to what is no terminal
    free |= {"clean-main.c"}  # another program
    pattern = re.compile(r"\b(printf|puts|putchar|perror|psignal)\s*\(|"
                         r"\b(v?fprintf|fputs|fputc|putc|fwrite)\s*\(.*\bstd(out|err)\b")
    wrong = [f"{path.name}: {line.strip()}" for path in sorted((source_dir / "daemon/ctl").glob("*.c"))
             if path.name not in free and not path.name.startswith(("import", "fpm-"))
             for line in path.read_text().splitlines() if pattern.search(line)]
    assert wrong == []
