# SPDX-License-Identifier: MIT
"""tools/candor: what it accepts and refuses, what it packs, the QEMU command that it makes. No machine is booted."""

import json
import os
import struct
import subprocess
from pathlib import Path

import elf_builder
import pytest
from candorlib import bundle, elf, vmspec
from candorlib.problem import MIB, Problem, parse_size

BUDGET_S = 45

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def image_file(tmp_path):
    """Writes an image to a file; returns its path."""

    def write(data, name="guest.elf"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def run_launcher(*words, environment=None):
    return subprocess.run(
        ["timeout", "-k", "5", "20", ROOT / "tools/candor", *map(str, words)],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
        env={**os.environ, "QEMUEXTRA": "", **(environment or {})},
    )  # fmt: skip


@pytest.fixture
def fake_qemu(tmp_path):
    """A program in QEMU's place: tells its version, shows its arguments, ends with status 42."""
    path = tmp_path / "qemu"
    path.write_text(
        "#!/usr/bin/python3\nimport json, sys\n"
        "if sys.argv[1:] == ['--version']: print('QEMU emulator version VERSION'); sys.exit(0)\n"
        "files = [word for word in sys.argv if word.startswith('loader,')]\n"
        "data = open(files[0].split('file=')[1].split(',')[0], 'rb').read().hex() if files else ''\n"
        "print(json.dumps([sys.argv[1:], data]))\nsys.exit(42)\n".replace("VERSION", "7.2.0")
    )
    path.chmod(0o755)
    return path


@pytest.fixture
def hypervisor(image_file):
    return ("--hypervisor", image_file(elf_builder.image(), "candor.elf"))


REFUSED_IMAGES = {
    "empty": (b"", "not an ELF file"),
    "text": (b"#!/bin/sh\n" * 20, "not an ELF file"),
    "x86": (elf_builder.image(machine=62), "another processor"),
    "32 bits": (elf_builder.guest()[:4] + b"\x01" + elf_builder.guest()[5:], "64-bit little-endian"),
    "shared object": (elf_builder.image(kind=3), "not an executable"),
    "cut in the headers": (elf_builder.guest()[:80], "truncated"),
    "cut in a segment": (elf_builder.guest()[:-8], "truncated"),
    "overlap": (
        elf_builder.image([(0x80200000, b"x" * 64, 5), (0x80200020, b"y" * 64, 6)], notes=elf_builder.note()),
        "overlap",
    ),
    "nothing to load": (elf_builder.image([], notes=elf_builder.note()), "nothing to load"),
    "entry outside": (elf_builder.image(entry=0x80300000, notes=elf_builder.note()), "entry"),
    "entry in data": (elf_builder.image([(0x80200000, b"x" * 8, 6)], notes=elf_builder.note()), "entry"),
    "below memory": (elf_builder.image([(0x1000, b"x" * 8, 5)], notes=elf_builder.note()), "outside its memory"),
    "above memory": (elf_builder.image([(0x84000000, b"x" * 8, 5)], notes=elf_builder.note()), "outside its memory"),
    "no note": (elf_builder.image(), "unmodified guest"),
    "no note, another entry": (elf_builder.image(entry=0x80300000), "unmodified guest"),
    "another's note": (elf_builder.guest(owner=b"Xen\0"), "unmodified guest"),
    "short note": (elf_builder.guest(length=16), "has 16 bytes"),
    "old ABI": (elf_builder.guest(version=0), "ABI version 0"),
    "crooked pool": (elf_builder.guest(pool_base=0x80001000), "2 MiB"),
    "empty pool": (elf_builder.guest(pool_bytes=0), "2 MiB"),
    "pool outside": (elf_builder.guest(pool_base=0x84000000), "does not fit"),
    "pool over image": (elf_builder.guest(pool_base=0x80200000), "overlaps the note's pool"),
}


@pytest.mark.parametrize("case", REFUSED_IMAGES)
def test_a_bad_image_is_refused_with_the_machine_and_the_reason(case, image_file, hypervisor):
    data, reason = REFUSED_IMAGES[case]
    done = run_launcher("run", *hypervisor, "--dry-run", "--vm", f"image={image_file(data)},name=alpha")
    assert done.returncode == 2
    first = done.stderr.splitlines()[0]
    assert first.startswith("candor: vm alpha: ") and reason in first
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "options, reason",
    [
        ("name=a", "no image is given"),
        ("image=/nonexistent", "No such file"),
        ("image=/", "Is a directory"),
        ("image=GOOD,colour=red", "unknown option 'colour'"),
        ("image=GOOD,mem", "not of the form key=value"),
        ("image=GOOD,mem=64M,mem=32M", "given twice"),
        ("image=GOOD,mem=lots", "not a size"),
        ("image=GOOD,mem=0", "not a size"),
        ("image=GOOD,mem=3M", "not a multiple"),
        ("image=GOOD,virt=hw", "unknown virt 'hw'"),
        ("image=GOOD,traps=none", "unknown traps"),
        ("image=GOOD,counters=no", "unknown counters"),
        ("image=GOOD,depriv=u", "'depriv' is of virt=shadow alone"),
        ("image=GOOD,virt=shadow,depriv=m", "unknown depriv"),
        ("image=GOOD,virt=shadow,traps=bounced", "'traps' is of virt=pv alone"),
        ("image=GOOD,fastpaths=maybe", "unknown fastpaths"),
        ("image=GOOD,name=", "'name' is empty"),
        ("image=GOOD,initrd=", "'initrd' is empty"),
        ("image=GOOD,name=0123456789abcdef", "a name has"),
        ("image=GOOD,name=a b", "a name has"),
        ("image=GOOD,args=" + "x" * 256, "shorter than 256"),
        ("image=GOOD,args=a\x1b[2J", "printable"),
        ("image=GOOD,initrd=/nonexistent", "cannot read initrd"),
    ],
)
def test_a_bad_option_is_refused_and_the_other_machine_starts(options, reason, image_file, hypervisor):
    good = image_file(elf_builder.guest())
    words = ("--vm", options.replace("GOOD", str(good)), "--vm", f"image={good},name=good")
    done = run_launcher("run", *hypervisor, "--dry-run", *words)
    assert reason in done.stderr.splitlines()[0]
    assert len(done.stderr.splitlines()) == 1
    assert done.returncode == 0 and "loader,file=" in done.stdout


