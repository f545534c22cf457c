# SPDX-License-Identifier: MIT
"""
What takes out of answers what is another each time: times, process ids, durations. A mask knows the form and
the unit of each value and fails for one that makes no sense; what it does not know stays, and is compared.
"""

import os
import re
import time

from lib.php import at_least

HOUR = 3600
DATE = r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000"

# ---- The status, in each of its formats and as fpm_get_status() has it ----

def is_recent(value):
    if re.fullmatch(DATE, value):
        value = time.mktime(time.strptime(value, "%d/%b/%Y:%H:%M:%S +0000")) - time.timezone
    return abs(float(value) - time.time()) < HOUR


VALUES = {
    "pid": lambda value: os.path.exists(f"/proc/{int(value)}"),
    "start time": is_recent,
    "start since": lambda value: 0 <= int(value) < HOUR,
    "request duration": lambda value: 0 <= int(value) < HOUR * 1000000,
    "max listen queue": lambda value: int(value) >= 0,
    "listen queue len": lambda value: int(value) >= 0,
    "last request cpu": lambda value: re.fullmatch(r"\d+\.\d\d|\d+|\d+\.\d+", value) is not None,
}
# A row of the table of workers has no names beside its values.
ROW = ("pid", "state", "start time", "start since", "requests", "request duration", "request method",
       "request uri", "content length", "user", "script", "last request cpu", "last request memory")
# What php-pool says beyond PHP-FPM, in each format: always behind that, which ends so.
LAST = "memory peak" if at_least(8, 4) else "slow requests"
LAST_KEY = LAST.replace(" ", "-")
ADDITIONS = (
    (rf"({LAST}: .*\n)(?:[a-z ]+: .+\n)+", r"\1"),
    (r"(last request memory: .*\n)(?:[a-z ]+: .+\n)+", r"\1"),
    (rf"(<th>{LAST}</th>.*\n)(?:<tr><th>.*\n)+", r"\1"),
    (r"(<th>last request memory</th>)(?:<th>[a-z ]+</th>)+", r"\1"),
    (r"(<tr>(?:<td>[^<]*</td>){13})(?:<td>[^<]*</td>)+", r"\1"),
    (rf"(<{LAST_KEY}>.*\n)(?:<(?!processes|/)[a-z-]+>.*\n)+", r"\1"),
    (r"(<last-request-memory>\d+</last-request-memory>)(?:<[a-z-]+>[^<]*</[a-z-]+>)+(?=</process>)", r"\1"),
    (rf'("{LAST}":\d+)(?:,"[a-z ]+":(?:"[^"]*"|\d+))+', r"\1"),
    (r'("last request memory":\d+)(?:,"[a-z ]+":\d+)+', r"\1"),
    (r"(?m)^(?:# (?:HELP|TYPE) )?phppool.*\n", ""),
)


def pattern_of(name):
    key, metric = name.replace(" ", "-"), name.replace(" ", "_")
    return (rf'((?:^{name}: +|<th>{name}</th><td>|<{key}>|"{name}":|\["{key}"\]=>\n +(?:int|float)\('
            rf'|^phpfpm_{metric}(?:gth)? ))([^<,\n)}}]+)')


def checked(name, value):
    assert VALUES[name](value), (name, value)
    return f"({name})"


def row(match):
    cells = re.findall(r"<td>([^<]*)</td>", match[0])
    known = [checked(name, cell) if name in VALUES else cell for name, cell in zip(ROW, cells)]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in known + cells[len(ROW):]) + "</tr>"


def times(answer):
    """The status without what is another each time."""
    text = answer.decode("latin-1")
    for name in VALUES:
        text = re.sub(pattern_of(name), lambda match: match[1] + checked(name, match[2]), text, flags=re.M)
    return re.sub(r"<tr>(?:<td>[^<]*</td>)+</tr>", row, text).encode("latin-1")


def heads(answer):
    """Without what a difference of its own is: see differences.py. The order of headers says nothing."""
    head, gap, body = re.sub(rb"X-Powered-By: .*\r\n", b"", answer).partition(b"\r\n\r\n")
    return b"\r\n".join(sorted(head.split(b"\r\n"))) + gap + body


