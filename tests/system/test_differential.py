# SPDX-License-Identifier: MIT
"""Random programs of S-mode and U-mode end in the same state on the bare machine and in a virtual machine that knows nothing."""

import sys

import pytest
from machine import ROOT

sys.path.insert(0, str(ROOT / "tests/differential"))

from differential import BARE, MACHINES, run_all, run_machine, states  # noqa: E402

BUDGET_S = 40
SIDE_BY_SIDE = True
PROGRAMS = 300
# What a run of so many programs has exercised at least once, besides each of the guest's features.
TRAPS = {"exception": {"s": (1, 2, 3, 4, 5, 6, 7, 12, 13, 15), "u": (1, 2, 3, 5, 7, 8, 12, 13, 15)}, "interrupt": {"s": (1, 5), "u": (1, 5)}}


@pytest.fixture(scope="module")
def results():
    return run_all(0, PROGRAMS, MACHINES, PROGRAMS)


@pytest.mark.parametrize("depriv", MACHINES)
def test_random_programs_end_as_on_the_bare_machine(results, depriv):
    total, differ, failed = results
    assert [line for line in failed if line.startswith((BARE, depriv))] == []
    assert not differ[depriv], f"tests/differential/run --depriv {depriv} --only {differ[depriv][0]} shows the first"
    assert total["programs"] == PROGRAMS


def test_the_programs_exercise_what_they_are_for(results):
    found = results[0]
    assert [name for name, count in found.items() if not count] == []
    missing = [
        name
        for kind, modes in TRAPS.items()
        for mode, causes in modes.items()
        for name in (f"{kind}-{cause}-from-{mode}" for cause in causes)
        if not found[name]
    ]
    assert missing == []


def test_a_program_follows_from_its_number():
    alone, among = (states(run_machine(BARE, first, count, 1)) for first, count in ((7, 1), (5, 4)))
    assert alone[7] == among[7]
