# SPDX-License-Identifier: MIT
"""The --vm option: what a person says of one virtual machine, and the checks of it."""

import os
import re
from dataclasses import dataclass, field

from . import abi, bundle, devicetree, qemu
from .elf import functions, read_image
from .problem import MIB, Problem, parse_size, read_file, show_size

MEMORY_BASE = 0x80000000
MEMORY_UNIT = 2 * MIB
MEMORY_DEFAULT = "64M"
KEYS = (
    "image", "raw", "name", "mem", "virt", "traps", "depriv", "initrd", "args", "counters", "start", "fastpaths", "weight",
    "disk", "sstc", "vcpus",
)  # fmt: skip
# Options that mean something on one path only.
PATH_OF = {
    "traps": "pv", "fastpaths": "pv", "depriv": "shadow", "raw": "shadow", "sstc": "shadow",
}  # fmt: skip
RAW_BASE = 0x80200000


@dataclass
class Machine:
    """One virtual machine, checked: ready to be packed."""

    name: str
    memory_bytes: int
    virt: str
    traps: str
    depriv: str
    counters: str
    args: str
    image_data: bytes
    initrd_data: bytes
    tree_data: bytes = b""
    start: str = "yes"
    fastpaths: str = "yes"
    functions: list = field(default_factory=list)  # of the image: (address, bytes, name), in order
    weight: int = 0  # 0: none was given
    vcpus: int = 1
    raw: bool = False  # the image has no format: it is loaded at RAW_BASE
    drive: qemu.Drive | None = None
    disk_slot: int = 0  # of the machine, from 1; 0: it has no drive
    sstc: str = "on"


def split_options(text):
    """Returns [(key, value)] of `a=1,b=2`. A comma inside a value is written twice, as for QEMU."""
    pairs = []
    for piece in split_commas(text):
        key, equals, value = piece.partition("=")
        if not equals:
            raise Problem(f"'{piece}' is not of the form key=value (a comma in a value is written ',,')")
        pairs.append((key, value))
    return pairs


def split_commas(text):
    pieces, current, at = [], "", 0
    while at < len(text):
        if text.startswith(",,", at):
            current, at = current + ",", at + 2
        elif text[at] == ",":
            pieces, current, at = pieces + [current], "", at + 1
        else:
            current, at = current + text[at], at + 1
    return pieces + [current]


def one_of(options, key, known):
    value = options.get(key, known[0])
    if value not in known:
        raise Problem(f"unknown {key} '{value}' (known: {', '.join(known)})")
    return value


def label_of(text, position):
    """The name by which a complaint calls a machine, found even when its options are wrong."""
    match = re.search(r"(?:^|,)name=([^,]*)", text)
    return match[1] if match and match[1] else f"vm{position}"


def parse_machine(text, position, check=True):
    """Returns the Machine that `text` describes, its files read; `position` counts from 1.

    Without `check` an image is packed as it is, and Candor itself is left to refuse it.
    """
    options = {}
    for key, value in split_options(text):
        if key not in KEYS:
            raise Problem(f"unknown option '{key}' (known: {', '.join(KEYS)})")
        if key in options:
            raise Problem(f"option '{key}' is given twice")
        if not value and key != "args":
            raise Problem(f"option '{key}' is empty")
        options[key] = value
    if "image" in options and "raw" in options:
        raise Problem("options 'image' (an ELF file) and 'raw' (a file without a format) exclude each other")
    if not options.get("image") and not options.get("raw"):
        raise Problem("no image is given (image=PATH)")
    name = options.get("name", f"vm{position}")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,15}", name):
        raise Problem("a name has 1 to 15 letters, digits, '_' or '-'")
    args = options.get("args", "")
    if len(args.encode()) >= bundle.ARGS_BYTES or not args.isprintable():
        raise Problem(f"args must be printable and shorter than {bundle.ARGS_BYTES} bytes")
    memory = parse_size(options.get("mem", MEMORY_DEFAULT), "memory size")
    if memory % MEMORY_UNIT:
        raise Problem(f"memory size {show_size(memory)} is not a multiple of {show_size(MEMORY_UNIT)}")
    weight = options.get("weight", "0")
    if "weight" in options and not (re.fullmatch("[0-9]{1,9}", weight) and 1 <= int(weight) <= bundle.WEIGHT_MAX):
        raise Problem(f"weight '{weight}' is not a number from 1 to {bundle.WEIGHT_MAX} (without one it is {bundle.WEIGHT_DEFAULT})")
    vcpus = options.get("vcpus", "1")
    if not (re.fullmatch("[0-9]{1,9}", vcpus) and 1 <= int(vcpus) <= bundle.VCPUS_MAX):
        raise Problem(f"vcpus '{vcpus}' is not a number from 1 to {bundle.VCPUS_MAX}")
    machine = Machine(
        name=name,
        memory_bytes=memory,
        virt=one_of(options, "virt", ("pv", "shadow")),
        traps=one_of(options, "traps", ("direct", "bounced")),
        depriv=one_of(options, "depriv", ("s", "u")),
        counters=one_of(options, "counters", ("virtual", "raw")),
        fastpaths=one_of(options, "fastpaths", ("yes", "no")),
        args=args,
        image_data=read_file(options.get("image") or options["raw"], "image"),
        raw="raw" in options,
        sstc=one_of(options, "sstc", ("on", "off")),
        initrd_data=read_file(options["initrd"], "initrd") if options.get("initrd") else b"",
        drive=qemu.parse_drive(options["disk"]) if "disk" in options else None,
        start=one_of(options, "start", ("yes", "no")),
        weight=int(weight),
        vcpus=int(vcpus),
    )
    for key, virt in PATH_OF.items():
        if key in options and machine.virt != virt:
            raise Problem(f"option '{key}' is of virt={virt} alone: leave it out, or give virt={virt}")
    if machine.virt == "shadow":
        machine.tree_data = devicetree.of_machine(machine)
    if machine.raw:
        check_raw_image(machine, options["raw"])
    elif check:
        image = read_image(machine.image_data)
        check_image(machine, image)
        if machine.virt == "pv":
            check_pv_image(machine, image)
        machine.functions = functions(machine.image_data, image.segments)
        machine.image_data = machine.image_data[: image.used_bytes]
    return machine


