# SPDX-License-Identifier: MIT
"""What people read of an unmodified guest's trace: a system call, and a page fault with what all three tables say."""

import statistics

from . import elf, privileged
from .problem import Problem, read_file
from .traceview import (
    BOLD, CAUSE_USER_CALL, CYAN, DIM, GREEN, INSTRUCTIONS_PER_TICK, YELLOW, columns, line, syscall_names, unit_instructions,
)  # fmt: skip

FETCH_FAULT, LOAD_FAULT, STORE_FAULT = 12, 13, 15
FAULTS = {FETCH_FAULT: "fetch from", LOAD_FAULT: "load from", STORE_FAULT: "store to"}
INTERRUPT = 1 << 63
PAGE = 0xFFF
FRAME_SHIFT, ENTRY_FRAME_SHIFT = 12, 10
FLAGS = "vrwxugad"
KERNEL_HALF = 1 << 63
CSR_WRITE_STVEC, CSR_WRITE_MASK = 0x10501073, 0xFFF0707F
READ_INSTRET, READ_INSTRET_MASK = 0xC0202073, 0xFFFFF07F
KERNEL_OF = {"s": "S-mode", "u": "U-mode"}


def places(path, wanted, mask, function=None):
    """Addresses of an image's instructions that are `wanted` under `mask`, in one function or all."""
    data = read_file(path, "image")
    segments = elf.read_image(data).segments
    found = []
    for address, size, name in elf.functions(data, segments):
        code = elf.bytes_at(data, address, size)
        found += [
            address + at for at in range(0, len(code) - 3, 2)
            if function in (None, name) and int.from_bytes(code[at : at + 4], "little") & mask == wanted
        ]  # fmt: skip
    return found


def stops(kernel, program):
    """Where records are read: behind each write of the trap vector, and where the bench's row has been counted: time may jump
    where a machine stands."""
    written = places(kernel, CSR_WRITE_STVEC, CSR_WRITE_MASK)
    counted = places(program, READ_INSTRET, READ_INSTRET_MASK, "meter_stop")
    return [address + 4 for address in written + counted]


def visits(trace):
    """[[entry, what was done..., exit]] of the only hart, in order."""
    found, visit = [], []
    for event in trace.harts[0]:
        if event.kind in ("ENTRY", "INTERRUPT"):
            visit = [event]
        elif visit:
            visit.append(event)
            if event.kind == "EXIT":
                found.append(visit)
                visit = []
    return found


def done(visit, kind):
    return next((event for event in visit if event.kind == kind), None)


def instructions(visit):
    return (visit[-1].time - visit[0].time) * INSTRUCTIONS_PER_TICK


def is_call(visit):
    return visit[0].kind == "ENTRY" and visit[0].number == CAUSE_USER_CALL and done(visit, "REFLECT") is not None


# ---- one system call of a kernel in U-mode ----


def call_names(trace, found):
    """Each call's shape: the names of what was emulated until it returned, or None if something else came between."""
    calls = []
    for at, visit in enumerate(found):
        if not is_call(visit):
            continue
        steps = [visit]
        for following in found[at + 1 :]:
            emulated = done(following, "EMULATE")
            if emulated is None or any(gap > visit[0].time and gap <= following[-1].time for _, gap in trace.gaps):
                break
            steps.append(following)
            if privileged.instruction(emulated.a) == "sret":
                if following[-1].a == visit[0].a + 4:
                    calls.append(steps)
                break
    return calls


def shape(steps):
    return tuple(privileged.instruction(done(step, "EMULATE").a) for step in steps[1:])


def value_of(emulated, symbols):
    csr = privileged.csr_of(emulated.a)
    if csr in ("stvec", "sepc"):
        return f"{csr} = {symbols.name(emulated.b)}"
    return f"{csr} = {emulated.b:#x}" if csr else ""


