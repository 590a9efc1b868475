# SPDX-License-Identifier: MIT
"""Each test guest of tests/guest holds what it claims, its neighbour goes on, and the audit is clean afterwards.

A guest prints `PASS name` or `FAIL name: what`, and `DONE` (tests/guest/lib/guest.h); one that prints `EXPECT end: why`
is to be ended by Candor.
"""

import re

import pytest
from machine import ROOT

BUDGET_S = 120
SIDE_BY_SIDE = True

NEIGHBOUR = "image=build/frank-pv.elf,initrd=build/initrd.img,name=neighbour"
# Hostile guests and their neighbour have tests of their own (test_hostile.py), and so have floods (test_neighbours.py) and
# several vCPUs (test_vcpus.py).
ELSEWHERE = "hostile_|neighbour|flood|fair_share|vcpus"
GUESTS = sorted(path.stem for path in (ROOT / "tests/guest").glob("*.c") if not re.match(ELSEWHERE, path.stem))
# What a guest needs beside its image.
OPTIONS = {"cost": ",counters=raw"}
LONGEST_S = 60


@pytest.mark.parametrize("traps", ["direct", "bounced"])
@pytest.mark.parametrize("name", GUESTS)
def test_a_guest_holds_what_it_claims(name, traps, candor):
    guest = f"image=build/tests/guest/{name}.elf,name=guest,traps={traps}" + OPTIONS.get(name, "")
    machine = candor(NEIGHBOUR, guest)
    machine.expect(r"candor: guest: (shut down|ended)[^\r\n]*", LONGEST_S)
    transcript = machine.transcript
    if "EXPECT end" in transcript:
        assert "candor: guest: ended" in transcript
    else:
        assert "DONE" in transcript and "candor: guest: shut down" in transcript
    failures = [line for line in transcript.splitlines() if "FAIL " in line]
    assert not failures, failures
    if "$ " not in transcript:
        machine.prompt()
    machine.type_line("echo undisturbed")
    machine.expect(r"\n[^\r\n]*undisturbed\r*\n")
    machine.send("\x14m")
    machine.expect("candor> ")
    machine.type_line("audit")
    machine.expect("(?i)audit[^\r\n]*clean")


def test_no_guest_finds_control_registers_of_another(candor):
    machine = candor(*(f"image=build/tests/guest/carried.elf,name=carried-{which}" for which in "ab"))
    status = machine.wait_exit()
    failures = [line for line in machine.transcript.splitlines() if "FAIL " in line]
    assert not failures, failures[:3]
    assert status == 0 and machine.transcript.count("PASS control registers") == 2


def test_what_stands_behind_the_map_of_a_machines_memory_is_no_frame_of_its(candor):
    """Candor keeps the next machine there, which starts with a number that is not zero."""
    machine = candor("image=build/tests/guest/fast_paths.elf,name=guest", "image=build/tests/guest/hello.elf,name=next")
    status = machine.wait_exit()
    failures = [line for line in machine.transcript.splitlines() if "FAIL " in line]
    assert not failures, failures[:3]
    assert status == 0 and "PASS the frame behind the last" in machine.transcript