@pytest.mark.parametrize("word", ["--bogus", "--smp=x", "--gdb=x", "--vm"])
def test_what_is_no_option_is_refused_in_one_line(word, hypervisor):
    done = run_launcher("run", *hypervisor, word)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("candor: ") and word.partition("=")[0] in done.stderr


def test_a_second_machine_of_the_same_name_is_refused(image_file, hypervisor):
    vm = f"image={image_file(elf_builder.guest())},name=twin"
    done = run_launcher("run", *hypervisor, "--dry-run", "--vm", vm, "--vm", vm)
    assert done.stderr == "candor: vm twin: another virtual machine has the same name\n"
    assert done.returncode == 0


def test_a_machine_too_small_for_its_initrd_is_refused(image_file, hypervisor):
    guest, initrd = image_file(elf_builder.guest()), image_file(b"i" * 3 * MIB, "initrd")
    done = run_launcher("run", *hypervisor, "--dry-run", "--vm", f"image={guest},initrd={initrd},mem=4M")
    assert done.returncode == 2
    assert done.stderr.startswith("candor: vm vm1: too little memory")


@pytest.mark.parametrize(
    "words, reason",
    [
        ((), "no virtual machine is given"),
        (("--vm", "image=GOOD", "--mem", "32M"), "is too little"),
        (("--vm", "image=GOOD", "--smp", "0"), "--smp"),
        (("--vm", "image=GOOD", "--cpu", "h=maybe"), "--cpu"),
        (("--vm", "image=GOOD", "--hypervisor", "/nonexistent"), "cannot read hypervisor"),
        (("--vm", "image=GOOD", "--bundle", "x"), "exclude each other"),
    ],
)
def test_a_bad_machine_is_refused_in_one_line(words, reason, image_file, hypervisor):
    good = str(image_file(elf_builder.guest()))
    done = run_launcher("run", *hypervisor, "--dry-run", *(word.replace("GOOD", good) for word in words))
    assert done.returncode == 2
    assert reason in done.stderr and len(done.stderr.splitlines()) == 1


