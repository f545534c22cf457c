#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Writes the C source of build_identity() (ipc/inherit.h): a hash of all that manager and worker have in common, which
are the layers below them. What differs only above does not matter to the other side.

    identity.py OUTPUT DEPFILE SOURCE_DIR MACHINE LAYER…
"""

import hashlib
import pathlib
import sys

output, depfile, root, machine, *layers = sys.argv[1:]
root = pathlib.Path(root)
files = sorted(file for layer in layers for file in (root / layer).iterdir() if file.suffix in (".c", ".h", ".def"))

identity = hashlib.sha256(machine.encode())
for file in files:
    text = file.read_bytes()
    identity.update(f"\n{file.relative_to(root)} {len(text)}\n".encode() + text)

pathlib.Path(output).write_text(f'''#include "ipc/inherit.h"

const char *build_identity(void)
{{
        return "{identity.hexdigest()}";
}}
''')
pathlib.Path(depfile).write_text(f"{output}: {' '.join(map(str, files))}\n")
