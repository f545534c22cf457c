# SPDX-License-Identifier: MIT
"""How long functions of C sources are, in the project's style: a body begins and ends with a brace of its own line."""


def is_head(line):
    return line != "" and line[0] not in "}#/" and not line.endswith("*/")


def functions(path):
    """(name, lines) of each function of a file, from the first line of its head to the brace that ends it."""
    lines, head = path.read_text().splitlines(), None
    for number, line in enumerate(lines):
        if line.startswith("{"):
            head = number
            while head > 0 and is_head(lines[head - 1]):
                head -= 1
            name = " ".join(lines[head:number]).partition("(")[0].split()[-1].lstrip("*")
        elif line.startswith("}") and head is not None:
            yield name, number - head + 1
            head = None


def part(numbers, percent):
    """The smallest of these numbers that so many percent of them do not exceed."""
    numbers = sorted(numbers)
    return numbers[max(0, -(-len(numbers) * percent // 100) - 1)]
