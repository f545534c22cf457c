# SPDX-License-Identifier: MIT
"""
What web servers send, captured from the servers themselves: servers/NAME.json, a list of {"name", "params",
"body"} with the document root SITE, which is a directory of the tree here.
"""

import json
import pathlib

from compat.case import Case as C

SITE = "/srv/site"
HERE = pathlib.Path(__file__).resolve().parent / "servers"
PAGE = """<?php
require $_SERVER['TREE'] . '/dump.php';
unset($_SERVER['TREE']);
dump();
var_dump($_GET, $_POST, $_COOKIE, getallheaders(), __FILE__);
"""
FILES = {name: PAGE for name in ("index.php", "dir/form.php", "with space.php")}


def case(server, request):
    params = {name: value.replace(SITE, "@") for name, value in request["params"].items()}
    return C(f"server-{server}-{request['name']}", None, whole={**params, "TREE": "@ROOT"},
             body=request["body"].encode("latin-1"), files=FILES)


CASES = [case(path.stem, request)
         for path in sorted(HERE.glob("*.json")) for request in json.loads(path.read_text())]
