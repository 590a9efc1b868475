# SPDX-License-Identifier: MIT
"""No call, trap, or step of building and ending VMs keeps the hart in Candor for more than 20,000 instructions.

The debug build measures itself under icount, on one hart (hypervisor/debug/stay.h); `make stay` prints what it found. What is asked
for by a person and stops the machine (audit) or ends it (quit) is left out. Each call of the ABI must have been measured, and each
trap that a guest can raise; fetches and accesses outside of its memory are none: no table of a guest names such a frame.
"""

import re

import pytest
from candorlib import abi
from machine import ROOT
from test_monitor import command, monitor

BUDGET_S = 150
SIDE_BY_SIDE = True

LIMIT = 20000
DEBUG = ("--icount", "--hypervisor", str(ROOT / "build/debug/candor.elf"))
FRANK = "image=build/frank-pv.elf,initrd=build/initrd.cpio"


def guest(name, options=""):
    return f"image=build/tests/guest/{name}.elf,name=guest{options}"


# What runs, and what shows that enough of it has.
LOADS = {
    "calls": (guest("cost", ",counters=raw"), "candor: guest: shut down"),
    "arguments": (guest("hostile_arguments"), "candor: guest: (shut down|ended)"),
    "mix": (guest("hostile_mix"), "candor: guest: shut down"),
    "traps": (guest("hostile_user", ",traps=bounced"), "candor: guest: shut down"),
    "returns": (guest("hostile_traps", ",traps=bounced"), "candor: guest: (shut down|ended)"),
    "jump": (guest("hostile_levels", ",traps=bounced"), "candor: guest: (shut down|ended)"),
    "flood": (guest("hostile_flood"), "candor: guest: (shut down|ended)"),
    "frank": (f"{FRANK},name=frank,traps=bounced,args=run=/bin/usertests,,fork_gives_pids", "frank: shut down"),
    "reboots": (f"{FRANK},name=beta,args=run=/bin/reboot", "(?s)(beta: reboots.*){3}"),
    "large": ("image=build/tests/guest/hello.elf,name=large,mem=3G", "candor: large: shut down"),
}
NEIGHBOUR = "image=build/tests/guest/neighbour.elf,name=neighbour"
LONGEST_S = 50
TRAPS = {"illegal-instruction", "breakpoint", "user-call", "fetch-fault", "load-fault", "store-fault", "timer", "device"}
LIFE = {"(standard)", "(building)", "(ending)", "(switching)"}

longest = {}  # {kind: (instructions, load)} of all tests together


def stays(machine):
    """{kind of entry: longest stay} as the monitor prints it."""
    monitor(machine)
    return {name: int(count) for count, name in re.findall(r"stay: +(\d+) (\S+)", command(machine, "stay"))}


def judge(load, found):
    """Prints what was found, remembers it for the tests after all loads, and checks it."""
    assert found
    print(f"\n{load}: longest stays in instructions")
    for name, count in sorted(found.items(), key=lambda item: -item[1]):
        print(f"  {count:7} {name}")
        longest[name] = max(longest.get(name, (0, "")), (count, load))
    assert max(found.values()) <= LIMIT, {name: count for name, count in found.items() if count > LIMIT}


@pytest.mark.parametrize("load", LOADS)
def test_nothing_stays_longer_than_20000_instructions(load, candor):
    vm, done = LOADS[load]
    machine = candor(NEIGHBOUR, vm, options=DEBUG)
    machine.expect(done, LONGEST_S)
    judge(load, stays(machine))


def test_each_call_and_each_trap_was_measured():
    """Last of the file: all others have run."""
    print("\nthe longest stay in the hypervisor of each call and trap, in instructions")
    for name, (count, load) in sorted(longest.items(), key=lambda item: -item[1][0]):
        print(f"  {count:7} {name:<22} {load}")
    assert {*abi.calls()} | TRAPS | LIFE <= {*longest}, ({*abi.calls()} | TRAPS | LIFE) - {*longest}
