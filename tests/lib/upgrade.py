# SPDX-License-Identifier: MIT
"""Programs of another build of php-pool, put in place one by one while pools run, as dpkg does it."""

import re

from lib import php

POOLD = "/usr/sbin/php-poold"

# Links the old file aside, renames the new one over it, and drops the old one: at no time is there none.
REPLACE = """
import os, sys
path, *builds = sys.argv[1:]
with open(path, "rb") as f:
    data = f.read()
old, new = (builds if builds[0].encode() in data else builds[::-1])
with open(path + ".dpkg-new", "wb") as f:
    f.write(data.replace(old.encode(), new.encode()))
os.chmod(path + ".dpkg-new", os.stat(path).st_mode)
os.link(path, path + ".dpkg-tmp")
os.rename(path + ".dpkg-new", path)
os.unlink(path + ".dpkg-tmp")
"""


class Programs:
    """Those that are installed in a machine: of this build, or of another that differs in its identity alone."""

    def __init__(self, machine):
        self.machine = machine
        source = (machine.build_dir / "daemon/build-identity.c").read_text()
        self.identity = re.search(r'"([0-9a-f]{64})"', source)[1]
        self.worker = f"/usr/libexec/php-pool/php-pool-worker-{php.VERSION}"

    def replace(self, program):
        """An upgrade or, the next time, a downgrade of one of the two."""
        self.machine.run("python3", "-c", REPLACE, program, self.identity, self.identity[::-1])

    def restore(self):
        for program in (POOLD, self.worker):
            if self.identity.encode() not in self.machine.path(program).read_bytes():
                self.replace(program)
