# SPDX-License-Identifier: MIT
"""Frank on a bare machine of several harts: its own tests pass, with the order of locks checked, and it ends as it should."""

import re

import pytest
from machine import BUILD

BUDGET_S = 75
SIDE_BY_SIDE = True
SUITE_S = 60  # for all tests on one machine

KERNELS = {2: BUILD / "debug/frank-native.elf", 4: BUILD / "frank-native.elf", 8: BUILD / "debug/frank-native.elf"}
PLENTY = 12  # harts, more than Frank uses


@pytest.fixture
def boot(native):
    """Frank on so many harts, with the arguments `args`."""

    def start(harts, args="", kernel=None):
        words = ["--smp", str(harts), "--image", str(kernel or KERNELS[min(harts, 8)])]
        return native(options=words + (["--args", args] if args else []))

    return start


@pytest.mark.parametrize("harts", KERNELS)
def test_usertests_pass_on_several_harts(boot, harts):
    machine = boot(harts, "run=/bin/usertests")
    machine.expect(rf"CPUs: {harts}\r*\n")
    match = machine.expect(r"usertests: (\d+) passed, (\d+) failed", timeout=SUITE_S)
    failed = re.findall(r"(\w+): FAILED", machine.before)
    assert not failed and match.group(2) == "0", machine.before[-2000:]
    assert machine.wait_exit() == 0


def test_programs_show_the_cpus(boot):
    machine = boot(4)
    machine.prompt()
    assert ", 4 CPUs, idle " in machine.shell("uptime")
    cpus = {line.split()[5] for line in machine.shell("ps").splitlines()[1:]}
    assert cpus <= {"0", "1", "2", "3"}
    shown = machine.shell("top -d 0.1 -n 1")
    assert re.findall(r"^(cpu\d?): user", shown, re.MULTILINE) == ["cpu", "cpu0", "cpu1", "cpu2", "cpu3"]


def test_a_machine_of_several_harts_restarts_and_ends(boot):
    machine = boot(4)
    machine.prompt()
    machine.shell("spin & spin & spin & spin &")
    machine.type_line("reboot")
    machine.expect(r"CPUs: 4\r*\n")
    machine.prompt()
    machine.shell("spin & spin & spin & spin &")
    machine.type_line("poweroff")
    assert machine.wait_exit() == 0


def test_a_panic_stops_all_harts(boot):
    machine = boot(4, "init=/bin/none")
    machine.expect(r"frank: panic: cannot run /bin/none")
    machine.wait_exit()
    assert "panic" not in machine.before


def test_of_too_many_harts_eight_are_used(boot):
    machine = boot(PLENTY, "run=/bin/usertests,every_cpu_takes_part", KERNELS[8])
    machine.expect(r"CPUs: 8\r*\n")
    machine.expect("usertests: 1 passed, 0 failed")
    assert machine.wait_exit() == 0
