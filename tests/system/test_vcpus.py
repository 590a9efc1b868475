# SPDX-License-Identifier: MIT
"""Machines of several vCPUs, on as many harts, on fewer, on more: what the calls promise, Frank's own tests, and that they end
whatever their vCPUs do. The debug build runs, so the order of locks is checked. CANDOR_VCPUS=all: every combination."""

import os
import re

import pytest
from machine import BUILD

BUDGET_S = 90
SIDE_BY_SIDE = True
SUITE_S = 90

ALL = "CANDOR_VCPUS" in os.environ
GUEST = f"image={BUILD}/tests/guest/vcpus.elf"
FRANK = f"image={BUILD}/frank-pv.elf,initrd={BUILD}/initrd.img,mem=128M"
PLACES = [(vcpus, harts) for vcpus in (2, 4, 8) for harts in (1, 2, 4)] if ALL else [(2, 1), (4, 2), (2, 4)]
# What concerns CPUs most; of all tests of Frank's each place has the like natively.
NAMES = ("every_cpu_takes_part", "an_idle_cpu_takes_who_waits_elsewhere", "signals_reach_who_never_enters_the_kernel",
         "floating_point_moves_with_its_process", "each_cpu_has_its_times", "processes_and_files_race_on_all_cpus",
         "exec_ends_all_other_threads", "a_mutex_lets_one_in", "a_stop_stops_all_threads",
         "a_fork_stops_writers_on_other_cpus", "a_right_taken_away_is_gone_on_other_cpus")  # fmt: skip


@pytest.fixture(params=PLACES, ids=lambda place: "{}on{}".format(*place))
def place(request):
    return request.param


@pytest.fixture
def boot(candor):
    def start(vm, vcpus, harts, **rest):
        options = ("--smp", str(harts), "--hypervisor", str(BUILD / "debug/candor.elf"))
        return candor(f"{vm},vcpus={vcpus}", options=options, **rest)

    return start


def test_the_calls_keep_their_promises(boot, place):
    machine = boot(GUEST, *place)
    machine.expect("DONE", timeout=SUITE_S)
    assert "FAIL" not in machine.before and machine.before.count("PASS") >= 19
    machine.expect("vm1: shut down\r")
    assert machine.wait_exit() == 0


@pytest.mark.parametrize("args, end, status", [
    ("other-powers-off", r"vm1: shut down\r", 0),
    ("other-faults", r"vm1: ended: illegal-instruction at pc 0x[0-9a-f]+, value 0x0\r", 1),
    ("other-loops", r"vm1: shut down\r", 0),
])  # fmt: skip
def test_any_of_them_ends_the_machine(boot, place, args, end, status):
    machine = boot(f"{GUEST},args={args}", *place)
    machine.expect(end, timeout=SUITE_S)
    assert machine.wait_exit() == status


@pytest.mark.parametrize("traps", ["direct", "bounced"])
def test_frank_passes_its_tests_on_cpus_and_threads(boot, place, traps):
    if traps == "bounced" and place != PLACES[1] and not ALL:
        pytest.skip("one place does for the other way of traps")
    vcpus, harts = place
    machine = boot(f"{FRANK},traps={traps}", vcpus, harts)
    machine.expect(rf"CPUs: {vcpus}\r*\n")
    machine.prompt()
    machine.type_line("usertests" + ("" if ALL else " " + " ".join(NAMES)))
    match = machine.expect(r"usertests: (\d+) passed, (\d+) failed", timeout=SUITE_S)
    assert match.group(2) == "0", re.findall(r"(\w+): FAILED", machine.before)
    assert int(match.group(1)) >= len(NAMES)


def test_a_busy_machine_reboots_and_ends(boot, place):
    vcpus, harts = place
    machine = boot(FRANK, vcpus, harts)
    for last in ("reboot", "poweroff"):
        machine.prompt()
        machine.shell("spin & " * vcpus)
        machine.type_line(last)
    assert machine.wait_exit() == 0


def test_the_monitor_stops_and_ends_a_busy_machine(boot, place):
    vcpus, harts = place
    machine = boot(FRANK, vcpus, harts)
    machine.prompt()
    machine.shell("spin & " * vcpus)
    machine.send("\x14m")
    for command, answer in (("pause vm1", "vm1"), ("audit", "audit: clean"), ("resume vm1", "vm1"), ("audit", "audit: clean")):
        machine.type_line(command)
        machine.expect(rf"{answer}[^\r\n]*\r")
    machine.type_line("kill vm1")
    machine.expect("vm1: ended by the monitor")


def test_all_change_the_same_tables_and_no_invariant_breaks(boot, place):
    machine = boot(GUEST.replace("vcpus.elf", "hostile_vcpus.elf"), *place)
    machine.expect("BEGINS")
    machine.send("\x14m")
    for _ in range(5):
        machine.type_line("audit")
        assert machine.expect("audit: (clean|BROKEN)[^\r\n]*\r")[1] == "clean", machine.transcript[-500:]
    machine.expect(r"\d+ calls", timeout=SUITE_S)
    machine.expect("DONE")
    assert "FAIL" not in machine.transcript
    machine.expect("vm1: shut down\r")


def test_too_many_are_refused(candor):
    machine = candor(f"{GUEST},vcpus=9")
    machine.expect("vcpus '9' is not a number from 1 to 8")
    assert machine.wait_exit() == 2
    machine = candor(f"image={BUILD}/frank-native.elf,virt=shadow,vcpus=2")
    machine.expect("option 'vcpus' is of virt=pv alone")
    assert machine.wait_exit() == 2
