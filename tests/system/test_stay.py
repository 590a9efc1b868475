# SPDX-License-Identifier: MIT
"""No call, trap, command, or step of making, building and ending VMs keeps the hart in Candor for more than 20,000 instructions.

The debug build measures itself under icount, on one hart (hypervisor/debug/stay.h); `make stay` prints what it found. What is asked
for by a person and stops the machine (audit) or ends it (quit, crash) is left out; a command that is new must come into COMMANDS. Each call of the ABI must have been measured, and each
trap that a guest can raise; fetches and accesses outside of its memory are none: no table of a guest names such a frame. ALL_STAYS=1 (`make stay`): more unmodified guests, and 64 VMs under
the monitor's commands instead of 16.
"""

import os
import re

import pytest
from candorlib import abi, between
from machine import ROOT
from test_monitor import command, monitor

BUDGET_S = 150
SIDE_BY_SIDE = True

LIMIT = 20000
DEBUG = ("--icount", "--hypervisor", str(ROOT / "build/debug/candor.elf"))
FRANK = "image=build/frank-pv.elf,initrd=build/initrd.img"


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
    "disk": (guest("hostile_disk", ",disk={disk}"), "candor: guest: shut down"),
    "flood": (guest("hostile_flood"), "candor: guest: (shut down|ended)"),
    "frank": (f"{FRANK},name=frank,traps=bounced,args=run=/bin/usertests,,fork_gives_pids", "frank: shut down"),
    "reboots": (f"{FRANK},name=beta,args=run=/bin/reboot", "(?s)(beta: reboots.*){3}"),
    "large": ("image=build/tests/guest/hello.elf,name=large,mem=3G", "candor: large: shut down"),
}
# Unmodified guests, their kernel in S-mode and in U-mode.
NATIVE = "image=build/frank-native.elf,initrd=build/initrd.img,name=guest,virt=shadow"
BARE = "image=build/tests/guest/bare/{}.elf,name=guest,virt=shadow"
ENDED = "candor: guest: (shut down|ended|failed)"
UNMODIFIED = {
    "longest": (BARE.format("longest") + ",mem=8M,disk={disk}", ENDED),
    "large": (BARE.format("longest") + ",mem=1G,args=switches-and-rights", ENDED),
    "reboots": (f"{NATIVE},args=run=/bin/reboot", "(?s)(guest: reboots.*){3}"),
}
if os.environ.get("ALL_STAYS"):
    UNMODIFIED |= {
        "disk": (BARE.format("disk") + ",mem=8M,disk={disk}", ENDED),
        "devices": (BARE.format("hostile_devices") + ",mem=8M", ENDED),
        "firmware": (BARE.format("hostile_firmware") + ",mem=8M", ENDED),
        "tables": (BARE.format("hostile_mmu") + ",mem=8M", ENDED),
        "modes": (BARE.format("hostile_modes") + ",mem=8M", ENDED),
        "addresses": (BARE.format("hostile_addresses") + ",mem=8M", ENDED),
        "fences": (BARE.format("hostile_spin") + ",mem=1G,args=remote-fences", "ATTACK"),
        "user tests": (f"{NATIVE},args=run=/bin/usertests,,fork_gives_pids", ENDED),
    }
NEIGHBOUR = "image=build/tests/guest/neighbour.elf,name=neighbour"
LONGEST_S = 50
TRAPS = {"illegal-instruction", "breakpoint", "user-call", "fetch-fault", "load-fault", "store-fault", "timer", "device"}
UNMODIFIED_TRAPS = {"illegal-instruction", "fetch-fault", "load-fault", "store-fault", "timer", "device", "user-call"}
LIFE = {"(standard)", "(building)", "(ending)", "(switching)"}

# The monitor's commands, each with what shows, when it is typed, that it is done. The machine has alpha, beta and neighbours.
SMALL_MOST = 60 if os.environ.get("ALL_STAYS") else 12
TABLE = f"small{SMALL_MOST} +running[^>]*candor> "
RECORDS = "us ago[^>]*candor> |overwritten"
COMMANDS = (
    ("help", "power the machine off"), ("vms", TABLE), ("vms -v", TABLE), ("weight beta 200", "beta has weight 200"),
    ("pause beta", "beta is paused"), ("vms", TABLE), ("resume beta", "beta goes on"), ("walk alpha 10000", "kernel fetch  "),
    ("walk alpha ffffffc080200000", "kernel fetch  "), ("walk alpha zz", "zz is not an address"), ("bundle", "are free for VMs"),
    ("create gamma from alpha mem=96M", "gamma is number"), ("create gamma", "there is a VM gamma already"),
    ("create delta", "delta is number"), ("vms -v", TABLE), ("reboot gamma", "candor: gamma: reboots"), ("destroy gamma", "gamma is gone"),
    ("destroy delta", "delta is gone"), ("destroy nobody", "there is no VM nobody"), ("trace on", "the trace is on"),
    ("trace", "hart 0: on,"), ("reboot small1", "candor: small1: reboots"), ("kill beta", "candor: beta: ended"), ("trace off", "the trace is off"),
    ("trace last 256", RECORDS), ("trace detail", "the trace is detail"), ("trace last", RECORDS),
    ("trace off", "the trace is off"), ("trace last 9", RECORDS), ("start beta", "beta starts"),
    ("switch alpha", "input goes to alpha"), ("nonsense", r"nonsense \(try help\)"), ("stay", "stay: .*monitor:"),
)  # fmt: skip
ENDING_LOOKS = 200
NOT_MEASURED = {"audit", "quit", "crash"}
SMALL = [f"image=build/tests/guest/neighbour.elf,name=small{number},mem=4M" for number in range(1, SMALL_MOST + 1)]