def vector_written(found, symbols):
    """(row of the table) of the kernel's first write of its trap vector."""
    for visit in found:
        emulated = done(visit, "EMULATE")
        if emulated and privileged.csr_of(emulated.a) == "stvec" and privileged.writes_csr(emulated.a):
            return ("", privileged.instruction(emulated.a), f"emulated: {value_of(emulated, symbols)}", f"{instructions(visit):6.0f}")
    raise Problem("the kernel's write of its trap vector is not in the records")


HEADS = ("process", "operating system", "hypervisor", "instr.")
WIDTHS, COLOURS = (20, 24, 42, 8), (GREEN, YELLOW, CYAN, DIM)


def table(title, rows, notes):
    return [
        line(title, BOLD),
        [],
        *columns([HEADS], WIDTHS, (BOLD,) * 4),
        *columns([tuple("-" * (width - 2) for width in WIDTHS)], WIDTHS, (DIM,) * 4),
        *columns(rows, WIDTHS, COLOURS),
        [],
        *(line(note, DIM) for note in notes),
    ]


def in_user_mode(trace, printed, symbols):
    found = visits(trace)
    calls = call_names(trace, found)
    if not calls:
        raise Problem("no whole system call is in the records")
    number = statistics.mode(call[0][0].b for call in calls)
    usual = statistics.mode(shape(call) for call in calls if call[0][0].b == number)
    calls = [call for call in calls if call[0][0].b == number and shape(call) == usual]
    cost = [statistics.fmean(instructions(call[step]) for call in calls) for step in range(len(usual) + 1)]
    one = calls[len(calls) // 2]
    name = syscall_names().get(number, f"call {number}")
    rows = [
        ("", "when it starts:", "", ""),
        vector_written(found, symbols),
        ("", "", "", ""),
        (f"1 ecall: {name}", "", "", ""),
        (f"  in {symbols.name(one[0][0].a)}", "", "2 entered: system call", ""),
        ("", f"3 {symbols.name(one[0][-1].a)}", "  upcall: into its trap vector", f"{cost[0]:6.0f}"),
    ]
    for at, step in enumerate(one[1:-1], 1):
        emulated = done(step, "EMULATE")
        rows.append(("", f"  {privileged.instruction(emulated.a)}", f"  emulated: {value_of(emulated, symbols)}", f"{cost[at]:6.0f}"))
    rows += [
        ("", "4 sret", "5 emulated: back to U", f"{cost[-1]:6.0f}"),
        ("6 goes on, pc + 4", "", "", ""),
    ]
    whole = unit_instructions(printed)
    return table(
        "A system call of an unmodified kernel in U-mode", rows,
        [f"instr.: what Candor takes for that line, by the records' times; means of {len(calls)} calls. In all a call",
         f"took {whole:.0f}, by the program's own count, with {len(usual) + 1} entries. The trace has a part in that."],
    )  # fmt: skip


def in_supervisor_mode(trace, printed, symbols):
    entered = sum(is_call(visit) for visit in visits(trace))
    if "native_vector" not in symbols.names:
        raise Problem("the kernel has no native_vector")
    rows = [
        ("", "when it starts:", "", ""),
        ("", "csrw stvec", "(no record: its own register)", ""),
        ("", "", "", ""),
        ("1 ecall: getppid", "", f"({entered} records)", ""),
        ("", "2 native_vector", "", ""),
        ("", "  handles the call", "", ""),
        ("", "3 sret", "", ""),
        ("4 goes on, pc + 4", "", "", ""),
    ]
    notes = [f"In all {unit_instructions(printed):.0f} instructions, by the program's own count: a mode to spare keeps Candor out of it."]
    return table("A system call of an unmodified kernel in S-mode", rows, notes)


def syscall_view(depriv, trace, printed, symbols):
    return (in_user_mode if depriv == "u" else in_supervisor_mode)(trace, printed, symbols)


# ---- one page fault ----


def entry_text(entry):
    """A table's entry: its frame, and a letter for each flag that is set."""
    flags = "".join(letter if entry >> bit & 1 else "-" for bit, letter in enumerate(FLAGS))
    return f"{entry >> ENTRY_FRAME_SHIFT:#x} {flags}" if entry else "none"


def machine_text(fill, more):
    return f"{more.a >> FRAME_SHIFT:#x} -> {more.b >> ENTRY_FRAME_SHIFT:#x}"


def fault_rounds(found):
    """[(true fault, [visits between], hidden fill)]: the second is of the instruction that had the first."""
    rounds = []
    for at, visit in enumerate(found):
        reflected = done(visit, "REFLECT")
        if visit[0].kind != "ENTRY" or visit[0].number not in FAULTS or reflected is None or visit[0].a & KERNEL_HALF:
            continue
        between = []
        for following in found[at + 1 :]:
            fill = done(following, "FILL")
            if following[0].a == visit[0].a and fill is not None and not (fill.a ^ reflected.b) & ~PAGE:
                rounds.append((visit, between, following))
                break
            if following[0].kind == "INTERRUPT" or is_call(following):
                break
            between.append(following)
    return rounds


FAULT_WIDTHS = (43, 19, 20, 17)


def fault_view(depriv, trace, symbols):
    rounds = fault_rounds(visits(trace))
    if not rounds:
        raise Problem("no page fault of a program, from the first time to the second, is in the records")
    usual = statistics.mode((true[0].a, len(between)) for true, between, _ in rounds)
    true, between, hidden = [one for one in rounds if (one[0][0].a, len(one[1])) == usual][-1]
    address = done(true, "REFLECT").b
    what = f"{FAULTS[true[0].number]} {address:#x}"
    rows = [
        (f"process     {what}", "", "", ""),
        (f"            in {symbols.name(true[0].a)}", "", "", ""),
        ("hypervisor  walks the guest's tables", "not allowed", "", ""),
        ("            a true fault: into the kernel", "", "", ""),
        (f"kernel      {symbols.name(true[-1].a)}", "", "", ""),
    ]
    emulated = [done(visit, "EMULATE") for visit in between]
    if any(emulated):
        rows.append((f"            {sum(e is not None for e in emulated)} instructions emulated", "", "", ""))
    for visit in between:
        fill, more = done(visit, "FILL"), done(visit, "FILL_MORE")
        if fill is not None:
            rows.append((f"hypervisor  hidden: {fill.a:#x}", entry_text(fill.b), machine_text(fill, more), entry_text(more.b)))
    fill, more = done(hidden, "FILL"), done(hidden, "FILL_MORE")
    rows += [
        ("kernel      sret", "", "", ""),
        (f"process     {what} again", "", "", ""),
        ("hypervisor  walks the guest's tables", "allowed", "", ""),
        ("            a hidden fault: fills", entry_text(fill.b), machine_text(fill, more), entry_text(more.b)),
        ("process     goes on", "", "", ""),
    ]
    colours = {"process": GREEN, "kernel": YELLOW, "hypervisor": CYAN}
    lines, colour = [], 0
    for row in rows:
        colour = colours.get(row[0].split()[0], colour)
        lines.append([(text, width, colour) for text, width in zip(row, FAULT_WIDTHS)])
    heads = ("", "guest's entry", "machine's (p2m)", "shadow's entry")
    return [
        line(f"The first touch of a page, under an unmodified kernel in {KERNEL_OF[depriv]}", BOLD),
        [],
        *columns([heads], FAULT_WIDTHS, (BOLD,) * 4),
        *columns([("-" * (FAULT_WIDTHS[0] - 2), *("-" * (width - 2) for width in FAULT_WIDTHS[1:]))], FAULT_WIDTHS, (DIM,) * 4),
        *lines,
        [],
        line("Entries: a frame, then a letter for each flag: valid read write execute user global accessed dirty.", DIM),
        line("The guest's entry leads to a frame by its own number, the shadow's to the machine's frame.", DIM),
        line(f"One of {len(rounds)} faults in the records.", DIM),
    ]
