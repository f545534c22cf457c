# SPDX-License-Identifier: MIT
"""The verbs and options of php-poolctl, as verbs.def and options.def have them."""

import re


def table(source_dir, name, macro):
    text = (source_dir / f"daemon/ctl/{name}.def").read_text()
    return re.findall(rf"^{macro}\((.*?\"\))$", text, re.M | re.S)


def verbs(source_dir):
    """{name: [argument, …]}"""
    found = {}
    for line in table(source_dir, "verbs", "VERB"):
        name, arguments = re.match(r'(\w+), \d+, \d+, "([^"]*)"', line).groups()
        found[name] = arguments.split()
    return found


def options(source_dir):
    """[(letter, name, argument, its verbs)]"""
    found = []
    for line in table(source_dir, "options", "OPTION"):
        letter, name, argument, owners = re.match(
            r'\w+, \w+, (\S+), "([^"]+)", (?:NULL|"([^"]*)"),\s+([^"]*?),\s', line).groups()
        found.append((letter.strip("'"), name, argument or "", set(re.findall(r"FOR\((\w+)\)", owners))))
    return found
