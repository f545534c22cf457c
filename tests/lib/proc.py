# SPDX-License-Identifier: MIT
"""What /proc says of a process."""

import pathlib
import re


def switches(pid):
    """How often a process has gone to sleep: so often it is woken."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", status, re.M)[1])
