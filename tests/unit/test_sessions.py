# SPDX-License-Identifier: MIT
"""php-pool-sessions, which Debian's phpsessionclean.service waits for: nothing of a user's keeps it."""

import os
import subprocess
import sys
import time

import pytest

from lib.daemon import USER

# In namespaces of its own: pools are configured, and one's directory is a file system whose user does not answer.
SCRIPT = """
import ctypes, os, subprocess, sys
work, program, user = sys.argv[1:]
libc = ctypes.CDLL(None)
def mount(source, target, kind, flags, options):
    if libc.mount(source.encode(), target.encode(), kind.encode(), flags, options.encode()) < 0:
        sys.exit(77)
mount("tmpfs", work, "tmpfs", 0, "")
for name in ("upper", "work", "silent", "sessions"):
    os.mkdir(f"{work}/{name}")
mount("overlay", "/etc", "overlay", 0, f"lowerdir=/etc,upperdir={work}/upper,workdir={work}/work")
fd = os.open("/dev/fuse", os.O_RDWR)
mount("silent", f"{work}/silent", "fuse", 0, f"fd={fd},rootmode=40000,user_id=65534,group_id=65534,allow_other")
os.makedirs("/etc/php-pool/conf.d", exist_ok=True)
with open("/etc/systemd/system/php-pool@.service", "w") as f:
    f.write(f"[Service]\\nUser={user}\\n")
for pool, directory in (("a", "silent/sessions"), ("b", "silent"), ("c", "sessions")):
    with open(f"/etc/php-pool/conf.d/{pool}.conf", "w") as f:
        f.write('php = { value = [ "session.save_path=%s/%s", "session.gc_maxlifetime=60" ]; };' % (work, directory))
old = f"{work}/sessions/sess_old"
open(old, "w").close()
os.utime(old, (0, 0))
os.chown(old, __import__("pwd").getpwnam(user).pw_uid, -1)
result = subprocess.run([program])
print(result.returncode, os.path.exists(old))
"""


def test_a_file_system_that_does_not_answer(build_dir, tmp_path):
    """It is left out after five seconds, and said; the next pool's sessions are cleaned."""
    if os.geteuid() != 0:
        pytest.skip("php-pool-sessions is root's")
    begun = time.monotonic()
    result = subprocess.run(["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child",
                             sys.executable, "-c", SCRIPT, tmp_path, build_dir / "daemon/php-pool-sessions",
                             USER.pw_name], capture_output=True, text=True, timeout=90)
    if result.returncode in (1, 77) and not result.stdout:
        pytest.skip(f"no file system can be mounted here: {result.stderr}")
    assert result.stdout == "0 False\n", result
    assert result.stderr == "".join(
        f'The sessions of pool {pool} are left out, see "php-poolctl check {pool}": Connection timed out\n'
        for pool in "ab")
    assert time.monotonic() - begun < 60
