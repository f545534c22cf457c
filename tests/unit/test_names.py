# SPDX-License-Identifier: MIT
"""The socket units have the paths and the names that names.def lists, and refuse the pools that it does."""

import re


def read(source_dir):
    """{suffix: FileDescriptorName=}"""
    text = (source_dir / "daemon/ipc/names.def").read_text()
    sockets = re.findall(r'^POOL_SOCKET\(\w+, "([^"]+)", "([^"]+)"\)', text, re.M)
    return {suffix: name for name, suffix in sockets}


def test_units_have_the_paths(source_dir):
    sockets = read(source_dir)
    units = {}
    for path in (source_dir / "units").glob("php-pool*@.socket.in"):
        text = path.read_text()
        listen = re.search(r"^ListenStream=/run/php-pool/%i(\S+)$", text, re.M)[1]
        units[listen] = re.search(r"^FileDescriptorName=(\w+)$", text, re.M)[1]
    assert units and units.items() <= sockets.items()
    assert {"fastcgi", "status", "control"} <= set(units.values())


def test_the_socket_refuses_the_names(source_dir):
    sockets = read(source_dir)
    text = (source_dir / "units/php-pool@.socket.in").read_text()
    patterns = set(re.search(r"case \"\$1\" in (\S+)\)", text)[1].split("|"))
    assert patterns == {f"*{suffix.removesuffix('.sock') or '.sock'}" for suffix in sockets}
