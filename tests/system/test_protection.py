# SPDX-License-Identifier: MIT
"""What every hart's own registers say while machines run, read from outside: which memory is closed to guests and to Candor
itself, what the guests' mode may not do, and which interrupts are theirs."""

import socket
import subprocess

import pytest
from gdb_stub import Stub
from machine import LOGS, ROOT, Machine

BUDGET_S = 20

HARTS = 2
LOCKED, TOR, NAPOT, READ, WRITE, RUN = 0x80, 0x08, 0x18, 1, 2, 4
TVM, TW = 1 << 20, 1 << 21
SUPERVISOR_INTERRUPTS = 1 << 1 | 1 << 5 | 1 << 9
NAMES = ["pmpcfg0", "pmpcfg2", *(f"pmpaddr{i}" for i in range(6)), "mideleg", "medeleg", "mcounteren", "mstatus"]
# Exceptions that only Candor may see: access faults, illegal instructions, calls from S and M.
NEVER_DELEGATED = 1 << 1 | 1 << 2 | 1 << 5 | 1 << 7 | 1 << 9 | 1 << 11


def symbols():
    lines = subprocess.run(
        ["riscv64-unknown-elf-nm", "build/candor.elf"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return {name: int(value, 16) for value, _, name in (line.split() for line in lines)}


@pytest.fixture(name="harts", scope="module")
def read_harts(request):
    """[{register: value}] of a machine whose guests run, and what it said of its memory."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["run", "--smp", str(HARTS)]
    for name in ("a", "b"):
        words += ["--vm", f"image=build/tests/guest/neighbour.elf,name={name}"]
    machine = Machine(words, LOGS / "test_protection.log", environment={"QEMUEXTRA": f"-gdb tcp:127.0.0.1:{port}"})
    request.addfinalizer(machine.end)
    memory = machine.expect(r"(\d+) MiB for guests at ([0-9a-f]+)\r*\n")
    for name in ("a", "b"):
        machine.expect(name + r"(?:\x1b\[0m)?\| beat \d+")
    stub = Stub(port)
    harts = [stub.registers(hart, NAMES) for hart in range(HARTS)]
    stub.close()
    return harts, int(memory[2], 16), int(memory[1]) << 20


def entries(hart):
    """[(flags, address)] of the first eight entries of memory protection."""
    return [(hart["pmpcfg0"] >> 8 * i & 0xFF, hart.get(f"pmpaddr{i}", 0) << 2) for i in range(8)]


def test_guests_reach_their_memory_and_nothing_else(harts):
    found, base, size = harts
    for hart in found:
        protection = entries(hart)
        # What lets S and U in: one range, of the guests' memory; and to Candor's text, which has no secrets, without
        # writing: an entry that binds Candor lets others do what it may do.
        lets_in = [i for i, (flags, _) in enumerate(protection) if flags & NAPOT and flags & (READ | WRITE | RUN)]
        assert lets_in == [2, 4], [hex(flags) for flags, _ in protection]
        assert protection[4] == (LOCKED | TOR | READ | WRITE | RUN, base + size)
        assert protection[3] == (0, base)
        assert hart["pmpcfg2"] == 0


def test_the_text_is_never_written_and_each_stack_has_a_guard(harts):
    found, _, _ = harts
    at = symbols()
    guards = set()
    for hart in found:
        protection = entries(hart)
        assert protection[1][1] == at["image_start"]
        assert protection[2] == (LOCKED | TOR | READ | RUN, at["text_end"])
        flags, guard = protection[0]
        assert flags == LOCKED | NAPOT
        guards.add(guard & ~0xFFF)
        assert at["hart_stacks"] <= guard & ~0xFFF < at["hart_stacks"] + 0x100000
    assert len(guards) == HARTS


def test_a_guests_mode_has_no_satp_and_no_wfi_and_takes_no_fault_of_candors(harts):
    found, _, _ = harts
    for hart in found:
        assert hart["mstatus"] & (TVM | TW) == TVM | TW
        assert hart["mideleg"] & 0xFFF == SUPERVISOR_INTERRUPTS
        assert hart["medeleg"] & NEVER_DELEGATED == 0
        assert hart["mcounteren"] == 1 << 1, "only the time is the guest's to read"
