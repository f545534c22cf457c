# SPDX-License-Identifier: MIT
"""What the manual prints, for tests that try it as it is printed."""

import pathlib
import re

MAN = pathlib.Path(__file__).resolve().parent.parent.parent / "man"
ESCAPES = {r"\-": "-", r"\(aq": "'", r"\(ti": "~", r"\(rs": "\\", r"\&": ""}


def plain(text):
    """A piece of a manual as it is printed, fonts apart."""
    for escape, character in ESCAPES.items():
        text = text.replace(escape, character)
    return text


def section(page, *titles):
    """The source below a heading (.SH), or below one inside of another (.SS)."""
    text = (MAN / page).read_text()
    for macro, title in zip((".SH", ".SS"), titles):
        text = text.split(f"\n{macro} {title}\n", 1)[1].split(f"\n{macro} ")[0]
    return text


def examples(page, *titles):
    """The examples below a heading, in their order, as they are printed."""
    parts = section(page, *titles).split(".EX\n")[1:]
    return [plain(part.split(".EE")[0]) for part in parts]


def drop_ins(page, *titles):
    """{key: text} of the table below a heading whose rows have a drop-in: the key is in a comment, ROW."""
    rows = re.findall(r'^\.\\" ROW: (\w+)\nT\{\n.*?\nT\}\tT\{\n(.*?)\nT\}$', section(page, *titles), re.S | re.M)
    return {key: plain(text[len(".nf\n"):-len(".fi")]) for key, text in rows if text.startswith(".nf\n")}
