# SPDX-License-Identifier: MIT
"""
Fuzzers see: all that one links is instrumented, and a fault that is planted into the decoder is found.

How far a fuzzer comes is bound by runs, not by time: a busy machine takes longer, and finds the same.
"""

import pathlib
import re
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent
BUILD = HERE.parents[1] / "build-fuzz"  # of tests/fuzz/run
FUZZERS = sorted(p.stem.removeprefix("fuzz-") for p in HERE.glob("fuzz-*.c"))

# What is wanted of the fuzzer, and the bound: ten times what it takes.
SEED = HERE / "corpus/fastcgi/post-kept-connection"
RUNS = 600_000


def libraries(fuzzer):
    """The libraries of ours that a fuzzer links."""
    query = ["ninja", "-C", BUILD, "-t", "query", f"tests/fuzz-{fuzzer}"]
    said = subprocess.run(query, check=True, text=True, capture_output=True).stdout
    return sorted(set(re.findall(r"\S+\.a$", said.split("outputs:")[0], re.MULTILINE)))


def search(program, tmp_path, runs):
    """Has a fuzzer look for a fault from one request on: what it says at its end, and its exit status."""
    new, seeds = tmp_path / "new", tmp_path / "seeds"
    for directory in new, seeds:
        directory.mkdir()
    (seeds / "request").write_bytes(SEED.read_bytes())
    command = [BUILD / "tests" / program, "-seed=1", f"-runs={runs}", "-max_len=96",
               f"-dict={HERE}/dict/fastcgi", f"-artifact_prefix={tmp_path}/", new, seeds]
    ended = subprocess.run(command, text=True, errors="replace", capture_output=True, check=False)
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("fuzzer", FUZZERS)
def test_all_that_it_links_is_instrumented(fuzzer):
    found = libraries(fuzzer)
    assert found
    for library in found:
        symbols = subprocess.run(["nm", BUILD / library], check=True, text=True, capture_output=True).stdout
        for wanted in "sancov", "__asan_", "__ubsan_":
            assert wanted in symbols, f"{library} is built without {wanted}"


def test_planted_fault_is_found(tmp_path):
    status, said = search("fuzz-planted", tmp_path, RUNS)
    assert status == 77 and "the planted fault" in said, said[-2000:]


def test_planted_fault_is_not_found_blindly(tmp_path):
    """So it is no fault that is found without being looked for."""
    status, said = search("fuzz-blind", tmp_path, RUNS // 10)
    assert status == 0 and f"Done {RUNS // 10} runs" in said, said[-2000:]


@pytest.mark.parametrize("fuzzer", FUZZERS)
def test_it_has_a_corpus(fuzzer):
    assert any((HERE / "corpus" / fuzzer).iterdir())
