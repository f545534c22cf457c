# SPDX-License-Identifier: MIT
"""The memory of a pool's processes is closed to its scripts, who run as the same user."""

import json

import pytest

from lib import php
from lib.messages import MESSAGE_ID
from lib.wait import wait_until

# Every process of this user, and what of it a script can open; and what its descriptors lead to.
LOOK = r"""<?php
$opened = [];
foreach (['self', 'thread-self', ...explode(',', $_GET['pids'])] as $process) {
    $other = !in_array($process, ['self', 'thread-self', (string) getmypid()]);
    foreach (['mem' => 'r+b', 'mem ' => 'rb', 'environ' => 'rb', 'auxv' => 'rb', 'io' => 'rb'] as $file => $mode)
        if ($f = @fopen("/proc/$process/" . trim($file), $mode))
            $opened[] = "$process/$file $mode";
    if ($other && @scandir("/proc/$process/fd"))
        $opened[] = "$process/fd";
    if ($other && @file_get_contents("/proc/$process/maps"))
        $opened[] = "$process/maps";
}
$descriptors = [];
foreach (scandir('/proc/self/fd') as $fd)
    if (str_ends_with((string) @readlink("/proc/self/fd/$fd"), '/mem'))
        $descriptors[] = $fd;
echo json_encode(['opened' => $opened, 'descriptors' => $descriptors]);
"""

# What a program does that a script runs, and what FFI does.
PROGRAM = r"""<?php
exec('cat /proc/' . (int) $_GET['pid'] . '/environ 2>&1', $out, $status);
echo json_encode([$status, implode($out)]);
"""
FFI = r"""<?php
$c = FFI::cdef('struct iovec { void *base; size_t size; }; int *__errno_location(void);
    ssize_t process_vm_readv(int pid, struct iovec *l, unsigned long n, struct iovec *r, unsigned long m,
                             unsigned long f);');
$buffer = $c->new('char[16]');
$here = $c->new('struct iovec'); $here->base = FFI::cast('void *', FFI::addr($buffer)); $here->size = 16;
$n = $c->process_vm_readv((int) $_GET['pid'], FFI::addr($here), 1, FFI::addr($here), 1, 0);
echo json_encode([$n, $c->__errno_location()[0], getmypid()]);
"""
STATIC = 'pm = { mode = "static"; max_children = 2; };\nphp = { admin_value = ["ffi.enable=1"]; };\n'
EPERM = 1


def one_generation(pool):
    """The template and two workers, when those before them are gone."""
    def both_and_the_template():
        children, workers = pool.children(), {process["pid"] for process in pool.status()["processes"]}
        return len(children) == 3 and len(workers) == 2 and workers < set(children) and [*children]

    return wait_until(both_and_the_template, what="a template and two workers")


@pytest.mark.parametrize("slowlog", ["0", "10s"])
def test_no_script_opens_it(pool, slowlog):
    pool.configure(STATIC + f'request = {{ slowlog_timeout = "{slowlog}"; }};')
    script, program, ffi = (pool.script(f"{name}.php", code) for name, code in
                            (("look", LOOK), ("program", PROGRAM), ("ffi", FFI)))
    pool.start()
    for _ in range(2):
        pool.get(script, query="pids=1")
        pids = [pool.manager, *one_generation(pool)]
        got = json.loads(pool.get(script, query=f"pids={','.join(map(str, pids))}"))
        assert (got["opened"], got["descriptors"]) == ([], [])
        for pid in pids:
            status, text = json.loads(pool.get(program, query=f"pid={pid}"))
            assert status == 1 and ("Permission denied" in text or "No such file" in text), text  # ProtectProc=
            read, error, own = json.loads(pool.get(ffi, query=f"pid={pid}"))
            assert (read, error) == (-1, EPERM) or pid == own  # a worker may read itself so
        pool.machine.systemctl("reload", pool.unit)


def test_the_slow_log_goes_on(pool):
    """After reloads and with workers that were replaced, too."""
    pool.configure('pm = { mode = "static"; max_children = 2; max_requests = 2; };\n'
                   'request = { slowlog_timeout = "200ms"; };')
    script = pool.script("slow.php", "<?php\nfunction wait() {\n    usleep(600000);\n}\nwait();\necho getmypid();")
    seen = set()
    for n in range(6):
        uri = f"/slow/{n}"
        pid = pool.get(script, extra={"REQUEST_URI": uri})
        record = pool.logged(lambda r: r.get("REQUEST_URI") == uri,
                             f"MESSAGE_ID={MESSAGE_ID['SLOW_REQUEST']}")
        assert "wait()" in record.get("PHP_BACKTRACE", ""), record
        assert record["PHP_WORKER_PID"] == pid
        seen.add(pid)
        if n == 3:
            pool.machine.systemctl("reload", pool.unit)
    assert len(seen) >= 3


def test_dumpable(pool):
    """process.dumpable opens it, for core dumps."""
    pool.configure(STATIC + "process = { dumpable = true; };")
    script = pool.script("look.php", LOOK)
    for file, dumpable in (("process = { dumpable = true; };", True), ("", False)) * 2:
        pool.configure(STATIC + file)
        pool.machine.systemctl("reload-or-restart", pool.unit)
        pids = one_generation(pool)
        got = json.loads(pool.get(script, query=f"pids={','.join(map(str, pids))}"))
        assert {name.split("/")[0] for name in got["opened"]} == \
            ({"self", "thread-self", *map(str, pids)} if dumpable else set()), got


def test_the_programs_cannot_be_read(pool):
    """So the kernel has them not dumpable from execve(2) on, before they can see to that themselves."""
    pool.start()
    for name in ("sbin/php-poold", f"libexec/php-pool/php-pool-worker-{php.VERSION}"):
        assert pool.machine.run("stat", "-c", "%a %U", f"/usr/{name}").stdout == "711 root\n"
