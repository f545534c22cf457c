# SPDX-License-Identifier: MIT
"""
What is measured, how often, and the table that comes of it. A figure is measured in short rounds that alternate
between the two servers, and its ratio is the median of the rounds' ratios: a machine that is busy for a while is
so for both.
"""

import statistics
import sys

ABSENT = "–"


def say(text):
    """Progress; what is on standard output is the result."""
    print(text, file=sys.stderr, flush=True)


def rounds(servers, measure, n):
    """n times measure(server) of each, in turn: two lists, one a server, of what it returned."""
    results = {server: [] for server in servers}
    for i in range(n):
        for server in servers if i % 2 == 0 else reversed(servers):
            results[server].append(measure(server))
    return [results[server] for server in servers]


class Table:
    """A part's results in Markdown; each row is printed when it is known. `fpm` is PHP-FPM's name."""

    def __init__(self, title, fpm):
        self.lines = []
        self._line(f"\n### {title}\n\n| | ratio | {fpm} | php-pool |\n|---|---:|---:|---:|")

    def _line(self, text):
        self.lines.append(text)
        print(text, flush=True)

    def row(self, what, fpm, pool, form="{:,.0f}"):
        """Figures, lists of figures (one a round), texts, or None where there is none."""
        cells = [form.format(median(x)) if is_figure(x) else x or ABSENT for x in (fpm, pool)]
        self._line(f"| {what} | {ratio(fpm, pool)} | {cells[0]} | {cells[1]} |")

    def figures(self, fpm, pool, rows):
        """Rows of what rounds() returned: `rows` are (what, key, form)."""
        for what, key, form in rows:
            self.row(what, *([result[key] for result in results] for results in (fpm, pool)), form)

    def note(self, text):
        self._line(f"\n{text}")

    def __str__(self):
        return "\n".join(self.lines) + "\n"


def is_figure(x):
    return isinstance(x, (int, float)) or isinstance(x, list) and x != [] and None not in x


def median(x):
    return statistics.median(x) if isinstance(x, list) else x


def ratio(fpm, pool):
    if not (is_figure(fpm) and is_figure(pool)) or median(fpm) == 0:
        return ""
    if isinstance(fpm, list) and 0 not in fpm:
        return f"{statistics.median(p / f for f, p in zip(fpm, pool)):.2f}"
    return f"{median(pool) / median(fpm):.2f}"
