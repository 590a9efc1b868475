# SPDX-License-Identifier: MIT
"""Frank's native image, byte for byte, runs on Candor: with its kernel in S-mode and with its kernel in U-mode."""

import hashlib
import re

import pytest
from machine import BUILD

BUDGET_S = 60
SIDE_BY_SIDE = True
UNMODIFIED = "image=build/frank-native.elf,initrd=build/initrd.img,virt=shadow"
DEPRIVILEGINGS = ("s", "u")
LOOKS = 50  # at a machine whose shell has just printed its prompt
MONITOR = "\x14m"


def audit(machine):
    machine.send(MONITOR)
    machine.expect("candor> ")
    machine.type_line("audit")
    machine.expect(r"audit: (clean|BROKEN)[^\r\n]*")
    assert "BROKEN" not in machine.transcript


def counts(machine):
    """{group: {name: count}} of what the first machine has cost, by `vms -v`."""
    machine.send(MONITOR)
    machine.expect("candor> ")
    machine.type_line("vms -v")
    shown = machine.expect(r"reboots(.*?)candor> ")[1]
    groups = {}
    for title, numbers in re.findall(r"\n    (\w+) +([^\r\n]*)", shown):
        groups.setdefault(title, {}).update({name: int(count) for name, count in re.findall(r"(\S+) (\d+)", numbers)})
    return groups


def test_the_image_in_the_bundle_is_the_one_that_boots_the_bare_machine(tmp_path):
    """What the launcher packs of it is what an ELF loader reads: all but the symbols behind."""
    from candorlib import vmspec

    packed = vmspec.parse_machine(UNMODIFIED.replace("build/", f"{BUILD}/"), 1).image_data
    image = (BUILD / "frank-native.elf").read_bytes()
    assert hashlib.sha256(packed).digest() == hashlib.sha256(image[: len(packed)]).digest()


@pytest.mark.parametrize("depriv", DEPRIVILEGINGS)
def test_an_unmodified_frank_works_and_its_shadows_hold(candor, depriv):
    machine = candor(f"{UNMODIFIED},name=un,depriv={depriv}")
    machine.expect("Frank on the bare machine")
    machine.prompt()
    assert machine.shell("echo a b c | wc").split() == ["1", "3", "6"]
    machine.shell("ls /bin > /list")
    assert "init" in machine.shell("cat /list")
    audit(machine)
    machine.send("\x141")
    cost = counts(machine)
    assert cost["shadows"]["fills"] > 100 and cost["shadows"]["guest-faults"] > 0 and cost["shadows"]["spaces-found"] > 0
    assert 0 < sum(cost["fences"].values()) <= cost["emulated"]["sfence.vma"]
    assert 0 < sum(cost["csrs"].values()) <= cost["emulated"]["csr"]
    if depriv == "u":
        assert cost["emulated"]["sret"] >= cost["entries"]["user-call"] > 0 and cost["csrs"]["stvec"] == 1
    else:
        assert set(cost["csrs"]) == {"satp"} and "sret" not in cost["emulated"] and "user-call" not in cost["entries"]
    machine.send("\x141")
    machine.type_line("poweroff")
    assert machine.wait_exit() == 0


def test_a_page_that_a_program_gave_away_is_gone(candor):
    """What fences are for. Where Candor leaves out its part of one, the page stays readable: docs/shadow.md shows that."""
    machine = candor(f"{UNMODIFIED},name=un,args=init=/bin/stale")
    assert machine.wait_exit() == 0
    assert "stale: the page is gone: reading it was a fault" in machine.transcript


@pytest.mark.parametrize("depriv", DEPRIVILEGINGS)
def test_an_unmodified_frank_reboots(candor, depriv):
    machine = candor(f"{UNMODIFIED},name=un,depriv={depriv}")
    machine.prompt()
    machine.type_line("reboot")
    machine.expect("un: reboots")
    machine.expect("Frank on the bare machine")
    machine.prompt()
    machine.type_line("poweroff")
    assert machine.wait_exit() == 0


def test_unmodified_and_paravirtual_machines_run_together(candor):
    paravirtual = "image=build/frank-pv.elf,initrd=build/initrd.img"
    machine = candor(
        f"{UNMODIFIED},name=s1", f"{UNMODIFIED},name=u1,depriv=u", f"{paravirtual},name=p1", f"{paravirtual},name=p2,traps=bounced"
    )
    for number, name in enumerate(("s1", "u1", "p1", "p2"), 1):
        machine.send(f"\x14{number}")
        machine.expect(rf"{name}\S*\| frank\$ ")  # what is typed before its driver has started is lost, as on hardware
        machine.type_line(f"echo from {name}")
        machine.expect(rf"{name}\S*\| from {name}")
    audit(machine)
    machine.type_line("quit")
    assert machine.wait_exit() == 0


def test_unmodified_machines_come_and_go(candor):
    machine = candor(f"{UNMODIFIED},name=un,start=no", f"{UNMODIFIED},name=stays")
    machine.expect("stays|Welcome")
    machine.send(MONITOR)
    machine.expect("candor> ")
    machine.type_line("create more from un mem=32M")
    machine.expect("create: its device tree says how much memory it has")
    for _ in range(3):
        machine.type_line("create more from un")
        machine.expect(r"more\S*\| Frank on the bare machine")
        machine.type_line("kill more")
        machine.expect("more: ended by the monitor")
        machine.type_line("destroy more")
        machine.expect("candor> ")
    audit(machine)


def test_an_idle_unmodified_machine_gives_its_hart_away(candor):
    machine = candor(f"{UNMODIFIED},name=un")
    machine.prompt()
    machine.send(MONITOR)
    machine.expect("candor> ")
    for _ in range(LOOKS):
        machine.type_line("vms")
        machine.expect(r"un +(idle|running)")
        if machine.transcript.endswith("idle"):
            return
    raise AssertionError("it never sleeps")


def test_an_image_that_cannot_be_one_is_refused_by_name(candor):
    machine = candor("image=build/frank-native.elf,name=small,virt=shadow,mem=2M")
    machine.expect(r"vm small: segment \[[^\n]*lies outside its memory[^\n]*give it more with mem=")
    assert re.search("small", machine.transcript)
    assert machine.wait_exit() != 0
