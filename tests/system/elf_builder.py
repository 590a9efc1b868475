# SPDX-License-Identifier: MIT
"""Makes small ELF files, good and damaged, for the tests of those who read them."""

import struct

from candorlib import abi, elf

MEMORY_BASE = 0x80000000
IMAGE_BASE = 0x80200000
EXECUTE_READ, READ_WRITE = 5, 6
LOOP = b"\x6f\x00\x00\x00"  # j .


def note(version=None, pool_base=MEMORY_BASE, pool_bytes=0x200000, owner=b"Candor\0", kind=1, length=24):
    """The bytes of a PT_NOTE segment that holds Candor's note."""
    content = struct.pack("<IIQQ", abi.version() if version is None else version, 0, pool_base, pool_bytes)
    content = (content + b"\0" * length)[:length]
    return struct.pack("<III", len(owner), len(content), kind) + owner + b"\0" * (-len(owner) % 4) + content


def image(segments=((IMAGE_BASE, LOOP, EXECUTE_READ),), notes=None, entry=None, machine=elf.MACHINE_RISCV, kind=2):
    """An ELF file of `segments`, each (address, content, flags), and of `notes`, the bytes of a PT_NOTE or None."""
    count = len(segments) + (notes is not None)
    at = elf.HEADER.size + count * elf.SEGMENT.size
    headers, contents = b"", b""
    pieces = [(elf.SEGMENT_LOAD, address, content, flags) for address, content, flags in segments]
    if notes is not None:
        pieces.append((elf.SEGMENT_NOTE, 0, notes, 4))
    for what, address, content, flags in pieces:
        offset = at + len(contents)
        headers += elf.SEGMENT.pack(what, flags, offset, address, address, len(content), len(content), 4)
        contents += content
    ident = b"\x7fELF\x02\x01\x01" + b"\0" * 9
    entry = segments[0][0] if entry is None and segments else (entry or 0)
    header = elf.HEADER.pack(
        ident, kind, machine, 1, entry, elf.HEADER.size, 0, 0, elf.HEADER.size, elf.SEGMENT.size, count, 0, 0, 0
    )
    return header + headers + contents


def guest(**note_fields):
    """A paravirtual image that only loops; `note_fields` as for note()."""
    return image(notes=note(**note_fields))
