# SPDX-License-Identifier: MIT
"""A figure of the status that nothing fills in does not compile, nor does a counter that no figure shows."""

import json
import pathlib
import re
import shlex
import subprocess

import pytest

POOL = 'POOL_STATUS(OWN, untold, "untold", COUNT, NULL, NULL, NULL, NULL)'
WORKER = 'WORKER_STATUS(OWN, untold, "untold", COUNT, NULL, NULL)'
COUNTER = "COUNTER(seen, EVENT, SUM, {status})"


@pytest.fixture
def compiled(build_dir, source_dir, tmp_path):
    """compiled({list: (a line before which, what) …}): what the compiler says of report.c with these lines as well."""
    commands = json.loads((build_dir / "compile_commands.json").read_text())
    command = next(c for c in commands if c["file"].endswith("manager/face/report.c"))

    def run(added):
        for name, (before, line) in added.items():
            text, n = re.subn(rf"^(?={re.escape(before)})", f"{line}\n", (source_dir / "daemon" / name).read_text(),
                              count=1,
                              flags=re.MULTILINE)
            assert n == 1
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        arguments = [a for a in shlex.split(command["command"]) if a != "ccache"]
        arguments[1:1] = [f"-I{tmp_path}", "-fsyntax-only", "-fdiagnostics-color=never", "-Werror=unused-variable"]
        done = subprocess.run(arguments, cwd=pathlib.Path(command["directory"]), stderr=subprocess.PIPE, text=True,
                              env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin"})
        assert (done.returncode == 0) == ("error:" not in done.stderr), done.stderr
        return done.stderr

    return run


def test_a_figure_that_nothing_fills_in(compiled):
    assert "untold" in compiled({"status/status.def": ("POOL_STATUS(OWN, state", POOL)})


def test_a_figure_of_a_worker_that_nothing_fills_in(compiled):
    assert "untold" in compiled({"status/status.def": ("WORKER_STATUS(OWN, generation", WORKER)})


def test_a_counter_that_no_figure_shows(compiled):
    assert "untold" in compiled({"scoreboard/counters.def": ("COUNTER(requests", COUNTER.format(status="untold"))})


def test_a_counter_and_its_figure_are_a_line_each(compiled):
    assert compiled({
        "status/status.def": ("POOL_STATUS(OWN, state", POOL),
        "scoreboard/counters.def": ("COUNTER(requests", COUNTER.format(status="untold")),
    }) == ""
