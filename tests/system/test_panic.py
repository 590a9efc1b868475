# SPDX-License-Identifier: MIT
"""A fault of Candor's own, of each kind, as docs/faults.md describes it: what is shown, in names; that the other harts stand;
that the machine ends with its own status, in a line of the launcher. The debug build has the command that makes the faults."""

import re
import subprocess
from pathlib import Path

import pytest
from machine import BUILD, ROOT

BUDGET_S = 60

DEBUG = ("--hypervisor", str(ROOT / "build/debug/candor.elf"))
GUEST = "image=build/tests/guest"
STATUS = 101
SPINNER = "hostile_hog"
PREFIX = "\x14"

KINDS = {
    "panic": ("a panic that was asked for", "crash_panic"),
    "assert": (r"hypervisor/debug/inject/crash\.c:\d+: not true: hart_count == 0", "crash_assert"),
    "load": (r"load-access of 0x8 in crash_load\+0x\w+: a null pointer, or near one", "crash_load"),
    "store": (r"store-access of 0x\w+ in crash_store\+0x\w+: that is Candor's own code", "crash_store"),
    "fetch": (r"fetch-access of 0x8 in \?\+0x8: a null pointer", "crash_step"),
    "misaligned": (r"(store|load)-misaligned of 0x\w+ in crash_misaligned\+0x\w+: not at a multiple", "crash_misaligned"),
    "illegal": (r"illegal-instruction of 0x\w+ in crash_illegal\+0x\w+: no instruction", "crash_illegal"),
    "stack": (r"store-access of 0x\w+ in eat_stack\S*\+0x\w+: its stack is used up", "eat_stack"),
    "order": ("lock of a low level is taken while one of level 2 is held", "lock_acquire"),
    "twice": ("lock that is taken twice is taken twice by hart 0", "lock_acquire"),
    "double": ("a panic whose report faults", "crash_double"),
}


@pytest.fixture
def crash(candor):
    """crash("load 1", harts=2): the machine's lines from the fault on. One guest a hart computes all the while."""

    def run(command, harts=1, options=(), guests=1, timeout=20):
        vms = [f"{GUEST}/{SPINNER}.elf,name=vm{i}" for i in range(1, guests + 1)]
        machine = candor(*vms, options=("--smp", str(harts), *DEBUG, *options))
        for _ in vms:
            machine.expect("hogging")
        machine.send(PREFIX + "m")
        machine.expect("candor> ")
        machine.type_line(f"crash {command}")
        assert machine.wait_exit(timeout) == STATUS
        return machine.transcript[machine.transcript.index("PANIC") :].replace("\r", "").splitlines()

    return run


def calls(lines, headline="calls, the innermost first:"):
    """The functions below the line that ends so."""
    place = next(i for i, line in enumerate(lines) if line.strip() == headline)
    found = []
    for line in lines[place + 1 :]:
        match = re.fullmatch(r"    [0-9a-f]{16}  (\S+)\+0x[0-9a-f]+", line)
        if not match:
            return found
        found.append(match[1])
    return found


def check_end(lines):
    assert lines[-2] == "candor: the machine stops"
    assert re.match(rf"candor: stopped by a fault of Candor's own.*exit status {STATUS}", lines[-1])
    assert "\n".join(lines).count("PANIC on hart") == 1


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_told_in_words_with_registers_and_calls(crash, kind):
    words, function = KINDS[kind]
    lines = crash(kind)
    assert re.match(f"PANIC on hart 0: {words}", lines[0]), lines[0]
    assert re.fullmatch(r"  pc   [0-9a-f]{16}  ra   [0-9a-f]{16}  sp   [0-9a-f]{16}  gp   [0-9a-f]{16}", lines[1])
    assert sum(bool(re.match(r"  \w+ +[0-9a-f]{16}", line)) for line in lines) == 8
    names = calls(lines)
    assert any(name.startswith(function) for name in names[:3]), names
    # To the very end, and each once: the typed line, its interrupt, the trap.
    for name in ("crash_step", "console_interrupt", "arch_hart_poll", "trap_handle"):
        assert names.count(name) == 1, names
    assert names[-1].startswith(("trap_slow", "trap_call")), names
    check_end(lines)


def test_the_guest_is_shown_with_the_names_of_its_image(crash):
    lines = crash("load")
    assert any(re.match(r"  guest vm1 \(pv\), at its last entry: pc [0-9a-f]{16}  sp", line) for line in lines)
    names = calls(lines, "its calls, the innermost first (also stale ones):")
    assert "main" in names or "guest_main" in names, names
    check_end(lines)


def test_a_fault_of_the_report_costs_that_part_of_it(crash):
    lines = crash("double", harts=2, guests=2)
    place = next(i for i, line in enumerate(lines) if line.startswith("candor: PANIC in the report itself: load-access of 0x8"))
    assert any("hart 1: stands in" in line for line in lines[place:])
    check_end(lines)


@pytest.mark.parametrize("kind", ["load", "panic"])
def test_on_another_hart_under_a_guest_with_what_all_did(crash, kind, tmp_path):
    """The boot hart stands: its calls and its guest are shown too, and of both the last records."""
    lines = crash(f"{kind} 1", harts=2, guests=2, options=("--trace", str(tmp_path / "t.records")))
    assert lines[0].startswith("PANIC on hart 1: ")
    assert "sched_tick" in calls(lines) and "trap_handle" in calls(lines)
    records = [line for line in lines if re.match(r"    +\d+  \S", line)]
    # The command itself, at least: the first tick may be to come.
    assert any(re.search("entry: (software|timer) at pc [0-9a-f]+", line) for line in records), lines
    stands = next(line for line in lines if line.startswith("  hart 0: stands in hart_halt_if_wanted+0x"))
    assert "trap_handle" in stands
    assert any(re.match(r"    its guest: vm\d, at [0-9a-f]{16}  \w+\+0x", line) for line in lines)
    check_end(lines)


def test_of_several_at_once_one_reports_and_the_others_are_counted(crash):
    lines = crash("illegal all", harts=4, guests=4)
    assert "  3 more harts had faults of their own meanwhile" in lines
    check_end(lines)


def test_a_lock_that_is_never_released_is_found(crash):
    lines = crash("stuck", harts=2, guests=2)
    assert lines[0].startswith("PANIC on hart 0: hart 0 has waited 5 s for lock that is never released, which hart 63 holds")
    check_end(lines)


def test_a_console_that_is_full_does_not_keep_it_back(candor):
    machine = candor(f"{GUEST}/hostile_flood.elf", f"{GUEST}/{SPINNER}.elf,name=b", options=("--smp", "2", *DEBUG))
    machine.expect("hogging")
    machine.send(PREFIX + "m")
    machine.type_line("crash panic 1")
    machine.expect("candor: PANIC on hart 1: a panic that was asked for", 40)
    assert machine.wait_exit() == STATUS
    assert "candor: the machine stops" in machine.transcript


def test_the_ordinary_build_has_no_such_command(candor):
    machine = candor(f"{GUEST}/{SPINNER}.elf")
    machine.expect("hogging")
    machine.send(PREFIX + "m")
    machine.expect("candor> ")
    machine.type_line("crash panic")
    machine.expect(r"unknown command: crash \(try help\)")
    for image in (BUILD / "candor.elf", BUILD / "core/candor.elf"):
        if Path(image).exists():
            names = subprocess.run(["riscv64-unknown-elf-nm", image], capture_output=True, text=True, check=True).stdout
            assert "crash_" not in names
            assert "monitor_more_count" in names
