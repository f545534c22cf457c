# SPDX-License-Identifier: MIT
"""What the manual prints, for tests that try it as it is printed. Its source is scdoc(5)'s."""

import pathlib
import re

MAN = pathlib.Path(__file__).resolve().parent.parent.parent / "man"
FENCE = r"^(\t*)```\n(.*?)^\1```$"


def section(page, *titles):
    """The source below a heading, or below one inside of another."""
    text = (MAN / f"{page}.scd").read_text()
    for mark, title in zip(("#", "##"), titles):
        text = text.split(f"\n\n{mark} {title}\n", 1)[1].split(f"\n\n{mark} ")[0]
    return text


def blocks(text):
    """The literal blocks of a piece of source, in their order, as they are printed."""
    return [re.sub(r"\\(.)", r"\1", re.sub(f"^{indent}", "", block, flags=re.M))
            for indent, block in re.findall(FENCE, text, re.S | re.M)]


def examples(page, *titles):
    """The examples below a heading, in their order, as they are printed."""
    return blocks(section(page, *titles))


def drop_ins(page, *titles):
    """{key: text} of the entries below a heading that have a drop-in: the key is in a comment, ROW."""
    rows = re.split(r"^; ROW: (\w+)\n", section(page, *titles), flags=re.M)[1:]
    found = {key: blocks(text) for key, text in zip(rows[::2], rows[1::2])}
    return {key: texts[0] for key, texts in found.items() if texts}
