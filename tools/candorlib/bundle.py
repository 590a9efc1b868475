# SPDX-License-Identifier: MIT
"""Packs virtual machines into the bundle that Candor reads: the twin of shared/include/bundle.h."""

import re
import struct

from .problem import Problem

LOAD_ADDRESS = 0x80400000
MAGIC, FORMAT_VERSION, ALIGNMENT = b"CANDORVM", 1, 4096
NAME_MAX, NAME_BYTES, ARGS_BYTES = 15, 32, 256
HEADER = struct.Struct("<8sIIQQ")
RECORD = struct.Struct("<32sQQQQQIIII256sQQIIQQI124x")
SYMBOL = struct.Struct("<QII")
VIRT = {"pv": 1, "shadow": 2}
DEPRIV = {"s": 0, "u": 1}
TRAPS = {"direct": 0, "bounced": 1}
FLAG_COUNTERS_RAW = 1
FLAG_COLOUR = 2
FLAG_TRACE = 4
FLAG_TRACE_DETAIL = 8
FLAG_MARKS = 16
FLAG_LATER = 32
FLAG_NO_FAST_PATHS = 64
FLAG_ROUND_ROBIN = 128
FLAG_RAW_IMAGE = 256
FLAG_NO_SSTC = 512
SCHEDULERS = {"weighted": 0, "round-robin": FLAG_ROUND_ROBIN}
WEIGHT_DEFAULT, WEIGHT_MAX = 100, 10000
VCPUS_MAX = 8
FLAGS_AT = 32 + 5 * 8 + 2 * 4  # in a record
CHECKSUM_AT = HEADER.size - 8
MASK = (1 << 64) - 1


def checksum(data):
    """FNV-1a, 64 bits."""
    state = 0xCBF29CE484222325
    for byte in data:
        state = ((state ^ byte) * 0x100000001B3) & MASK
    return state


def pack(machines, colour=False, more_flags=0):
    """Returns the bundle (bytes) of `machines`, a list of vmspec.Machine whose files were read.
    `colour`: the console that they will share is a terminal. `more_flags`: FLAG_TRACE and those below it."""
    start = HEADER.size + len(machines) * RECORD.size
    pieces, records, places, at = [], [], {}, start

    def place(data):
        """Returns (offset, length) of `data`; the same bytes for two machines are packed once."""
        nonlocal at
        if data and data not in places:
            padding = -at % ALIGNMENT
            pieces.append(b"\0" * padding + data)
            places[data] = (at + padding, len(data))
            at += padding + len(data)
        return places.get(data, (0, 0))

    for machine in machines:
        image, initrd, tree = map(place, (machine.image_data, machine.initrd_data, machine.tree_data))
        symbols = place(symbol_table(machine.functions))
        flags = FLAG_COUNTERS_RAW if machine.counters == "raw" else 0
        flags |= FLAG_LATER if machine.start == "no" else 0
        flags |= FLAG_NO_FAST_PATHS if machine.fastpaths == "no" else 0
        flags |= FLAG_RAW_IMAGE if machine.raw else 0
        flags |= FLAG_NO_SSTC if machine.sstc == "off" else 0
        flags |= more_flags | (FLAG_COLOUR if colour else 0)
        records.append(
            RECORD.pack(
                machine.name.encode(), machine.memory_bytes, *image, *initrd, VIRT[machine.virt],
                TRAPS[machine.traps], flags, machine.vcpus, machine.args.encode(), *symbols, machine.weight,
                DEPRIV[machine.depriv], *tree, machine.disk_slot,
            )
        )  # fmt: skip
    body = b"".join(records + pieces)
    body += b"\0" * (-(HEADER.size + len(body)) % ALIGNMENT)
    if not machines:
        raise Problem("there is no virtual machine to start")
    total = HEADER.size + len(body)
    fields = HEADER.pack(MAGIC, FORMAT_VERSION, len(machines), total, 0)[:-8]
    return fields + checksum(fields + body).to_bytes(8, "little") + body


def symbol_table(functions):
    """The table by which Candor names a guest's addresses in the report of a fault (shared/include/symbol_table.h);
    `functions` is a list of (address, bytes, name) in rising order."""
    rows, names = b"", b""
    for address, size, name in functions:
        rows += SYMBOL.pack(address, size, len(names))
        names += name.encode() + b"\0"
    return struct.pack("<II", len(functions), len(names)) + rows + names if functions else b""


def record_count(packed):
    """How many records a bundle has; 0 where it is no bundle."""
    if len(packed) < HEADER.size or packed[: len(MAGIC)] != MAGIC:
        return 0
    count = HEADER.unpack_from(packed)[2]
    return count if HEADER.size + count * RECORD.size <= len(packed) else 0


def names(packed):
    """The names of a bundle's records that have a good one."""
    places = (HEADER.size + place * RECORD.size for place in range(record_count(packed)))
    texts = (packed[at : at + NAME_BYTES].split(b"\0")[0].decode("ascii", "replace") for at in places)
    return [text for text in texts if re.fullmatch(f"[A-Za-z0-9_-]{{1,{NAME_MAX}}}", text)]


def with_flags(packed, on, off=0):
    """Returns a bundle that was packed before with these flags on and off; as it is where it is no bundle, which Candor
    will say."""
    count = record_count(packed)
    if not count or HEADER.unpack_from(packed)[4] != checksum(covered(packed)):
        return packed
    marked = bytearray(packed)
    for place in range(count):
        at = HEADER.size + place * RECORD.size + FLAGS_AT
        marked[at] = marked[at] & ~off | on
    marked[CHECKSUM_AT : HEADER.size] = checksum(covered(marked)).to_bytes(8, "little")
    return bytes(marked)


def covered(packed):
    """What the checksum is of: all but itself."""
    return packed[:CHECKSUM_AT] + packed[HEADER.size :]
