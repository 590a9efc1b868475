# SPDX-License-Identifier: MIT
"""The trace from outside: QEMU as a child, whose guest memory lies in a file that is ours too.

Reading that memory costs the machine nothing, and it is still there when QEMU has ended, however it ended. Rings are looked
at many times a second, so that the trace is longer than they are; what was overwritten before it was read is a gap.
The twin of hypervisor/debug/trace.h; kinds are read from hypervisor/debug/trace_kinds.h.
"""

import bisect
import functools
import mmap
import os
import re
import shlex
import struct
import sys
import tempfile
import threading
from collections import defaultdict
from dataclasses import dataclass, field

from . import abi, between, elf, gdb_remote, perfetto, qemu
from .problem import Problem

RAM_BASE = 0x80000000
MAGIC = b"CNDTRACE"
VERSION = 1
LEVEL_DETAIL = 2
HARTS_MAX, VMS_MAX, NAME_BYTES = 64, 64, 16
HEADER = struct.Struct("<8sIIIIIIQ")
RING = struct.Struct("<QQ")
RECORD = struct.Struct("<QQQQ")
LOOK_S = 0.01
KEPT_RECORDS = 2_000_000  # of a hart; the newest
CAUSE_CALL = 9
CALLS_MAX, STANDARD_CALL, UNKNOWN_CALL = 64, -1, -2
INTERRUPT = 1 << 63
ENTRY_MAX = 0x100  # entries are below all kinds
FILE_MAGIC = b"CNDRECS1"


@functools.cache
def kinds():
    """{name: (number, text, value 1, value 2)} of trace_kinds.h."""
    path = os.path.join(abi.ROOT, "hypervisor", "debug", "trace_kinds.h")
    with open(path, encoding="utf-8") as source:
        found = re.findall(r'TRACE_KIND\((\w+), +(0x\w+), +"([^"]*)", +"([^"]*)", +"([^"]*)"\)', source.read())
    return {name: (int(number, 16), *texts) for name, number, *texts in found}


@functools.cache
def kind_names():
    return {fields[0]: name for name, fields in kinds().items()}


@dataclass
class Event:
    """A record, read: `kind` is ENTRY, INTERRUPT, CALL or a name of trace_kinds.h; `vm` is who had the hart."""

    time: int
    kind: str
    number: int  # cause of an ENTRY or INTERRUPT, number of a CALL, or STANDARD_CALL, UNKNOWN_CALL
    a: int
    b: int
    vm: int
    full: bool = True  # the entry stored all registers


@dataclass
class Trace:
    timebase: int
    vms: dict  # {identifier: name}: of the newest machine that has it
    harts: list  # of lists of Event
    gaps: list = field(default_factory=list)  # [(hart, time)]: records are missing before that time

    def __post_init__(self):
        self.lives = lives(self.harts)

    def life(self, vm, time):
        """Which machine had that identifier then: how many there were before that are in the records."""
        return max(bisect.bisect_right(self.lives.get(vm, []), time, key=lambda life: life[0]) - 1, 0)

    def name(self, vm, time):
        """The name of the machine that had that identifier then; identifiers are given out again."""
        known = self.lives.get(vm)
        return known[self.life(vm, time)][1] if known else self.vms.get(vm, f"vm {vm}")

    def machines(self):
        """[(identifier, life, name)] of all machines in the records."""
        found = [(vm, life, name) for vm, known in self.lives.items() for life, (_, name) in enumerate(known)]
        return sorted(found + [(vm, 0, name) for vm, name in self.vms.items() if vm not in self.lives])


def lives(harts):
    """{identifier: [(since, name)]} by the records of names, which a machine that is made leaves one after the other."""
    found = defaultdict(list)
    for events in harts:
        named = [event for event in events if event.kind in ("NAME", "NAME_MORE")]
        for first, rest in zip(named, named[1:]):
            if (first.kind, rest.kind, first.a) == ("NAME", "NAME_MORE", rest.a):
                text = struct.pack("<QQ", first.b, rest.b).split(b"\0")[0]
                found[first.a].append((first.time, text.decode(errors="replace")))
    return {vm: sorted(known) for vm, known in found.items()}


def read_record(time, what, a, b, vm, detailed):
    """Returns the Event of one record's words. Entries have a second value in detail only."""
    names, table = kind_names(), kinds()
    if what in names:
        if names[what] == "CALL":
            return Event(time, "CALL", a if a < CALLS_MAX else UNKNOWN_CALL, b, 0, vm, False)
        return Event(time, names[what], 0, a, b, vm)
    fast = what - table["CALL_FAST"][0]
    if 0 <= fast < CALLS_MAX:
        return Event(time, "CALL_FAST", fast, a, b, vm, False)
    b = b if detailed else 0
    if what < ENTRY_MAX:
        return Event(time, "ENTRY", what ^ CAUSE_CALL, a, b, vm)
    signed = what - (1 << 64)
    first_table_call = abi.calls()["table_make"]
    if -first_table_call <= signed < 0:
        return Event(time, "CALL", signed + first_table_call, a, b, vm)
    if what & INTERRUPT:
        return Event(time, "INTERRUPT", (what ^ CAUSE_CALL) & 63, a, b, vm)
    return Event(time, "CALL", STANDARD_CALL, a, b, vm)