longest, unmodified = {}, {}  # {kind: (instructions, load)} of all tests together


def stays(machine):
    """{kind of entry: longest stay} as the monitor prints it."""
    monitor(machine)
    return {name: int(count) for count, name in re.findall(r"stay: +(\d+) (\S+)", command(machine, "stay"))}


def judge(load, found, longest=longest):
    """Prints what was found, remembers it for the tests after all loads, and checks it."""
    assert found
    print(f"\n{load}: longest stays in instructions")
    for name, count in sorted(found.items(), key=lambda item: -item[1]):
        print(f"  {count:7} {name}")
        longest[name] = max(longest.get(name, (0, "")), (count, load))
    assert max(found.values()) <= LIMIT, {name: count for name, count in found.items() if count > LIMIT}


@pytest.mark.parametrize("load", LOADS)
def test_nothing_stays_longer_than_20000_instructions(load, candor, tmp_path):
    vm, done = LOADS[load]
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(1 << 20))
    machine = candor(NEIGHBOUR, vm.format(disk=disk), options=DEBUG)
    machine.expect(done, LONGEST_S)
    judge(load, stays(machine))


@pytest.mark.parametrize("depriv", "su")
@pytest.mark.parametrize("load", UNMODIFIED)
def test_nothing_of_an_unmodified_guest_stays_longer(load, depriv, candor, tmp_path):
    vm, done = UNMODIFIED[load]
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(1 << 20))
    machine = candor(NEIGHBOUR, vm.format(disk=disk) + f",depriv={depriv}", options=(*DEBUG, "--mem", "2G"))
    machine.expect(done, LONGEST_S)
    judge(f"{load} ({depriv})", stays(machine), unmodified)


def end_of_beta(path):
    """It is ended in turns of its own, which come after those of all the others."""
    for _ in range(ENDING_LOOKS):
        if [row["state"] for row in between.ask(path, "vms")["result"] if row["vm"] == "beta"] == ["off"]:
            return
    raise AssertionError("beta does not end")


def by_typing(machine, path):
    monitor(machine)
    for words, done in COMMANDS:
        if words == "start beta":
            end_of_beta(path)
        machine.type_line(words)
        machine.expect(done)
        if words.startswith("switch"):
            monitor(machine)
    machine.type_line("top")
    for _ in range(2):
        machine.expect("calls/s")
    for keys, shown in (("\x141", "input goes to alpha"), ("\x142", "input goes to beta"), ("\x14v", "stolen s"), ("\x14h", "sends")):
        machine.send(keys)
        machine.expect(shown)


def by_programs(machine, path):
    for words, _ in COMMANDS:
        if words == "start beta":
            end_of_beta(path)
        between.ask(path, words)
        machine.read(0)


@pytest.mark.parametrize("give", (by_typing, by_programs), ids=("typed", "ctl"))
def test_no_command_of_the_monitor_stays_longer(give, candor, tmp_path):
    path = str(tmp_path / "ctl")
    # The small ones compute: QEMU, counting instructions, hands on no input while all harts sleep.
    vms = (f"{FRANK},name=alpha", f"{FRANK},name=beta", *SMALL, "image=build/tests/guest/hello.elf,name=delta,start=no")
    machine = candor(*vms, options=(*DEBUG, "--ctl", path, "--mem", "1G"))
    machine.expect(r"alpha\S*\| [^\r\n]*frank\$ ")
    commands = {row["command"] for row in between.ask(path, "help")["result"]} - NOT_MEASURED
    give(machine, path)
    found = {row["entry"]: row["instructions"] for row in between.ask(path, "stay")["result"]}
    judge(f"the monitor, {give.__name__}", found)
    assert {f"monitor:{name}" for name in commands} - ({"monitor:top"} if give is by_programs else set()) <= {*found}


def print_longest(whose, longest):
    print(f"\nthe longest stay in the hypervisor of each call and trap of {whose}, in instructions")
    for name, (count, load) in sorted(longest.items(), key=lambda item: -item[1][0]):
        print(f"  {count:7} {name:<22} {load}")


def test_each_trap_of_an_unmodified_guest_was_measured():
    """All of its tests have run."""
    print_longest("unmodified guests", unmodified)
    kinds = UNMODIFIED_TRAPS | LIFE
    assert kinds <= {*unmodified}, kinds - {*unmodified}


def test_each_call_and_each_trap_was_measured():
    """Last of the file: all others have run."""
    print_longest("paravirtual guests", longest)
    assert {*abi.calls()} | TRAPS | LIFE <= {*longest}, ({*abi.calls()} | TRAPS | LIFE) - {*longest}