def test_an_absent_emulator_is_named_with_the_cure(image_file, hypervisor):
    vm = f"image={image_file(elf_builder.guest())}"
    done = run_launcher("run", *hypervisor, "--vm", vm, environment={"QEMU": "/nonexistent/qemu"})
    assert done.returncode == 2
    assert "/nonexistent/qemu is not there" in done.stderr


def test_the_exit_status_and_the_arguments_are_passed_on(image_file, hypervisor, fake_qemu):
    vm = f"image={image_file(elf_builder.guest())},name=one,args=init=/bin/sh a,,b"
    done = run_launcher("run", *hypervisor, "--smp", "2", "--vm", vm, "--icount", "--cpu", "h=true",
                        environment={"QEMU": str(fake_qemu), "QEMUEXTRA": "-d 'guest errors'"})  # fmt: skip
    assert done.returncode == 42, done.stderr
    words, packed = json.loads(done.stdout)
    assert words[-2:] == ["-d", "guest errors"]
    assert words[words.index("-smp") + 1] == "2"
    assert words[words.index("-icount") + 1] == "shift=0,sleep=off"
    cpu = words[words.index("-cpu") + 1].split(",")
    assert "h=true" in cpu and "h=false" not in cpu and "v=false" in cpu and "zicbom=false" not in cpu
    record = bundle.RECORD.unpack_from(bytes.fromhex(packed), bundle.HEADER.size)
    assert record[0].rstrip(b"\0") == b"one"
    assert record[10].rstrip(b"\0") == b"init=/bin/sh a,b"


def test_a_newer_emulator_gets_its_new_extensions_switched_off(image_file, hypervisor, fake_qemu):
    fake_qemu.write_text(fake_qemu.read_text().replace("7.2.0", "10.0.2 (Debian)"))
    vm = f"image={image_file(elf_builder.guest())}"
    done = run_launcher("run", *hypervisor, "--vm", vm, environment={"QEMU": str(fake_qemu)})
    words, _ = json.loads(done.stdout)
    assert {"zicbom=false", "svadu=false", "h=false"} <= set(words[words.index("-cpu") + 1].split(","))


def test_native_starts_the_kernel_with_the_standard_firmware(image_file, fake_qemu):
    kernel, initrd = image_file(elf_builder.image()), image_file(b"disk", "initrd")
    done = run_launcher("native", "--image", kernel, "--initrd", initrd, "--args", "init=/bin/sh",
                        environment={"QEMU": str(fake_qemu)})  # fmt: skip
    words, _ = json.loads(done.stdout)
    assert done.returncode == 42
    for key, value in (("-bios", "default"), ("-kernel", str(kernel)), ("-initrd", str(initrd)), ("-append", "init=/bin/sh")):
        assert words[words.index(key) + 1] == value