class Ring:
    """What was read of one hart's ring so far: raw records in order of time."""

    NOTHING = (0, 0, 0, 0)
    MARGIN = 64  # records next to the writer that may be overwritten while they are read

    def __init__(self, memory, offset, size):
        self.memory, self.offset, self.size = memory, offset, size
        self.records, self.gaps = [], []
        self.at, self.last = 0, self.NOTHING

    def slot(self, at):
        return RECORD.unpack_from(self.memory, self.offset + at)

    def overtaken(self):
        """Whether the writer has come round: what was read last stands no more where it stood."""
        return self.slot((self.at - RECORD.size) % self.size) != self.last

    def look(self, final=False):
        """Takes what is new. The newest record may be half written, so it waits for the next look unless this is the last."""
        fresh, at = [], self.at
        while len(fresh) * RECORD.size < self.size:
            record = self.slot(at)
            if record[0] == 0 or record[0] < (fresh[-1] if fresh else self.last)[0]:
                break
            fresh.append(record)
            at = (at + RECORD.size) % self.size
        if self.overtaken():
            fresh, at = self.oldest(0 if final else self.MARGIN)
        if fresh and not final:
            fresh.pop()
            at = (at - RECORD.size) % self.size
        if fresh:
            self.at, self.last = at, fresh[-1]
            self.records += fresh
            del self.records[:-KEPT_RECORDS]

    def oldest(self, margin):
        """(records, where to go on): all that the ring holds and that was not read, behind a gap."""
        slots = [self.slot(at) for at in range(0, self.size, RECORD.size)]
        wrap = next((i + 1 for i in range(len(slots) - 1) if slots[i][0] > slots[i + 1][0]), 0)
        fresh = [record for record in (slots[wrap:] + slots[:wrap])[margin:] if record[0] > self.last[0]]
        if fresh:
            self.gaps.append(fresh[0][0])
        return fresh, wrap * RECORD.size


class Reader:
    """Reads the rings of a machine whose memory is `memory`."""

    def __init__(self, memory, header_address):
        self.memory, self.header = memory, header_address - RAM_BASE
        self.rings = []
        self.timebase, self.detailed = 0, False

    def find(self):
        magic, version, level, record, size, count, _, self.timebase = HEADER.unpack_from(self.memory, self.header)
        if magic != MAGIC:
            return
        if version != VERSION or record != RECORD.size or not 0 < count <= HARTS_MAX:
            raise Problem("this Candor writes another kind of trace than tools/candorlib/trace.py reads")
        self.detailed = level == LEVEL_DETAIL
        for hart in range(count):
            address, _ = RING.unpack_from(self.memory, self.header + HEADER.size + hart * RING.size)
            self.rings.append(Ring(self.memory, address - RAM_BASE, size))

    def look(self, final=False):
        if not self.rings:
            self.find()
        for ring in self.rings:
            ring.look(final)

    def names(self):
        at = self.header + HEADER.size + HARTS_MAX * RING.size
        raw = self.memory[at : at + VMS_MAX * NAME_BYTES]
        names = (raw[i : i + NAME_BYTES].split(b"\0")[0].decode(errors="replace") for i in range(0, len(raw), NAME_BYTES))
        return {number: name for number, name in enumerate(names, 1) if name}

    def loaded(self, hart):
        return RING.unpack_from(self.memory, self.header + HEADER.size + hart * RING.size)[1]

    def trace(self):
        harts, gaps = [], []
        for hart, ring in enumerate(self.rings):
            harts.append(read_hart(ring.records, ring.gaps, self.loaded(hart), self.detailed))
            gaps += [(hart, time) for time in ring.gaps]
        return Trace(self.timebase, self.names(), harts, gaps)


def read_hart(records, gaps, loaded, detailed):
    """The Events of a hart. Who has it is known behind each switch, and before the first one of each piece."""
    switch = kinds()["SWITCH"][0]
    events, pending, vm, holes = [], [], None, sorted(gaps)

    def settle(known):
        events.extend(read_record(*record, known, detailed) for record in pending)
        pending.clear()

    for record in records:
        if holes and record[0] >= holes[0]:
            holes.pop(0)
            settle(vm or 0)
            vm = None
        if record[1] == switch:
            settle(record[2] if vm is None else vm)
            vm = record[3]
        pending.append(record)
        if vm is not None:
            settle(vm)
    settle(loaded if vm is None else vm)
    return events


# ---- files of records ----


