# SPDX-License-Identifier: MIT
"""Several virtual machines at once: both answer, the console tells them apart, idle is known, faults stay at home."""

import re
import time

BUDGET_S = 90

FRANK = "image=build/frank-pv.elf,initrd=build/initrd.cpio"
PREFIX = "\x14"  # Ctrl-T, the key before Candor's keys
WATCHED_S = 3


def shares(machine):
    """Returns {name: (state, share in percent, idle seconds)} as the key for `vms` shows them."""
    machine.send(PREFIX + "v")
    machine.expect(r"share +reboots +hart\r*\n")
    found = {}
    while len(found) < 2:
        row = machine.expect(r"\d+  (\w+) +([a-z]+) +([\d.]+) +([\d.]+) +([\d.]+) +(\d+)% +\d+ +\d+")
        found[row[1]] = (row[2], int(row[6]), float(row[4]))
    return found


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
    machine = two_franks(candor)
    machine.type_line("spin")
    deadline = time.monotonic() + 20
    while (before := shares(machine))["alpha"][1] < 99 or before["beta"][0] != "idle":
        assert time.monotonic() < deadline, before
        time.sleep(0.1)
    time.sleep(WATCHED_S)
    after = shares(machine)
    assert after["alpha"][1] >= 99
    assert after["beta"][2] - before["beta"][2] > 0.9 * WATCHED_S


def test_machines_that_hide_their_idleness_share_the_hart(candor):
    machine = two_franks(candor, "idle=spin", options=("--smp", "1"))
    machine.type_line("spin")
    before = shares(machine)
    assert before["alpha"][1] + before["beta"][1] <= 101
    time.sleep(WATCHED_S)
    after = shares(machine)
    assert 40 <= after["alpha"][1] <= 60
    assert 40 <= after["beta"][1] <= 60


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
