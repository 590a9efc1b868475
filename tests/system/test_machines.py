# SPDX-License-Identifier: MIT
"""Several virtual machines at once: both answer, the console tells them apart, idle is known, faults stay at home."""

import re
import time

BUDGET_S = 90

FRANK = "image=build/frank-pv.elf,initrd=build/initrd.img"
PREFIX = "\x14"  # Ctrl-T, the key before Candor's keys
ICOUNT = ("--icount",)  # one hart, whose clock is the instructions it executes: the host's speed has no part in a share
WATCHED_S = 0.5  # of the machine's time
LOOKS = 60
LOOK_EVERY_S = 0.5


def look(machine):
    """Returns {name: (state, seconds running, idle, stolen)} as the key for `vms` shows them."""
    machine.send(PREFIX + "v")
    machine.expect(r"share +reboots +hart\r*\n")
    found = {}
    while len(found) < 2:
        row = machine.expect(r"\d+  (\w+) +([a-z]+) +([\d.]+) +([\d.]+) +([\d.]+) +\d+% +\d+ +\d+")
        found[row[1]] = (row[2], *map(float, row.groups()[2:5]))
    return found


def look_until(machine, fits):
    for _ in range(LOOKS):
        if fits(seen := look(machine)):
            return seen
        time.sleep(LOOK_EVERY_S)
    raise AssertionError(f"not within {LOOKS} looks: {seen}")


def shares(machine, states):
    """The share of the hart that each machine had, in percent, over WATCHED_S at least from when they are in these states."""
    before = look_until(machine, lambda seen: {name: seen[name][0] for name in seen} == states)
    after = look_until(machine, lambda seen: sum(seen["alpha"][1:]) - sum(before["alpha"][1:]) >= WATCHED_S)
    spent = {name: [b - a for a, b in zip(before[name][1:], after[name][1:])] for name in states}
    return {name: 100 * running / (running + idle + stolen) for name, (running, idle, stolen) in spent.items()}


def two_franks(candor, args="", **rest):
    extra = f",args={args}" if args else ""
    machine = candor(f"{FRANK},name=alpha{extra}", f"{FRANK},name=beta{extra}", **rest)
    for _ in range(2):
        machine.expect(r"(alpha|beta)\S*\| [^\r\n]*frank\$ ")
    return machine


def test_both_answer_each_under_its_name(candor):
    machine = two_franks(candor)
    machine.type_line("echo from one")
    machine.expect(r"alpha\S*\| \S*from one")
    machine.send(PREFIX + "2")
    machine.expect("input goes to beta")
    machine.type_line("echo from two")
    machine.expect(r"beta\S*\| \S*from two")
    machine.type_line("poweroff")
    machine.expect("candor: beta: shut down")
    machine.send(PREFIX + "1")
    machine.type_line("poweroff")
    machine.expect("candor: alpha: shut down")
    assert machine.wait_exit() == 0


def test_an_idle_machine_leaves_the_hart_to_the_busy_one(candor):
    machine = two_franks(candor, options=ICOUNT)
    machine.type_line("spin")
    got = shares(machine, {"alpha": "running", "beta": "idle"})
    assert got["alpha"] >= 99 and got["beta"] <= 1, got


def test_machines_that_hide_their_idleness_share_the_hart(candor):
    machine = two_franks(candor, "idle=spin", options=ICOUNT)
    machine.type_line("spin")
    got = shares(machine, {"alpha": "running", "beta": "running"})
    assert all(48 <= share <= 52 for share in got.values()), got


def test_one_reboots_again_and_again_while_the_other_works(candor):
    machine = candor(f"{FRANK},name=alpha", f"{FRANK},name=beta,args=run=/bin/reboot")
    machine.expect(r"alpha\S*\| [^\r\n]*frank\$ ")
    for number in range(5):
        machine.type_line(f"ls /bin | grep ^e | wc > /count; cat /count; echo round {number}")
        machine.expect(rf"alpha\S*\| [^\r\n]*\n?\S*round {number}\r")
    machine.send(PREFIX + "m")
    machine.expect("candor> ")
    deadline = time.monotonic() + 30
    while True:
        machine.type_line("vms")
        reboots = int(machine.expect(r"\d+  beta +[a-z]+ [^\r\n]*% +(\d+) +\d+\r*\n")[1])
        if reboots >= 50:
            break
        assert time.monotonic() < deadline, f"{reboots} reboots"
        time.sleep(0.5)
    machine.type_line("audit")
    machine.expect("audit: clean")
    assert not re.search("panic", machine.transcript)
