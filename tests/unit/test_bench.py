# SPDX-License-Identifier: MIT
"""tests/bench/run is for people, and takes long: here it only has to start, and to find its places in the document."""

import re
import subprocess
import sys
import xml.etree.ElementTree


def test_parts_have_their_place_in_the_document(source_dir):
    usage = subprocess.run([source_dir / "tests/bench/run", "--help"], check=True, capture_output=True, text=True)
    parts = re.findall(r"^  (\w+) ", usage.stdout.partition("\nparts:\n")[2], re.M)
    assert "request" in parts

    document = (source_dir / "docs/PERFORMANCE.md").read_text()
    for part in ["machine", *parts]:
        assert re.search(rf"<!-- bench:{part} -->\n.*?<!-- /bench:{part} -->", document, re.S), part


def test_plot_is_an_image(source_dir, monkeypatch):
    monkeypatch.syspath_prepend(source_dir / "tests/bench")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    from plot import plot

    svg = plot("Latency <of> a request", "requests a second", "µs",
               {("php-pool", "p50"): [(100, 20), (9000, 70)], ("PHP-FPM", "p99"): [(100, 0), (9000, 21000)]})
    image = xml.etree.ElementTree.fromstring(svg)
    lines = image.findall("{*}polyline")
    assert len(lines) == 2 and len(lines[0].get("points").split()) == 2
    assert len(svg) < 20_000
