# SPDX-License-Identifier: MIT
"""How often a process makes which system call."""

import contextlib
import re
import signal
import subprocess
import tempfile
from pathlib import Path

from lib.wait import wait_until


@contextlib.contextmanager
def traced(pid):
    """Yields a dictionary that has, after the block, how often each system call was made in it."""
    calls = {}
    with tempfile.NamedTemporaryFile(mode="r") as out:
        tracer = subprocess.Popen(["strace", "-qq", "-c", "-U", "name,calls", "-o", out.name, "-p", str(pid)],
                                  stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: _is_traced(pid, tracer), what="strace")
            yield calls
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait()
        calls.update((m[1], int(m[2])) for m in re.finditer(r"^\s*(\w+)\s+(\d+)\s*$", out.read(), re.M))
    calls.pop("total", None)


def _is_traced(pid, tracer):
    assert tracer.poll() is None, "strace did not start"
    return int(re.search(r"TracerPid:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) != 0
