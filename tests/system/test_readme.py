# SPDX-License-Identifier: MIT
"""What README.md, the tour and the monitor's page show is what happens: their sessions are played on a real machine, tables are measured again."""

import re
import shlex
import shutil
import subprocess

import pytest
import session
from machine import ROOT

BUDGET_S = 120

README = (ROOT / "README.md").read_text()
ROW = re.compile(r" *\d+ +(\w+) +\w+ .* (\d+)% +\d+ +\d+")
RATIO_TOLERANCE = 0.1
CURE = "; cure: tools/record-readme, and read what it changes"


def looks(lines):
    """[{VM: share}] of each table that the session's lines show."""
    found = []
    for line in lines:
        if " share " in line:
            found.append({})
        elif match := ROW.fullmatch(line):
            found[-1][match[1]] = int(match[2])
    return found


def shares_move(lines):
    """The last looks of a session: VM 2 alone has the hart, then both have half."""
    _, _, alone, _, both = looks(lines)
    return alone["vm1"] <= 1 and alone["vm2"] >= 99 and all(40 <= share <= 60 for share in both.values())


def test_the_session_is_what_a_real_machine_shows(start):
    written, _ = session.find_block(README, "make run")
    machine = start(*session.launcher_words("make run"))
    shown = session.play(machine, written)
    assert shares_move(written), "README.md's session does not show what it is there for"
    assert shares_move(shown)


def table_of(lines):
    """{row: [figures and ratios]} and the columns' names of a comparison's table."""
    rows = [re.split(r"  +", line.strip()) for line in lines[: lines.index("")]]
    return rows[0], {row[0]: [float(cell.replace(",", "")) for cell in row[1:]] for row in rows[1:]}


def test_the_table_is_what_is_measured(tmp_path):
    written, _ = session.find_block(README, "make compare QUICK=1")
    shown = subprocess.run(
        [ROOT / "bench/compare", "--quick", "--output", tmp_path], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    heads, old = table_of(written)
    new_heads, new = table_of(shown)
    assert new_heads == heads and list(new) == list(old), "rows or columns differ" + CURE
    ratios = sum("/" in head for head in heads)
    for row, figures in old.items():
        for was, now in zip(figures[-ratios:], new[row][-ratios:]):
            assert abs(was - now) <= RATIO_TOLERANCE, f"{row}: README.md has {was}, measured {now}" + CURE
    assert [session.shape(line) for line in written[-1:]] == [session.shape(line) for line in shown[-1:]]


SESSIONS = [
    pytest.param(command, lines, id=f"{document}-{place}-{shlex.split(command)[0].split('/')[-1]}")
    for document in ("tour", "monitor", "shadow")
    for place, (command, lines, _) in enumerate(session.blocks((ROOT / f"docs/{document}.md").read_text()), 1)
]


@pytest.mark.parametrize("command, lines", SESSIONS)
def test_the_documents_show_what_happens(command, lines, start):
    if command.startswith(("bench/", "tools/trace-view")):
        shown = subprocess.run(shlex.split(command), cwd=ROOT, capture_output=True, text=True, check=True).stdout
        shown = session.by_speaker(shown.splitlines())
        assert session.says_all(session.by_speaker(lines), shown), shown
    else:
        shown = session.play(start(*session.launcher_words(command)), lines, excerpt=True)
        if lines[0].startswith("candor: Candor, "):  # it is whole
            assert session.by_speaker(shown) == session.by_speaker(lines), session.difference(lines, shown)


def test_commands_that_it_names_do_something():
    targets = set(re.findall(r"^(?:\$ )?make ([a-z][a-z-]*)", README, re.MULTILINE)) | set(re.findall(r"`make ([a-z][a-z-]*)", README))
    assert {"run", "test", "compare", "native"} <= targets
    for target in targets:
        subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, check=True)
    for tool in set(re.findall(r"\b((?:tools|tests|bench)/[a-z-]+) ", README)):
        assert shutil.which(ROOT / tool), f"{tool} cannot be run"


def test_the_words_for_both_machines_reach_them():
    words = session.launcher_words("make run ARGS='idle=spin run=/bin/spin,5'")
    options = [word for word in words if word.startswith("image=")]
    assert len(options) == 2
    assert all(option.endswith(",args=root=vda idle=spin run=/bin/spin,,5") for option in options)
