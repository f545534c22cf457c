# SPDX-License-Identifier: MIT
"""The glossary of docs/ARCHITECTURE.md: each word is where it says, and the list is in order."""

import re

import pytest


@pytest.fixture(scope="module")
def entries(source_dir):
    text = (source_dir / "docs/ARCHITECTURE.md").read_text().partition("\n## Glossary\n")[2]
    found = re.findall(r"^\| ([^|]+) \| ([^|]+) \| `([^`]+)`, `([^`]+)` \|$", text, re.MULTILINE)
    assert len(found) == len(re.findall(r"^\| ", text, re.MULTILINE)) - 1  # its heading
    return found


def test_words_are_where_they_are_said_to_be(source_dir, entries):
    def is_there(name, path):
        file = source_dir / "daemon" / path
        return file.exists() and re.search(rf"\b{name}", file.read_text())

    missing = [(word, name, path) for word, _, name, path in entries if not is_there(name, path)]
    assert missing == []


def test_words_are_in_order_and_defined_once(entries):
    words = [word for word, *_ in entries]
    assert words == sorted(set(words))
    assert all(meaning[0].isupper() or meaning[0] == "`" and meaning.endswith(".") for _, meaning, *_ in entries)


def test_paths_of_the_walks_are_there(source_dir):
    """Files below daemon/ that ARCHITECTURE and HACKING name."""
    for page, folders in (("ARCHITECTURE.md", ("daemon", ".")), ("HACKING.md", ("daemon", "."))):
        text = (source_dir / "docs" / page).read_text()
        for path in re.findall(r"`((?:daemon/)?(?:\w[\w-]*/)+[\w.-]+\.(?:c|h|def|py))`", text):
            if "NAME" not in path:
                assert any((source_dir / folder / path).exists() for folder in folders), (page, path)
