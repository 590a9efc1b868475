# SPDX-License-Identifier: MIT
"""What is missing when it is needed: harts that do not come up or come late, memory that is one unit too little. Each is told in
one line with what to do about it, and whatever can start does."""

import socket
import subprocess
import time

import pytest
from candorlib.gdb_remote import Remote
from machine import ROOT
from test_harts import look_until

BUDGET_S = 60

DEBUG = ("--hypervisor", str(ROOT / "build/debug/candor.elf"))
FRANK = "image=build/frank-pv.elf,initrd=build/initrd.img"
PREFIX = "\x14"


@pytest.fixture
def held(candor):
    """held(harts, *vms): a machine of which one hart alone runs, and the connection that can let the others go."""
    remotes = []

    def start(harts, *vms, first=0, **rest):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        machine = candor(*vms, options=("--smp", str(harts), "--gdb", str(port), *DEBUG), **rest)
        remote = Remote(port)
        remotes.append(remote)
        remote.ask(b"?")
        remote.send(b"vCont;c:%d" % (first + 1))
        return machine, remote

    yield start
    for remote in remotes:
        remote.close()


def audit(machine):
    machine.send(PREFIX + "m")
    machine.expect("candor> ")
    machine.type_line("audit")
    assert machine.expect("audit: (clean|BROKEN)[^\r\n]*\r")[1] == "clean", machine.transcript[-500:]


def test_harts_that_never_come_up_are_named_and_the_machine_goes_on(held):
    machine, _ = held(3, FRANK)
    begun = time.monotonic()
    for hart in (1, 2):
        machine.expect(f"candor: hart {hart} has not come up in 500 ms: the machine goes on without it")
    machine.prompt()
    assert time.monotonic() - begun < 10
    assert machine.shell("echo one") == "one\n"
    audit(machine)
    machine.send(PREFIX + "1")
    machine.type_line("reboot")
    machine.expect("reboots")
    machine.prompt()
    machine.type_line("poweroff")
    assert machine.wait_exit() == 0


def test_a_hart_that_comes_late_takes_part(held):
    machine, remote = held(2, FRANK + ",name=a", "image=build/tests/guest/hostile_hog.elf,name=b")
    machine.expect("candor: hart 1 has not come up in 500 ms")
    machine.expect(r"a\S*\| [^\r\n]*frank\$ ")
    machine.type_line("spin > /dev/null &")
    look_until(machine, 2, lambda found: {(row[0], row[5]) for row in found.values()} == {("running", 0)})
    remote.stop()
    remote.send(b"vCont;c")
    machine.expect("candor: hart 1 has come up late, and takes part")
    # Of two that compute one moves over, whichever.
    look_until(machine, 2, lambda found: {(row[0], row[5]) for row in found.values()} == {("running", 0), ("running", 1)})
    audit(machine)
    machine.send(PREFIX + "1")
    machine.type_line("poweroff")
    machine.expect("a: shut down")


@pytest.fixture
def unlisted(tmp_path):
    """What a machine of two harts is started with whose device tree does not list hart 1."""
    tree = tmp_path / "tree"
    words = ["qemu-system-riscv64", "-smp", "2", "-m", "256M", "-machine", f"virt,dumpdtb={tree}"]
    subprocess.run(words, check=True, capture_output=True, timeout=20)
    data = tree.read_bytes()
    node = data.index(b"cpu@1\0")
    place = data.index(b"cpu\0", node + len(b"cpu@1\0"))  # its device_type
    tree.write_bytes(data[:place] + b"not\0" + data[place + len(b"not\0") :])
    return {"QEMUEXTRA": f"-dtb {tree}"}


def test_a_hart_that_the_device_tree_does_not_list_has_no_part(held, unlisted):
    machine, remote = held(2, FRANK, environment=unlisted)
    assert machine.expect(r"candor: riscv-virtio,qemu: (\d+) hart")[1] == "1"
    machine.prompt()
    remote.stop()
    remote.send(b"vCont;c")
    machine.expect("candor: hart 1 stays out: the device tree does not list it")
    machine.expect("\n")
    assert "echo works" in machine.shell("echo echo works")
    audit(machine)
    machine.send(PREFIX + "1")
    machine.type_line("poweroff")
    assert machine.wait_exit() == 0


def test_a_machine_does_not_start_on_a_hart_that_its_device_tree_does_not_list(held, unlisted):
    machine, _ = held(2, FRANK, first=1, environment=unlisted)
    machine.expect("candor: this machine is refused: the hart that came first is none that its device tree lists: start it again")
    assert machine.wait_exit() == 1


# ---- memory ----


@pytest.fixture
def packed(start, tmp_path):
    """packed(mem, ...): Candor on a small machine, each of whose VMs asks for that much of its memory, unseen by the launcher."""

    def run(*vm_memory, machine_memory="128M", **rest):
        path = tmp_path / "one.bundle"
        vms = [word for size in vm_memory for word in ("--vm", f"image=build/tests/guest/hello.elf,mem={size}")]
        machine = start("pack", *vms, "--output", path)
        assert machine.wait_exit() == 0
        return start("run", "--bundle", path, "--mem", machine_memory, **rest)

    return run


def test_memory_at_the_exact_limit(packed):
    """One unit of 2 MiB of what the machine has for guests holds the tables of the direct maps."""
    machine = packed("4M")
    room = int(machine.expect(r"candor: (\d+) MiB for guests")[1])
    assert machine.wait_exit() == 0
    machine = packed(f"{room - 2}M")
    machine.expect("DONE")
    assert machine.wait_exit() == 0
    machine = packed(f"{room}M")
    machine.expect(rf"candor: vm1: not started: it needs {room} MiB, and {room - 2} MiB are left for it: give it less \(mem=\), or")
    assert machine.wait_exit() == 1
    machine = packed(f"{room + 2}M")
    machine.expect(rf"candor: vm1: not started: it asks for more memory than the machine has for guests, {room} MiB: give it less")
    assert machine.wait_exit() == 1


def test_of_machines_that_want_too_much_together_the_first_in_the_bundle_has_it(packed):
    machine = packed("80M", "80M", "4M")
    machine.expect(r"candor: vm2: not started: it needs 80 MiB, and \d+ MiB are left for it: give it less \(mem=\), or the machine more")
    done = {machine.expect(r"(vm\d)\S*\| [^\r\n]*DONE")[1] for _ in range(2)}
    assert done == {"vm1", "vm3"}
    assert machine.wait_exit() == 1


def test_a_machine_too_small_for_candor_is_refused_with_the_cure(packed):
    machine = packed("4M", environment={"QEMUEXTRA": "-m 8M"})
    machine.expect(r"candor: this machine is refused: its memory is too small for Candor, the bundle and a guest: start it with more")
    assert machine.wait_exit() == 1
