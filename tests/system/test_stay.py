# SPDX-License-Identifier: MIT
"""No call, trap, or step of building and ending keeps the hart in Candor for more than 20,000 instructions.

The debug build measures itself under icount (hypervisor/debug/stay.h); `make stay` prints what it found. What is asked for by
a person and stops the machine (audit) or ends it is left out.
"""

import re

import pytest
from machine import ROOT

BUDGET_S = 120

LIMIT = 20000
PREFIX = "\x14"  # Ctrl-T, the key before Candor's keys
DEBUG = ("--icount", "--hypervisor", str(ROOT / "build/debug/candor.elf"))
FRANK = "image=build/frank-pv.elf,initrd=build/initrd.cpio"

# What runs, and what shows that enough of it has.
LOADS = {
    "calls": (["image=build/tests/guest/cost.elf,name=cost,counters=raw"], "candor: cost: shut down"),
    "arguments": (["image=build/tests/guest/hostile_arguments.elf,name=guest"], "candor: guest: (shut down|ended)"),
    "flood": (["image=build/tests/guest/hostile_flood.elf,name=guest"], "candor: guest: (shut down|ended)"),
    "frank": ([FRANK + ",name=frank,traps=bounced,args=run=/bin/usertests,,fork_gives_pids"], "frank: shut down"),
    "reboots": ([FRANK + ",name=beta,args=run=/bin/reboot"], "(?s)(beta: reboots.*){3}"),
    "large": (["image=build/tests/guest/hello.elf,name=large,mem=3G"], "candor: large: shut down"),
}
NEIGHBOUR = "image=build/tests/guest/neighbour.elf,name=neighbour"
LONGEST_S = 20


def stays(machine):
    """{kind of entry: longest stay} as the monitor prints it."""
    machine.send(PREFIX + "m")
    machine.expect("candor> ")
    machine.type_line("stay")
    machine.expect("stay\r*\n")
    machine.expect("candor> ", 40)
    return {name: int(count) for count, name in re.findall(r"stay: +(\d+) (\S+)", machine.before)}


@pytest.mark.parametrize("load", LOADS)
def test_nothing_stays_longer_than_20000_instructions(load, candor):
    vms, done = LOADS[load]
    machine = candor(NEIGHBOUR, *vms, options=DEBUG)
    machine.expect(done, LONGEST_S)
    found = stays(machine)
    assert found
    print(f"\n{load}: longest stays in instructions")
    for name, count in sorted(found.items(), key=lambda item: -item[1]):
        print(f"  {count:7} {name}")
    assert max(found.values()) <= LIMIT, {name: count for name, count in found.items() if count > LIMIT}
