# SPDX-License-Identifier: MIT
"""A checked reader of RISC-V ELF64 images: segments, entry, and Candor's note.

The same checks are made by Candor itself (shared/elf.c), which trusts no bundle; made here, they reach
the person before QEMU starts.
"""

import re
import struct
from dataclasses import dataclass

from .problem import Problem

MACHINE_RISCV = 243
TYPE_EXECUTABLE = 2
SEGMENT_LOAD, SEGMENT_NOTE = 1, 4
FLAG_EXECUTE = 1
NOTE_OWNER, NOTE_TYPE, NOTE_BYTES = b"Candor\0", 1, 24
HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT = struct.Struct("<IIQQQQQQ")
SECTION = struct.Struct("<IIQQQQIIQQ")
SYMBOL = struct.Struct("<IBBHQQ")
SECTION_SYMBOLS = 2
SYMBOL_KIND, KIND_NONE, KIND_FUNCTION = 15, 0, 2
ADDRESS_END = 1 << 64


@dataclass
class Segment:
    """A loadable range: where it runs, where it lies in physical memory, and its bytes in the file."""

    virtual: int
    physical: int
    memory_bytes: int
    flags: int

    @property
    def end(self):
        return self.physical + self.memory_bytes


@dataclass
class Note:
    """What a paravirtual image says of itself."""

    abi_version: int
    pool_base: int
    pool_bytes: int


@dataclass
class Image:
    entry: int
    segments: list
    note: Note | None
    used_bytes: int  # of the file; what follows (sections, symbols) is not needed to load it


def read_image(data):
    """Returns the Image in `data` (bytes), or raises Problem with the reason."""
    if len(data) < HEADER.size or data[:4] != b"\x7fELF":
        raise Problem("image is not an ELF file")
    ident, kind, machine, _, entry, table, _, _, _, entry_bytes, count, *_ = HEADER.unpack_from(data)
    if ident[4] != 2 or ident[5] != 1:
        raise Problem("image is not a 64-bit little-endian ELF file")
    if machine != MACHINE_RISCV:
        raise Problem(f"image is for another processor (ELF machine {machine}, RISC-V is {MACHINE_RISCV})")
    if kind != TYPE_EXECUTABLE:
        raise Problem(f"image is not an executable (ELF type {kind})")
    if entry_bytes != SEGMENT.size or count == 0:
        raise Problem("image has no usable program headers")
    if table + count * SEGMENT.size > len(data):
        raise Problem("image is truncated: its program headers end past the end of the file")
    segments, note, used = [], None, table + count * SEGMENT.size
    for index in range(count):
        found = SEGMENT.unpack_from(data, table + index * SEGMENT.size)
        kind, flags, offset, virtual, physical, file_bytes, memory_bytes, _ = found
        if kind not in (SEGMENT_LOAD, SEGMENT_NOTE):
            continue
        if offset + file_bytes > len(data):
            raise Problem(f"image is truncated: segment {index} ends past the end of the file")
        used = max(used, offset + file_bytes)
        if kind == SEGMENT_NOTE:
            note = find_note(data[offset : offset + file_bytes]) or note
        elif memory_bytes:
            if file_bytes > memory_bytes:
                raise Problem(f"segment {index} is larger in the file than in memory")
            if virtual + memory_bytes > ADDRESS_END or physical + memory_bytes > ADDRESS_END:
                raise Problem(f"segment {index} wraps around the end of the address space")
            segments.append(Segment(virtual, physical, memory_bytes, flags))
    check_segments(segments, entry if note else None)
    return Image(entry, segments, note, used)


def check_segments(segments, entry):
    """Without an `entry`, that is not checked: where an unmodified kernel starts is its own affair."""
    if not segments:
        raise Problem("image has nothing to load")
    ordered = sorted(segments, key=lambda segment: segment.physical)
    for before, after in zip(ordered, ordered[1:]):
        if before.end > after.physical:
            raise Problem(
                f"segments overlap: [{before.physical:#x}, {before.end:#x}) and "
                f"[{after.physical:#x}, {after.end:#x})"
            )
    if entry is None:
        return
    for segment in segments:
        inside = segment.virtual <= entry < segment.virtual + segment.memory_bytes
        if inside and segment.flags & FLAG_EXECUTE:
            return
    raise Problem(f"entry {entry:#x} lies in no executable segment")


