# SPDX-License-Identifier: MIT
"""Candor itself: it boots a guest, says what it refuses and why, and ends with the right status."""

import elf_builder
import pytest
from candorlib import bundle, vmspec
from machine import ROOT

BUDGET_S = 60

FRANK = "image=build/frank-pv.elf,initrd=build/initrd.img"
HELLO = "image=build/tests/guest/hello.elf"


@pytest.fixture
def image_file(tmp_path):
    def write(data, name="guest.elf"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def test_a_paravirtual_frank_reaches_its_prompt_and_powers_off(candor):
    machine = candor(FRANK)
    machine.expect("candor: Ctrl-T")
    machine.prompt()
    assert machine.shell("echo one") == "one\n"
    machine.type_line("poweroff")
    machine.expect("vm1: shut down")
    assert machine.wait_exit() == 0


def test_a_kernel_that_panics_is_told_by_the_exit_status(candor):
    machine = candor("image=build/frank-pv.elf")
    machine.expect("frank: panic: root=ram0 cannot be mounted")
    machine.expect("vm1: shut down, and reports a failure")
    assert machine.wait_exit() == 1


def test_the_smallest_guest_finds_its_start_information(candor):
    machine = candor(HELLO + ",args=a b=c,,d,mem=32M", options=("--smp", "2"))
    machine.expect("args 'a b=c,d', 32 MiB")
    machine.expect("DONE")
    assert "FAIL" not in machine.transcript
    assert machine.wait_exit() == 0


def test_a_machine_with_the_hypervisor_extension_is_refused_with_the_reason(candor):
    machine = candor(HELLO, options=("--cpu", "h=true"))
    machine.expect("this machine is refused: it has the hypervisor extension")
    assert machine.wait_exit() == 1


def test_a_machine_with_vectors_is_refused_with_the_reason(candor):
    machine = candor(HELLO, options=("--cpu", "v=true"))
    machine.expect("this machine is refused: .*vector")
    assert machine.wait_exit() == 1


def test_without_a_terminal_the_guests_get_every_byte(start):
    """Standard input is a pipe: no key of QEMU's stands between it and the guest, and its end does no harm."""
    machine = start("run", "--vm", FRANK, through=(b"echo piped\r", b"poweroff\r"))
    machine.expect("piped\r*\n.*piped\r*\n")
    machine.expect("vm1: shut down")
    assert machine.wait_exit() == 0


def test_what_was_typed_before_the_start_is_not_lost(start):
    machine = start("run", "--vm", FRANK, through=(b"echo early\rpoweroff\r",), delay_s=0)
    machine.expect("frank[$] .*early\r*\n", timeout=20)
    assert machine.wait_exit() == 0
    assert "not found" not in machine.transcript


BAD_IMAGES = {
    "rubbish": b"rubbish" * 100,
    "cut": elf_builder.guest()[:-4],
    "another processor": elf_builder.image(machine=62, notes=elf_builder.note()),
    "unmodified": elf_builder.image(),
    "another ABI": elf_builder.guest(version=77),
    "pool outside": elf_builder.guest(pool_base=0x84000000),
    "pool over image": elf_builder.guest(pool_base=0x80200000),
    "outside memory": elf_builder.image([(0x90000000, b"x" * 8, 5)], notes=elf_builder.note()),
    "overlap": elf_builder.image(
        [(0x80200000, b"x" * 64, 5), (0x80200020, b"y" * 64, 6)], notes=elf_builder.note()
    ),
}


@pytest.mark.parametrize("case", BAD_IMAGES)
def test_candor_refuses_a_bad_image_in_one_line_and_starts_the_other(case, image_file, candor):
    bad = f"image={image_file(BAD_IMAGES[case])},name=bad"
    machine = candor(bad, HELLO + ",name=good", options=("--unchecked",))
    machine.expect("DONE")
    machine.wait_exit()
    told = [line for line in machine.transcript.splitlines() if "candor: bad: " in line]
    assert len(told) == 1, told
    assert "candor: good: shut down" in machine.transcript


def damaged(packed, at, value):
    return packed[:at] + value + packed[at + len(value) :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: damaged(packed, 0, b"NOTCANDO"),
        lambda packed: damaged(packed, 8, b"\x63\0\0\0"),
        lambda packed: damaged(packed, 12, b"\0\0\0\0"),
        lambda packed: damaged(packed, 12, b"\xff\xff\xff\xff"),
        lambda packed: damaged(packed, 16, b"\xff" * 8),
        lambda packed: damaged(packed, len(packed) - 4096, b"\x01"),
        lambda packed: packed[: len(packed) // 2],
    ],
    ids=["magic", "version", "no machines", "many machines", "length", "one byte", "cut"],
)
def test_a_damaged_bundle_is_refused_in_one_line(damage, tmp_path, start):
    machines = vmspec.parse_machines([f"image={ROOT}/build/tests/guest/hello.elf"], pytest.fail)
    path = tmp_path / "bundle"
    path.write_bytes(damage(bundle.pack(machines)))
    machine = start("run", "--bundle", path)
    machine.expect("candor: [^\r\n]*bundle[^\r\n]*")
    assert machine.wait_exit() != 0
    assert "hello" not in machine.transcript
