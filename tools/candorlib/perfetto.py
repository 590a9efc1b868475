# SPDX-License-Identifier: MIT
"""Writes a trace in Perfetto's format: packets of TrackEvent, in the wire format of protocol buffers.

One track for each hart, with who has it; one for each VM, with what it asks of Candor. Field numbers are those of
Perfetto's protos (trace.proto, trace_packet.proto, track_descriptor.proto, track_event.proto, debug_annotation.proto),
of which this writes the few that it needs.
"""

from . import abi, privileged

VARINT, BYTES = 0, 2
PACKET = 1  # Trace.packet
TIMESTAMP, SEQUENCE, SEQUENCE_FLAGS, TRACK_EVENT, TRACK_DESCRIPTOR = 8, 10, 13, 11, 60  # TracePacket
DESCRIPTOR_UUID, DESCRIPTOR_NAME, DESCRIPTOR_PARENT, DESCRIPTOR_ORDERING = 1, 2, 5, 11
EVENT_TYPE, EVENT_TRACK, EVENT_NAME, EVENT_CATEGORY, EVENT_ANNOTATION = 9, 11, 23, 22, 4
ANNOTATION_NAME, ANNOTATION_UINT, ANNOTATION_POINTER, ANNOTATION_STRING = 10, 3, 7, 6
SLICE_BEGIN, SLICE_END, INSTANT = 1, 2, 3
STATE_CLEARED = 1
SEQUENCE_ID = 1
HART_TRACK, VM_TRACK = 0x1000, 0x2000
LIFE_TRACKS = 0x100  # more than there are machines at a time
NANOSECONDS = 10**9

CAUSES = {
    0: "fetch misaligned", 1: "fetch access", 2: "illegal instruction", 3: "breakpoint", 4: "load misaligned", 5: "load access",
    6: "store misaligned", 7: "store access", 8: "system call", 9: "call", 12: "fetch fault", 13: "load fault", 15: "store fault",
}  # fmt: skip
INTERRUPTS = {1: "doorbell", 3: "message", 5: "guest's timer", 7: "timer", 11: "device"}


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(where, value):
    return varint(where << 3 | VARINT) + varint(value)