def find_symbol(data, name):
    """Returns the address of the symbol `name` in the ELF file `data` (bytes), or None."""
    for address, found in symbols(data):
        if found == name:
            return address
    return None


def symbols(data):
    """Yields (address, name) of each symbol of the ELF file `data` that has a name."""
    for address, _, _, name in raw_symbols(data):
        yield address, name


def raw_symbols(data):
    """Yields (address, size, kind, name) likewise; the kind as in the symbol's st_info."""
    if len(data) < HEADER.size or data[:4] != b"\x7fELF":
        return
    *_, table, _, _, _, _, entry_bytes, count, _ = HEADER.unpack_from(data)
    if not table or entry_bytes != SECTION.size or table + count * SECTION.size > len(data):
        return
    sections = [SECTION.unpack_from(data, table + index * SECTION.size) for index in range(count)]
    for kind, offset, size, link in ((s[1], s[4], s[5], s[6]) for s in sections):
        if kind != SECTION_SYMBOLS or link >= count:
            continue
        strings = sections[link][4]
        for at in range(offset, min(offset + size, len(data) - SYMBOL.size + 1), SYMBOL.size):
            where, info, _, _, address, length = SYMBOL.unpack_from(data, at)
            end = data.find(b"\0", strings + where)
            if where and end > 0:
                yield address, length, info & SYMBOL_KIND, data[strings + where : end].decode(errors="replace")


def functions(data, segments):
    """Returns [(address, bytes, name)] of the functions in `data` (and labels of assembly), those in executable `segments`,
    in rising order. What has no size reaches to the next one."""
    code = [(s.virtual, s.virtual + s.memory_bytes) for s in segments if s.flags & FLAG_EXECUTE]
    found = {}
    for address, size, kind, name in raw_symbols(data):
        inside = [end for start, end in code if start <= address < end]
        if not inside or kind not in (KIND_NONE, KIND_FUNCTION) or not re.fullmatch(r"[A-Za-z_][\w.]{0,62}", name, re.ASCII):
            continue
        if address not in found or kind == KIND_FUNCTION:
            found[address] = (size, name, inside[0])
    rows = sorted(found.items())
    ends = [*(address for address, _ in rows[1:]), None]
    return [
        (address, size or min(end, following or end) - address, name)
        for (address, (size, name, end)), following in zip(rows, ends)
    ]


def bytes_at(data, address, size):
    """What the ELF file `data` has at a virtual address; what lies outside of the file is left out."""
    header = HEADER.unpack_from(data)
    for i in range(header[10]):
        kind, _, offset, virtual, _, file_bytes, _, _ = SEGMENT.unpack_from(data, header[5] + i * header[9])
        if kind == SEGMENT_LOAD and virtual <= address < virtual + file_bytes:
            return data[offset + address - virtual :][: min(size, virtual + file_bytes - address)]
    return b""


def find_note(data):
    """Returns the Note among the ELF notes in `data`, or None."""
    at = 0
    while at + 12 <= len(data):
        owner_bytes, content_bytes, kind = struct.unpack_from("<III", data, at)
        content_at = at + 12 + (owner_bytes + 3) // 4 * 4
        at = content_at + (content_bytes + 3) // 4 * 4
        owner = data[content_at - (owner_bytes + 3) // 4 * 4 :][:owner_bytes]
        if content_at + content_bytes > len(data):
            raise Problem("image is truncated: an ELF note ends past its segment")
        if owner != NOTE_OWNER or kind != NOTE_TYPE:
            continue
        if content_bytes != NOTE_BYTES:
            raise Problem(f"Candor's ELF note has {content_bytes} bytes, not {NOTE_BYTES}")
        version, _, base, size = struct.unpack_from("<IIQQ", data, content_at)
        return Note(version, base, size)
    return None
