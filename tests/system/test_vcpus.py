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
BARE = f"image={BUILD}/tests/guest/bare/NAME.elf,virt=shadow,mem=8M"
FRANK = f"image={BUILD}/frank-pv.elf,initrd={BUILD}/initrd.img,mem=128M"
NATIVE = f"image={BUILD}/frank-native.elf,virt=shadow,initrd={BUILD}/initrd.img,mem=128M"
PLACES = [(vcpus, harts) for vcpus in (2, 4, 8) for harts in (1, 2, 4)] if ALL else [(2, 1), (4, 2), (2, 4)]
# What concerns CPUs most; of all tests of Frank's each place has the like natively.
ALL_TIMES = 10
NAMES = ("every_cpu_takes_part", "an_idle_cpu_takes_who_waits_elsewhere", "signals_reach_who_never_enters_the_kernel",
         "floating_point_moves_with_its_process", "each_cpu_has_its_times", "processes_and_files_race_on_all_cpus",
         "exec_ends_all_other_threads", "a_mutex_lets_one_in", "a_stop_stops_all_threads",
         "a_fork_stops_writers_on_other_cpus", "a_right_taken_away_is_gone_on_other_cpus")  # fmt: skip
# How each machine's kernel runs, and at which places: an unmodified one in U-mode is slow.
FRANKS = {"pv": (f"{FRANK},traps=direct", PLACES), "bounced": (f"{FRANK},traps=bounced", PLACES if ALL else PLACES[1:2]),
          "shadow-s": (f"{NATIVE},depriv=s", PLACES), "shadow-u": (f"{NATIVE},depriv=u", PLACES if ALL else PLACES[1:2])}  # fmt: skip


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


@pytest.mark.parametrize("how", FRANKS)
def test_frank_passes_its_tests_on_cpus_and_threads(boot, place, how):
    vm, places = FRANKS[how]
    if place not in places:
        pytest.skip("one place does for this way")
    vcpus, harts = place
    machine = boot(vm, vcpus, harts, **({"life_s": SUITE_S * ALL_TIMES} if ALL else {}))
    machine.expect(rf"CPUs: {vcpus}\r*\n")
    machine.prompt()
    machine.type_line("usertests" + ("" if ALL else " " + " ".join(NAMES)))
    match = machine.expect(r"usertests: (\d+) passed, (\d+) failed", timeout=SUITE_S * (ALL_TIMES if ALL else 1))
    assert match.group(2) == "0", re.findall(r"(\w+): FAILED", machine.before)
    assert int(match.group(1)) >= len(NAMES)


@pytest.mark.parametrize("how", ["pv", "shadow-s"])
def test_a_busy_machine_reboots_and_ends(boot, place, how):
    vcpus, harts = place
    machine = boot(FRANKS[how][0], vcpus, harts)
    for last in ("reboot", "poweroff"):
        machine.prompt()
        machine.shell("spin & " * vcpus)
        machine.type_line(last)
    assert machine.wait_exit() == 0


@pytest.mark.parametrize("how", ["pv", "shadow-s"])
def test_the_monitor_stops_and_ends_a_busy_machine(boot, place, how):
    vcpus, harts = place
    machine = boot(FRANKS[how][0], vcpus, harts)
    machine.prompt()
    machine.shell("spin & " * vcpus)
    machine.send("\x14m")
    for command, answer in (("pause vm1", "vm1"), ("audit", "audit: clean"), ("resume vm1", "vm1"), ("audit", "audit: clean")):
        machine.type_line(command)
        machine.expect(rf"{answer}[^\r\n]*\r")
    machine.type_line("kill vm1")
    machine.expect("vm1: ended by the monitor")


@pytest.mark.parametrize("depriv", ["s", "u"])
def test_the_firmware_of_several_harts_keeps_its_promises(boot, place, depriv):
    machine = boot(f"{BARE.replace('NAME', 'harts')},depriv={depriv}", *place)
    machine.expect("DONE", timeout=SUITE_S)
    assert "FAIL" not in machine.before and machine.before.count("PASS") == 11
    machine.expect("vm1: shut down\r")
    assert machine.wait_exit() == 0


RAGING = {"pv": GUEST.replace("vcpus.elf", "hostile_vcpus.elf"), "shadow-s": f"{BARE.replace('NAME', 'hostile_harts')},depriv=s",
          "shadow-u": f"{BARE.replace('NAME', 'hostile_harts')},depriv=u"}  # fmt: skip


@pytest.mark.parametrize("how", RAGING)
def test_all_change_the_same_tables_and_no_invariant_breaks(candor, place, how):
    vcpus, harts = place
    neighbour = f"image={BUILD}/tests/guest/neighbour.elf,name=neighbour"
    options = ("--smp", str(harts), "--hypervisor", str(BUILD / "debug/candor.elf"))
    machine = candor(f"{RAGING[how]},vcpus={vcpus}", neighbour, options=options)
    machine.expect("BEGINS|ATTACK")
    machine.send("\x14m")
    for _ in range(5):
        machine.type_line("audit")
        assert machine.expect("audit: (clean|BROKEN)[^\r\n]*\r")[1] == "clean", machine.transcript[-500:]
    machine.expect_once(r"\d+ (calls|steps)", timeout=SUITE_S)
    machine.expect_once("vm1: shut down\r")
    for _ in range(2):
        machine.expect(r"beat \d+")
    assert "FAIL" not in machine.transcript


def test_too_many_are_refused(candor):
    machine = candor(f"{GUEST},vcpus=9")
    machine.expect("vcpus '9' is not a number from 1 to 8")
    assert machine.wait_exit() == 2
