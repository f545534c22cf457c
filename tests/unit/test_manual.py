# SPDX-License-Identifier: MIT
"""The manual's pages, as they are built: whether man(1) and mandoc(1) read them without a word."""

import os
import subprocess

import pytest

PAGES = ("php-pool.7", "php-pool.conf.5", "php-pool-sendmail.8", "php-poolctl.1", "php-poold.8")
# scdoc writes .PP where a paragraph begins by itself, and from 1.11.4 on a date that mandoc shows as it is.
HARMLESS = ("skipping paragraph macro: PP ", "cannot parse date, using it verbatim: ")


@pytest.fixture(params=PAGES)
def page(request, build_dir):
    return build_dir / "man" / request.param


def test_every_page_is_tried(source_dir):
    assert {path.name.partition(".scd")[0] for path in (source_dir / "man").glob("*.scd*")} == set(PAGES)


@pytest.mark.parametrize("width", ["80", "200"])
def test_page_is_formatted_without_a_warning(page, width):
    """What lintian(1) does, and on a wider terminal."""
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": width}
    result = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page], env=environment,
                            capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    assert len(result.stdout) > 1000


def test_page_has_no_fault(page):
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True).stdout
    assert [line for line in lint.splitlines() if not any(text in line for text in HARMLESS)] == []


def test_page_is_complete(page):
    """Nothing of the source is left in it: no mark of scdoc's, no place for what a program puts there."""
    text = subprocess.run(["man", "-E", "UTF-8", "-l", page], capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "MANPAGER": "cat"}).stdout
    for mark in ("@SETTINGS@", "@ACCESS_CODES@", "```", "++"):
        assert mark not in text
    assert "SEE ALSO" in text
