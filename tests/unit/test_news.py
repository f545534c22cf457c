# SPDX-License-Identifier: MIT
"""The version of php-pool, which is said in three places."""

import re


def test_news_and_changelog_are_of_this_version(source_dir):
    version = re.search(r"version: '([^']+)'", (source_dir / "meson.build").read_text()).group(1)
    assert re.search(r"^## (\S+)$", (source_dir / "NEWS.md").read_text(), re.MULTILINE).group(1) == version
    changelog = (source_dir / "packaging/debian/changelog").read_text()
    assert re.match(r"php-pool \(([^-)]+)-\d+\) ", changelog).group(1) == version
