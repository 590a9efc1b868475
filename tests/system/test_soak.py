# SPDX-License-Identifier: MIT
"""What `make soak` records and runs: each part's record by itself, and races that are there."""

import subprocess
import sys

import pytest
from machine import ROOT

sys.path.insert(0, str(ROOT / "tests/soak"))

import record  # noqa: E402

BUDGET_S = 20


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "PAGE", tmp_path / "soak.md")
    return record.PAGE


def test_a_part_that_is_not_run_keeps_its_record(page):
    record.write("fuzz", [("commit", "`one`"), ("calls", "5")])
    before = record.read()
    assert "It has not been recorded yet." in before["races"] and "| commit | `one` |" in before["fuzz"]
    record.write("races", [("commit", "`two`")])
    record.write("races", [("commit", "`three`")])
    after = record.read()
    assert after["fuzz"] == before["fuzz"] and after["attacks"] == before["attacks"]
    assert "`three`" in after["races"] and "`two`" not in after["races"]
    assert page.read_text().count("\n## ") == len(record.PARTS)


def test_the_page_of_the_tree_is_in_that_form(page):
    text = (ROOT / "docs/soak.md").read_text(encoding="utf-8")
    page.write_text(text)
    assert list(record.read()) == list(record.PARTS)
    assert text.startswith(record.HEAD)


def test_every_line_of_the_races_selects_tests():
    done = subprocess.run([ROOT / "tests/soak/run", "--list"], capture_output=True, text=True, timeout=60, check=True)
    *suites, last = done.stdout.splitlines()
    assert len(suites) > 5 and last.endswith(" tests in a round")
    for line in suites:
        assert int(line.split()[1]) > 0, line


@pytest.mark.parametrize("words", [("dance",), ("--times", "0"), ("--calls", "-1"), ("--jobs", "x", "races")])
def test_what_is_no_soak_is_refused_before_anything_runs(words):
    done = subprocess.run([ROOT / "tests/soak/run", *words], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2 and done.stderr.splitlines()[-1].startswith("run: error: ")