def check_raw_image(machine, path):
    """Refuses an image without a format that is none, or that its virtual machine cannot hold."""
    top = MEMORY_BASE + machine.memory_bytes
    if machine.image_data.startswith(b"\x7fELF"):
        raise Problem(f"{path} is an ELF file: give it as image={path}")
    if not machine.image_data:
        raise Problem(f"image {path} is empty")
    if RAW_BASE + len(machine.image_data) > top:
        raise Problem(
            f"image [{RAW_BASE:#x}, {RAW_BASE + len(machine.image_data):#x}) lies outside its memory "
            f"[{MEMORY_BASE:#x}, {top:#x}): give it more with mem="
        )


def check_image(machine, image):
    """Refuses an image that its virtual machine cannot hold."""
    top = MEMORY_BASE + machine.memory_bytes
    for segment in image.segments:
        if segment.physical < MEMORY_BASE or segment.end > top:
            raise Problem(
                f"segment [{segment.physical:#x}, {segment.end:#x}) lies outside its memory "
                f"[{MEMORY_BASE:#x}, {top:#x}): give it more with mem="
            )


def check_pv_image(machine, image):
    """Refuses a paravirtual image that speaks another ABI or has no room for its pool."""
    top = MEMORY_BASE + machine.memory_bytes
    note = image.note
    if note is None:
        raise Problem(
            "image carries no Candor note, so it is an unmodified guest, which virt=pv cannot run "
            "(give the paravirtual build, such as frank-pv.elf, or virt=shadow)"
        )
    if note.abi_version != abi.version():
        raise Problem(f"image was built for ABI version {note.abi_version}, Candor has {abi.version()}")
    pool_end = note.pool_base + note.pool_bytes
    if note.pool_base % MEMORY_UNIT or note.pool_bytes % MEMORY_UNIT or not note.pool_bytes:
        raise Problem(f"the note's pool [{note.pool_base:#x}, {pool_end:#x}) is not made of whole 2 MiB units")
    if note.pool_base < MEMORY_BASE or pool_end > top:
        raise Problem(
            f"the note's pool [{note.pool_base:#x}, {pool_end:#x}) does not fit in its memory "
            f"[{MEMORY_BASE:#x}, {top:#x})"
        )
    for segment in image.segments:
        if segment.physical < pool_end and note.pool_base < segment.end:
            raise Problem(f"segment [{segment.physical:#x}, {segment.end:#x}) overlaps the note's pool")
    image_bytes = sum(segment.memory_bytes for segment in image.segments)
    needed = note.pool_bytes + image_bytes + len(machine.initrd_data)
    if needed >= machine.memory_bytes:
        raise Problem(
            f"too little memory: pool, image and initrd need {needed // MIB + 1}M of its "
            f"{show_size(machine.memory_bytes)}"
        )


def place_drive(machine, others):
    """Gives a machine's drive the first slot that is left."""
    for other in others:
        if qemu.shares_file(machine.drive, other.drive):
            raise Problem(f"disk {machine.drive.path} is {other.name}'s: each needs a file of its own")
    if len(others) == qemu.VIRTIO_SLOTS:
        raise Problem(f"no place is left for its disk: the machine has slots for {qemu.VIRTIO_SLOTS}, and others have them")
    machine.disk_slot = len(others) + 1


def parse_machines(texts, report, check=True):
    """Returns the Machines of all --vm options; one that is wrong is left out and told to `report`."""
    machines = []
    for position, text in enumerate(texts, 1):
        try:
            machine = parse_machine(text, position, check)
            if any(other.name == machine.name for other in machines):
                raise Problem("another virtual machine has the same name")
            if machine.drive:
                place_drive(machine, [other for other in machines if other.drive])
            machines.append(machine)
        except Problem as problem:
            report(f"vm {label_of(text, position)}: {problem}")
    return machines