def save_records(path, reader):
    names = reader.names()
    with open(path, "wb") as target:
        target.write(FILE_MAGIC + struct.pack("<QIII", reader.timebase, reader.detailed, len(reader.rings), len(names)))
        for number, name in names.items():
            target.write(struct.pack("<I16s", number, name.encode()))
        for hart, ring in enumerate(reader.rings):
            target.write(struct.pack("<QQQ", len(ring.records), len(ring.gaps), reader.loaded(hart)))
            target.write(b"".join(RECORD.pack(*record) for record in ring.records))
            target.write(struct.pack(f"<{len(ring.gaps)}Q", *ring.gaps))


def load_records(path):
    """Returns the Trace in a file of save_records."""
    try:
        with open(path, "rb") as source:
            data = source.read()
        if data[:8] != FILE_MAGIC:
            raise Problem(f"{path} holds no trace records")
        timebase, detailed, hart_count, name_count = struct.unpack_from("<QIII", data, 8)
        at, names, harts, gaps = 28, {}, [], []
        for _ in range(name_count):
            number, name = struct.unpack_from("<I16s", data, at)
            names[number], at = name.rstrip(b"\0").decode(), at + 20
        for hart in range(hart_count):
            count, gap_count, loaded = struct.unpack_from("<QQQ", data, at)
            at += 24
            records = list(RECORD.iter_unpack(data[at : at + count * RECORD.size]))
            if len(records) != count:
                raise Problem(f"{path} is cut short")
            at += count * RECORD.size
            holes = struct.unpack_from(f"<{gap_count}Q", data, at)
            at += gap_count * 8
            harts.append(read_hart(records, holes, loaded, bool(detailed)))
            gaps += [(hart, time) for time in holes]
    except OSError as error:
        raise Problem(f"cannot read {path}: {error.strerror}") from None
    except struct.error:
        raise Problem(f"{path} is cut short") from None
    return Trace(timebase, names, harts, gaps)


# ---- the run ----


class Halts:
    """Lets the machine stand where an instruction at one of some addresses is next, and reads what was recorded up to there."""

    def __init__(self, reader, addresses):
        self.reader, self.addresses = reader, addresses
        self.folder = tempfile.TemporaryDirectory(prefix="candor-")
        self.socket = os.path.join(self.folder.name, "gdb")
        self.options = ["-chardev", f"socket,id=halts,path={self.socket},server=on,wait=off", "-gdb", "chardev:halts", "-S"]
        self.thread = threading.Thread(target=self.drive, daemon=True)

    def drive(self):
        try:
            remote = gdb_remote.Remote(self.socket)
            for address in self.addresses:
                remote.breakpoint(address)
            while True:
                remote.go()
                self.reader.look()
                if len(self.reader.rings) == 1:  # its hart stands in a guest, and so its newest record is whole
                    self.reader.look(final=True)
        except gdb_remote.Ended:
            pass

    def end(self):
        self.thread.join()
        self.folder.cleanup()


def run(command, options, hypervisor, memory_bytes):
    """Runs QEMU and writes the trace to options.trace; returns QEMU's exit status."""
    header = elf.find_symbol(hypervisor, "trace_header")
    if header is None:
        raise Problem(f"{options.hypervisor} has no symbol trace_header, by which the trace is found")
    descriptor = os.memfd_create("candor-memory", 0)
    os.ftruncate(descriptor, memory_bytes)
    os.set_inheritable(descriptor, True)
    path = f"/proc/self/fd/{descriptor}"
    command += ["-object", f"memory-backend-file,id=candor-ram,size={memory_bytes},mem-path={path},share=on"]
    command += ["-machine", "memory-backend=candor-ram"]
    if options.dry_run:
        print(shlex.join(command))
        return 0
    write_nothing(options.trace)
    memory = mmap.mmap(descriptor, memory_bytes, prot=mmap.PROT_READ)
    reader = Reader(memory, header)
    look = reader.look
    halts = Halts(reader, options.trace_at) if options.trace_at else None
    if halts:
        look = nothing
        command += halts.options
        halts.thread.start()
    try:
        if options.log or options.ctl:
            return between.run(command, options, look, LOOK_S)
        return qemu.wait(command, look, LOOK_S)
    finally:
        if halts:
            halts.end()
        reader.look(final=True)
        write(options.trace, reader)


def nothing():
    """One reads: the thread of Halts."""


def write_nothing(path):
    """A place that cannot be written is told before the machine starts."""
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "wb"):
            pass
    except OSError as error:
        raise Problem(f"cannot write {path}: {error.strerror}") from None


def write(path, reader):
    """A disk that is full costs the trace, and a line that says so; the machine's exit status stays."""
    try:
        if path.endswith(".records"):
            save_records(path, reader)
            return
        data = perfetto.encode(reader.trace())
        with open(path, "wb") as target:
            target.write(data)
    except OSError as error:
        print(f"candor: the trace {path} is incomplete: {error.strerror}", file=sys.stderr)
