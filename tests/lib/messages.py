# SPDX-License-Identifier: MIT
"""The message ids of daemon/base/messages.def, by name."""

import pathlib
import re

_TABLE = pathlib.Path(__file__).resolve().parents[2] / "daemon/base/messages.def"

MESSAGE_ID = dict(re.findall(r'^MESSAGE\((\w+), "([0-9a-f]{32})"\)', _TABLE.read_text(), re.MULTILINE))
