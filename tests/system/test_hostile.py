# SPDX-License-Identifier: MIT
"""Hostile guests: what each tries is refused with the error that the ABI names, or ends that VM alone with one line. An
innocent neighbour keeps computing and checking its sums, and the audit is clean afterwards."""

import re

import pytest
from machine import ROOT

BUDGET_S = 150

PREFIX = "\x14"  # Ctrl-T, the key before Candor's keys
NEIGHBOUR = "image=build/tests/guest/neighbour.elf,name=neighbour"
# Those that never end by themselves, or need more than a look at their verdicts, have tests of their own.
SPECIAL = {"hostile_hog", "hostile_flood", "hostile_fp", "hostile_dead_entry"}
HOSTILE = sorted(path.stem for path in (ROOT / "tests/guest").glob("hostile_*.c") if path.stem not in SPECIAL)


def start(candor, name, traps="direct", args="", smp=None):
    vm = f"image=build/tests/guest/{name}.elf,name=hostile,traps={traps},args={args}"
    return candor(NEIGHBOUR, vm, options=("--smp", str(smp)) if smp else ())


def end_of_hostile(machine):
    """Waits until the hostile VM is gone; returns the line that says how."""
    return machine.expect(r"candor: hostile: (shut down|ended|not started)[^\r\n]*\r", 40)[0]


def check_the_rest(machine):
    """The neighbour still computes, its sums are right, no invariant is broken; ends the machine."""
    machine.expect(r"\| beat \d+")
    machine.expect(r"\| beat \d+")
    machine.send(PREFIX + "m")
    machine.expect("candor> ")
    machine.type_line("audit")
    assert machine.expect("audit: (clean|BROKEN)[^\r\n]*\r")[1] == "clean", machine.transcript[-500:]
    machine.type_line("quit")
    assert machine.wait_exit() == 0
    failures = [line for line in machine.transcript.splitlines() if "FAIL " in line or "PANIC" in line]
    assert not failures, failures


def verdict_holds(machine):
    how = end_of_hostile(machine)
    if "EXPECT end" in machine.transcript:
        assert "ended: " in how and "pc 0x" in how, how
    else:
        assert "DONE" in machine.transcript and "shut down" in how, how


@pytest.mark.parametrize("traps", ["direct", "bounced"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_guest_is_refused_or_ended_alone(name, traps, candor):
    machine = start(candor, name, traps)
    verdict_holds(machine)
    check_the_rest(machine)


@pytest.mark.parametrize("traps", ["direct", "bounced"])
@pytest.mark.parametrize("how", ["register", "stvec"])
def test_a_dead_trap_entry_ends_its_guest_alone(how, traps, candor):
    machine = start(candor, "hostile_dead_entry", traps, how)
    verdict_holds(machine)
    check_the_rest(machine)


def test_no_guest_finds_floating_point_registers_of_another(candor):
    machine = candor(
        NEIGHBOUR,
        "image=build/tests/guest/hostile_fp.elf,name=hostile",
        "image=build/tests/guest/hostile_fp.elf,name=second",
    )
    verdict_holds(machine)
    if "candor: second: shut down" not in machine.transcript:
        machine.expect("candor: second: shut down")
    check_the_rest(machine)


def test_a_guest_that_never_gives_way_gets_its_share_and_no_more(candor):
    machine = start(candor, "hostile_hog", smp=1)
    machine.expect("hogging")
    machine.send(PREFIX + "v")
    machine.expect(r"neighbour +\w+ [^\r\n]*%")
    for _ in range(10):
        machine.expect(r"\| beat \d+")
    machine.send(PREFIX + "v")
    share = int(machine.expect(r"neighbour +\w+ +[\d.]+ +[\d.]+ +[\d.]+ +(\d+)%")[1])
    assert 40 <= share <= 60
    check_the_rest(machine)


def test_a_flood_of_forged_output_reaches_nobody(candor):
    machine = start(candor, "hostile_flood", smp=1)
    machine.expect(r"\| beat \d+")
    machine.expect(r"\| beat \d+")
    end_of_hostile(machine)
    name = r"(?:\x1b\[[0-9;]*m)?(hostile|neighbour)(?:\x1b\[0m)?\| "
    for line in re.split(r"\r\n|\r|\n", machine.transcript):
        speaker = re.match(name, line)
        text = line[speaker.end():] if speaker else line  # fmt: skip
        assert speaker or not line or re.match(r"(bundle:|candor: (?!forged))", line), repr(line)
        assert not re.search(r"[\x00-\x07\x0b-\x1f\x7f-\x9f]", text), repr(line)
    check_the_rest(machine)
