# SPDX-License-Identifier: MIT
"""VMs come and go on a running machine: made of records of the bundle, started again, destroyed; what is refused changes nothing."""

import os
import re
import time

import pytest
from candorlib import between
from test_monitor import FRANK, command, ctl, monitor

BUDGET_S = 60

HELLO = "image=build/tests/guest/hello.elf"
SETTLE_S = 20
TURNS = 15 if "CANDOR_SMP" in os.environ else 150  # where harts are given, it runs many times over


@pytest.fixture
def one(candor, tmp_path):
    """A machine with vm1, which runs, and spare, which does not; (machine, path of its socket)."""

    def start(*options, **rest):
        path = tmp_path / "ctl"
        vms = (f"{FRANK},name=vm1", f"{HELLO},name=spare,start=no,mem=32M")
        machine = candor(*vms, options=("--ctl", path, *options), **rest)
        machine.prompt()
        return machine, path

    return start


def free(path):
    """(bytes for VMs, bytes for what Candor keeps of them) that are free."""
    last = ctl(path, "bundle")[1]["result"][-1]
    return last["free_bytes"], last["free_closed_bytes"]


def states(path):
    return {row["vm"]: row["state"] for row in ctl(path, "vms")[1]["result"]}


def settled(path, wanted):
    deadline = time.monotonic() + SETTLE_S
    while (now := states(path)) != wanted:
        assert time.monotonic() < deadline, now
    return now


def test_a_vm_is_made_and_destroyed_by_typing(one):
    machine, path = one()
    before = free(path)
    monitor(machine)
    shown = command(machine, "bundle")
    assert re.search(r"vm1 +64 M  started with the machine\n", shown) and re.search(r"spare +32 M  not started with", shown)
    assert command(machine, "create vm2 from vm1 mem=48M") == "vm2 is number 2, and starts\n"
    machine.expect(r"vm2\S*\| Frank on Candor, paravirtualized: 49152 KiB of memory")
    machine.expect(r"vm2\S*\| [^\r\n]*frank\$ ")
    machine.send("\x142")
    machine.expect("input goes to vm2")
    machine.type_line("echo I am new")
    machine.expect(r"vm2\S*\| I am new\r")
    monitor(machine)
    machine.type_line("destroy vm2")
    machine.expect("candor: vm2: ended by the monitor")
    machine.expect("vm2 is gone, and its 48 MiB are free")
    assert free(path) == before
    assert "audit: clean" in command(machine, "audit")


def test_hundreds_come_and_go_and_nothing_is_lost(one):
    machine, path = one("--smp", "2")
    before = free(path)
    for number in range(TURNS):
        assert between.ask(str(path), "create a from spare mem=8M")["ok"]
        assert between.ask(str(path), "create b from vm1 mem=16M")["ok"]
        if number % 5 == 0:
            settled(path, {"vm1": "idle", "a": "off", "b": "idle"})
        for name in "ab":
            answer = between.ask(str(path), f"destroy {name}")
            assert answer["ok"], answer
        machine.read(0)
    assert free(path) == before
    assert states(path) == {"vm1": "idle"}
    assert ctl(path, "audit")[1]["result"][0]["violations"] == 0
    machine.type_line("echo still here")
    machine.expect("still here\r")


def test_one_that_is_off_is_started_again_and_all_off_powers_off(one):
    machine, path = one()
    assert ctl(path, "create", "spare")[1]["result"] == [{"vm": "spare", "number": 2}]
    machine.expect("candor: spare: shut down")
    for _ in range(3):
        settled(path, {"vm1": "idle", "spare": "off"})
        assert ctl(path, "start", "spare")[0] == 0
        machine.expect(r"spare\S*\| PASS")
        machine.expect("candor: spare: shut down")
    ctl(path, "destroy", "vm1")
    settled(path, {"spare": "off"})
    assert ctl(path, "start", "spare")[0] == 0
    machine.expect("candor: spare: shut down")
    assert machine.wait_exit() == 0


def test_what_cannot_be_done_is_said_and_changes_nothing(one):
    machine, path = one()
    assert ctl(path, "create", "spare")[0] == 0
    machine.expect("candor: spare: shut down")
    settled(path, {"vm1": "idle", "spare": "off"})
    before = free(path), states(path)
    cases = {
        "create vm1": "there is a VM vm1 already: give another name",
        "create spare": "there is a VM spare already: start it, or destroy it first",
        "create new": "the bundle has no record new: `bundle` lists them",
        "create new from nothing": "the bundle has no record nothing: `bundle` lists them",
        "create b@d from vm1": "its name is not 1 to 15 letters, digits, '_' or '-'",
        "create big from vm1 mem=4G": "it needs 4096 MiB, and ",
        "create odd from vm1 mem=3M": "mem=3M is not a size in whole 2 MiB, such as mem=64M",
        "create small from vm1 mem=2M": "a segment",
        "create": "of which name? create NAME [from RECORD] [mem=SIZE]; `bundle` lists the records",
        "start vm1": "vm1 is idle: only one that is off can be started",
        "start nobody": "there is no VM nobody: `vms` lists them",
        "destroy nobody": "there is no VM nobody: `vms` lists them",
        "reboot spare": "spare is off: start it",
        "switch spare": "spare has ended: `start spare` starts it again",
    }
    for words, why in cases.items():
        status, answer = ctl(path, *words.split())
        assert status == 1 and not answer["ok"] and not answer["result"], words
        if "small" not in words:
            assert answer["error"].startswith(why), answer
    monitor(machine)
    for words, why in cases.items():
        shown = command(machine, words)
        assert shown.startswith(words.split()[0] + ": ") and shown.count("\n") == 1, shown
    assert (free(path), states(path)) == before


def test_a_vm_that_is_dying_is_told_from_one_that_is_not_there(one):
    machine, path = one()
    assert ctl(path, "create", "large", "from", "vm1", "mem=120M")[0] == 0
    settled(path, {"vm1": "idle", "large": "idle"})
    monitor(machine)
    machine.send("destroy large\rdestroy large\rcreate large from vm1 mem=8M\r")
    machine.expect("large is gone, and its 120 MiB are free")
    machine.expect("destroy: there is no VM large")
    machine.expect("large is number 2, and starts")
    machine.type_line("kill large")
    machine.expect("candor: large: ended by the monitor")
    settled(path, {"vm1": "idle", "large": "off"})
    for verb in ("kill", "pause", "resume"):
        assert ctl(path, verb, "large")[1]["error"] == "large is off"


def test_each_machine_that_comes_has_its_log(one, tmp_path):
    machine, path = one("--log", tmp_path / "logs")
    for _ in range(2):
        assert ctl(path, "create", "spare")[0] == 0
        machine.expect("candor: spare: shut down")
        assert ctl(path, "destroy", "spare")[0] == 0
    assert ctl(path, "create", "other", "from", "spare")[0] == 0
    machine.expect("candor: other: shut down")
    ctl(path, "quit")
    machine.wait_exit()
    text = (tmp_path / "logs" / "vm-spare.log").read_text()
    assert text.count("DONE\n") == 2
    assert (tmp_path / "logs" / "vm-other.log").read_text().count("DONE\n") == 1


def test_a_machine_can_start_with_no_vm(candor, tmp_path):
    machine = candor(f"{HELLO},name=spare,start=no", options=("--ctl", tmp_path / "ctl"))
    machine.expect("candor: no machine is started yet: Ctrl-T m, then create")
    monitor(machine)
    machine.type_line("create spare")
    machine.expect("candor: spare: shut down")
    assert machine.wait_exit() == 0