def test_the_bundle_holds_what_its_header_file_says(image_file, tmp_path):
    first, second = elf_builder.guest(), elf_builder.image([(0x80200000, b"z" * 9000, 5)], notes=elf_builder.note())
    (tmp_path / "initrd").write_bytes(b"i" * 5000)
    output = tmp_path / "out.bundle"
    done = run_launcher(
        "pack", "--output", output,
        "--vm", f"image={image_file(first, 'a')},name=first,mem=32M,traps=bounced,initrd={tmp_path}/initrd",
        "--vm", f"image={image_file(second, 'b')},name=second,counters=raw",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    data = output.read_bytes()
    magic, version, count, total, checksum = bundle.HEADER.unpack_from(data)
    assert (magic, version, count, total) == (b"CANDORVM", 1, 2, len(data))
    assert checksum == bundle.checksum(data[:24] + data[32:])
    one = struct.unpack_from("<32sQQQQQIIII", data, 32)
    two = struct.unpack_from("<32sQQQQQIIII", data, 32 + 512)
    assert one[0].rstrip(b"\0") == b"first" and one[1] == 32 * MIB and one[6:] == (1, 1, 0, 1)
    assert two[0].rstrip(b"\0") == b"second" and two[1] == 64 * MIB and two[6:] == (1, 0, 1, 1)
    assert data[one[2] : one[2] + one[3]] == first
    assert data[one[4] : one[4] + one[5]] == b"i" * 5000
    assert data[two[2] : two[2] + two[3]] == second
    assert two[4:6] == (0, 0)
    assert all(offset % 4096 == 0 for offset in (one[2], one[4], two[2]))


def test_the_same_file_for_two_machines_is_packed_once(image_file):
    texts = [f"image={image_file(elf_builder.guest())},name=vm{number}" for number in range(8)]
    packed = bundle.pack(vmspec.parse_machines(texts, pytest.fail))
    assert len(packed) <= 3 * bundle.ALIGNMENT


def test_unchecked_images_are_left_to_candor(image_file):
    machine = vmspec.parse_machine(f"image={image_file(b'rubbish')}", 1, check=False)
    assert machine.image_data == b"rubbish"


def test_symbols_behind_the_last_segment_are_not_packed(image_file):
    data = elf_builder.guest()
    machine = vmspec.parse_machine(f"image={image_file(data + b'symbols')}", 1)
    assert machine.image_data == data


@pytest.mark.parametrize("text, count", [("64M", 64 * MIB), ("1G", 1024 * MIB), ("512k", MIB // 2), ("128", 128 * MIB)])
def test_sizes_are_read_with_their_units(text, count):
    assert parse_size(text, "size") == count


def test_damaged_images_never_end_the_reader_otherwise_than_by_a_problem():
    data = elf_builder.guest()
    for at in range(len(data)):
        for value in (0, 1, 0x7F, 0xFF):
            damaged = data[:at] + bytes([value]) + data[at + 1 :]
            try:
                elf.read_image(damaged)
            except Problem:
                pass


# ---- disks ----


def dry_run(hypervisor, fake_qemu, *vms):
    """(the words for QEMU, the disks' slots by the bundle's records, what is complained of)"""
    words = [word for vm in vms for word in ("--vm", vm)]
    done = run_launcher("run", *hypervisor, *words, environment={"QEMU": str(fake_qemu)})
    if done.returncode != 42:
        return [], [], done.stderr
    command, packed = json.loads(done.stdout)
    data = bytes.fromhex(packed)
    records = [bundle.RECORD.unpack_from(data, 32 + 512 * at) for at in range(bundle.record_count(data))]
    return command, [record[-1] for record in records], done.stderr


@pytest.fixture
def disk_file(tmp_path):
    def make(name, size=4096):
        path = tmp_path / name
        path.write_bytes(bytes(size))
        return path

    return make


def test_each_machine_has_its_own_drive_in_the_slot_that_its_record_names(image_file, hypervisor, fake_qemu, disk_file):
    guest, first, second = image_file(elf_builder.guest()), disk_file("first,img"), disk_file("second.img")
    escaped = str(first).replace(",", ",,")
    command, slots, _ = dry_run(
        hypervisor, fake_qemu, f"image={guest},disk={escaped}", f"image={guest}", f"image={guest},disk={second}:ro"
    )
    assert slots == [1, 0, 2]
    drives = [command[at + 1] for at, word in enumerate(command) if word == "-drive"]
    devices = [word for word in command if word.startswith("virtio-blk-device")]
    assert drives == [f"file={escaped},if=none,format=raw,id=disk0", f"file={second},if=none,format=raw,id=disk1,readonly=on"]
    assert devices == [f"virtio-blk-device,drive=disk{n},bus=virtio-mmio-bus.{n}" for n in range(2)]
    assert "virtio-mmio.force-legacy=off" in command


def test_without_a_disk_there_is_no_drive(image_file, hypervisor, fake_qemu):
    command, slots, _ = dry_run(hypervisor, fake_qemu, f"image={image_file(elf_builder.guest())}")
    assert slots == [0] and "-drive" not in command and "virtio-mmio.force-legacy=off" not in command


def test_a_ninth_disk_is_refused_with_that_reason_and_costs_its_machine_alone(image_file, hypervisor, fake_qemu, disk_file):
    guest = image_file(elf_builder.guest())
    vms = [f"image={guest},disk={disk_file(f'd{n}')}" for n in range(9)]
    command, slots, complaint = dry_run(hypervisor, fake_qemu, *vms)
    assert slots == [*range(1, 9)] and command.count("-drive") == 8
    assert "vm vm9: no place is left for its disk: the machine has slots for 8, and others have them" in complaint


def test_two_machines_do_not_share_a_file_that_one_of_them_writes_to(image_file, hypervisor, fake_qemu, disk_file, tmp_path):
    guest, disk, link = image_file(elf_builder.guest()), disk_file("disk"), tmp_path / "link"
    link.symlink_to(disk)
    for other in (disk, link, f"{disk}:ro"):
        _, slots, complaint = dry_run(hypervisor, fake_qemu, f"image={guest},name=a,disk={disk}", f"image={guest},name=b,disk={other}")
        assert slots == [1] and f"vm b: disk {str(other).removesuffix(':ro')} is a's: each needs a file of its own" in complaint
    _, slots, _ = dry_run(hypervisor, fake_qemu, f"image={guest},disk={disk}:ro", f"image={guest},disk={link}:ro")
    assert slots == [1, 2]


@pytest.mark.parametrize("name, size, complaint", [
    ("none", None, "cannot be written: No such file or directory; build/tools/mkfs.frank makes one"),
    ("none:ro", None, "cannot be read: No such file or directory"),
    (".", None, "cannot be written: Is a directory"),
    ("odd", 1000, "has 1000 bytes, which are not whole sectors of 512"),
    ("empty", 0, "has 0 bytes, which are not whole sectors of 512"),
])  # fmt: skip
def test_a_file_that_is_no_disk_is_refused(image_file, hypervisor, fake_qemu, disk_file, tmp_path, name, size, complaint):
    if size is not None:
        disk_file(name, size)
    _, slots, found = dry_run(hypervisor, fake_qemu, f"image={image_file(elf_builder.guest())},disk={tmp_path}/{name}")
    assert slots == [] and complaint in found


def test_a_packed_bundle_gets_its_disks_in_order(image_file, hypervisor, fake_qemu, disk_file, tmp_path):
    vm, packed = f"image={image_file(elf_builder.guest())},disk={disk_file('a')}", tmp_path / "packed"
    assert run_launcher("pack", "--output", packed, "--vm", vm).returncode == 0
    done = run_launcher("run", *hypervisor, "--bundle", packed, "--disk", disk_file("b"), environment={"QEMU": str(fake_qemu)})
    assert f"file={tmp_path}/b,if=none,format=raw,id=disk0" in json.loads(done.stdout)[0]
    done = run_launcher("run", *hypervisor, "--vm", vm, "--disk", disk_file("b"), environment={"QEMU": str(fake_qemu)})
    assert done.returncode == 2 and "--disk is for --bundle" in done.stderr