def extended(answer):
    return times(heads(answer))


def status(answer):
    """The same, and without what php-pool adds."""
    text = extended(answer).decode("latin-1")
    for pattern, replacement in ADDITIONS:
        text = re.sub(pattern, replacement, text)
    # Before its fixes of 2026, PHP-FPM wrote the script into JSON as it is: "/", which may stand for "\\/" there.
    text = re.sub(r'(?<="script":")[^"]*', lambda match: match[0].replace("\\/", "/"), text)
    return re.sub("<title>PHP(-FPM| Pool) ", "<title>", text).encode("latin-1")


def samples(answer):
    """Of OpenMetrics the names and values, in their order; the rest is a difference of its own."""
    text = status(answer.replace(b'{pool="www"}', b"")).decode("latin-1")
    return re.sub(r"(?m)^(# TYPE \S+) .*", r"\1", re.sub(r"(?m)^# HELP.*\n", "", text)).encode("latin-1")


def queue(answer):
    """Of the status as JSON what it says of the queue."""
    return b" ".join(re.findall(rb'"(?:max )?listen queue(?: len)?":\d+', answer))


# ---- Lines of the access log ----

# Every code of which both have the same to say.
CODES = ("%r %% %{NUMBER}e %{NAME}e %{EMPTY}e %{NONE}e %f %l %m %n %{X-Foo}o %{X-None}o %q %Q %R %s %u "
         '%{%Y %%}t "%m %r%Q%q" %{REQUEST_URI}e')
# And those that say something else each time, with what it looks like. A script of SLOW works for 50 ms.
DURATIONS = {"%d": 1e6, "%{seconds}d": 1e6, "%{milli}d": 1e3, "%{mili}d": 1e3, "%{milliseconds}d": 1e3,
             "%{micro}d": 1, "%{microseconds}d": 1}
MEMORY = {"%M": 1, "%{bytes}M": 1, "%{kilo}M": 1024, "%{kilobytes}M": 1024, "%{mega}M": 1 << 20,
          "%{megabytes}M": 1 << 20}
CPU = ("%C", "%{total}C", "%{user}C", "%{system}C")
OTHERS = {"%p": r"\d+", "%P": r"\d+", "%t": DATE, "%T": DATE, "%{%H:%M}T": r"\d\d:\d\d", "%{%s}t": r"\d{10}"}
MEASURED = (*DURATIONS, *MEMORY, *CPU, *OTHERS)
ACCESS_FORMAT = CODES + "".join(f" [{code}]" for code in MEASURED)
DECIMALS = {1e6: r"\d+\.\d{3}", 1e3: r"\d+\.\d{3}", 1: r"\d+"}


def access(line):
    """A line of ACCESS_FORMAT without what is measured, when that makes sense; other lines without dates."""
    text = line.decode("latin-1")
    fixed, *rest = re.split(r" \[(?=\d+\.\d{3}\])", text, maxsplit=1)
    if not rest:
        return re.sub(DATE, lambda match: checked("start time", match[0]), text).encode("latin-1")
    value = dict(zip(MEASURED, rest[0].rstrip("]").split("] [")))
    assert len(value) == len(MEASURED), text
    for code, unit in DURATIONS.items():
        assert re.fullmatch(DECIMALS[unit], value[code]), (code, text)
        assert abs(float(value[code]) * unit - int(value["%{micro}d"])) <= unit / 1000, (code, text)
    for code, unit in MEMORY.items():
        assert int(value[code]) == int(value["%M"]) // unit, (code, text)
    for code in CPU:
        assert re.fullmatch(r"\d+\.\d\d", value[code]), (code, text)
    for code, form in OTHERS.items():
        assert re.fullmatch(form, value[code]), (code, text)
    assert is_recent(value["%t"]) and is_recent(value["%T"]) and is_recent(value["%{%s}t"]), text
    slow = "slow" if int(value["%{micro}d"]) >= 500000 else "quick"
    return f"{fixed} {slow} {value['%M']}".encode("latin-1")