def piece(where, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(where << 3 | BYTES) + varint(len(data)) + data


def annotation(name, value):
    """A named value beside an event: a text, or a number shown in hexadecimal."""
    body = piece(ANNOTATION_NAME, name)
    body += piece(ANNOTATION_STRING, value) if isinstance(value, str) else number(ANNOTATION_POINTER, value)
    return piece(EVENT_ANNOTATION, body)


def call_name(called):
    names = {value: name for name, value in abi.calls().items()}
    return names.get(called, "standard call" if called == -1 else "unknown call")


class Writer:
    def __init__(self, timebase):
        self.timebase = timebase or 1
        self.out = bytearray()
        self.first = True

    def packet(self, body):
        if self.first:
            body += number(SEQUENCE_FLAGS, STATE_CLEARED)
            self.first = False
        self.out += piece(PACKET, body + number(SEQUENCE, SEQUENCE_ID))

    def track(self, uuid, name, parent=0, order=0):
        body = number(DESCRIPTOR_UUID, uuid) + piece(DESCRIPTOR_NAME, name)
        if parent:
            body += number(DESCRIPTOR_PARENT, parent)
        body += number(DESCRIPTOR_ORDERING, order)
        self.packet(piece(TRACK_DESCRIPTOR, body))

    def event(self, time, kind, track, name="", category="", **values):
        body = number(EVENT_TYPE, kind) + number(EVENT_TRACK, track)
        body += piece(EVENT_NAME, name) if name else b""
        body += piece(EVENT_CATEGORY, category) if category else b""
        body += b"".join(annotation(key, value) for key, value in values.items())
        self.packet(number(TIMESTAMP, time * NANOSECONDS // self.timebase) + piece(TRACK_EVENT, body))


def entry_name(event):
    return (INTERRUPTS if event.kind == "INTERRUPT" else CAUSES).get(event.number, f"cause {event.number}")


def told(event):
    """(name, {value's name: value}) of what was done for an unmodified guest; None: the event is none such."""
    if event.kind == "EMULATE":
        return f"emulated {privileged.instruction(event.a)}", {"instruction": event.a, "value": event.b}
    if event.kind == "REFLECT":
        interrupt, number = event.a >> 63, event.a & 63
        name = (INTERRUPTS if interrupt else CAUSES).get(number, f"cause {number}")
        return f"into its kernel: {name}", {"cause": event.a, "value": event.b}
    if event.kind == "FENCE":
        return "fence", {"address": event.a, "tables_compared": event.b}
    if event.kind == "FILL":
        return "fill", {"address": event.a, "guest_entry": event.b}
    if event.kind == "FILL_MORE":
        return "filled", {"guest_physical": event.a & ~0xFFF, "shadow_entry": event.b}
    return None


def vm_of(event):
    """The VM on whose track an event stands; 0: on none."""
    return event.a if event.kind in ("EVENT", "START", "END") else event.vm


def vm_track(vm, life):
    """The track of the machine that had an identifier as the life-th."""
    return VM_TRACK + vm + life * LIFE_TRACKS


class HartWriter:
    """One hart's events. On its own track a slice for each VM that has it, and what is the machine's own affair as instants; on
    the VM's track its entries: slices where exits were traced, else instants."""

    def __init__(self, writer, hart, trace, detailed):
        self.writer, self.trace, self.detailed = writer, trace, detailed
        self.track = HART_TRACK + hart
        self.running, self.inside = 0, None

    def switch(self, time, vm):
        if vm == self.running:
            return
        if self.running:
            self.writer.event(time, SLICE_END, self.track)
        if vm:
            self.writer.event(time, SLICE_BEGIN, self.track, self.trace.name(vm, time), "switch")
        self.running = vm

    def leave(self, time):
        if self.inside is not None:
            self.writer.event(time, SLICE_END, self.inside)
            self.inside = None

    def vm_track(self, vm, time):
        return vm_track(vm, self.trace.life(vm, time))

    def enter(self, event, name, category, **values):
        self.leave(event.time)
        kind = SLICE_BEGIN if self.detailed else INSTANT
        track = self.vm_track(event.vm, event.time)
        self.writer.event(event.time, kind, track, name, category, **values)
        self.inside = track if self.detailed else None

    def add(self, event):
        # A switch names the one that comes; it is handled where the one that goes still has the hart.
        if event.kind == "SWITCH":
            self.leave(event.time)
            self.switch(event.time, event.b)
            return
        self.switch(event.time, event.vm)
        if event.kind == "ENTRY":
            upcall = event.number != 9
            self.enter(event, entry_name(event), "upcall" if upcall else "entry", pc=event.a)
        elif event.kind == "INTERRUPT":
            self.enter(event, entry_name(event), "entry", pc=event.a)
        elif event.kind == "CALL" and event.full:
            self.enter(event, call_name(event.number), "hypercall", pc=event.a)
        elif event.kind == "CALL":
            self.enter(event, call_name(event.number), "hypercall", argument=event.a)
        elif event.kind == "CALL_FAST":
            self.writer.event(event.time, INSTANT, self.vm_track(event.vm, event.time), call_name(event.number), "hypercall", argument=event.a)
        elif event.kind == "EXIT":
            self.leave(event.time)
        elif event.kind in ("SLEEP", "WAKE", "TIMER"):
            self.writer.event(event.time, INSTANT, self.track, event.kind.lower(), "timer")
        elif what := told(event):
            self.writer.event(event.time, INSTANT, self.vm_track(event.vm, event.time), what[0], "shadow", **what[1])
        elif event.kind not in ("NAME", "NAME_MORE"):  # these name the tracks
            track = self.vm_track(vm_of(event), event.time) if vm_of(event) else self.track
            self.writer.event(event.time, INSTANT, track, event.kind.lower(), event.kind.lower(), a=event.a, b=event.b)


def encode(trace):
    """Returns the bytes of a Perfetto trace of `trace`, a trace.Trace."""
    writer = Writer(trace.timebase)
    for hart in range(len(trace.harts)):
        writer.track(HART_TRACK + hart, f"hart {hart}", order=hart)
    for vm, life, name in trace.machines():
        writer.track(vm_track(vm, life), f"VM {name}", order=vm)
    for hart, events in enumerate(trace.harts):
        holes = sorted(time for where, time in trace.gaps if where == hart)
        writes = HartWriter(writer, hart, trace, any(event.kind == "EXIT" for event in events))
        for event in events:
            if holes and event.time >= holes[0]:
                writer.event(holes.pop(0), INSTANT, HART_TRACK + hart, "records are missing here", "gap")
            writes.add(event)
        if events:
            writes.leave(events[-1].time)
            writes.switch(events[-1].time, 0)
    return bytes(writer.out)
