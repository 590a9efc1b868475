# SPDX-License-Identifier: MIT
"""What people read of a trace: a system call as a table, a machine switch as steps, plain records.

A view is a list of lines; a line is a list of (text, width, colour), which show() aligns. Times come from the records, names of
functions from the images, and what a switch stores and loads from the source that does it.
"""

import json
import os
import re
import statistics
import sys
from bisect import bisect_right

from . import elf, perfetto
from .abi import ROOT, calls
from .problem import Problem, read_file

CYAN, YELLOW, GREEN, BOLD, DIM = 36, 33, 32, 1, 2
CAUSE_USER_CALL = 8
DIRECT_VECTOR = "pv_trap_direct"
STATUS_MODE_SHIFT, MODES = 11, {0: "U", 1: "S", 3: "M"}
INSTRUCTIONS_PER_TICK = 100  # under -icount shift=0 with a timebase of 10 MHz
VCPU_SOURCE = "hypervisor/arch/riscv64/vcpu.c"
MASK = (1 << 64) - 1


def show(lines):
    """Prints lines of cells, coloured only on a terminal."""
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for line in lines:
        shown = ""
        for text, width, colour in line:
            padded = text.ljust(width)
            shown += f"\033[{colour}m{padded}\033[0m" if coloured and colour and text else padded
        print(shown.rstrip())


def line(text, colour=0):
    return [(text, 0, colour)]


class Symbols:
    """Names of places in the code of a kernel and of a program, by their images."""

    def __init__(self, *paths):
        found = sorted({pair for path in paths for pair in elf.symbols(read_file(path, "image")) if pair[1][0] not in "$."})
        self.addresses, self.names = [pair[0] for pair in found], [pair[1] for pair in found]

    def name(self, address):
        at = bisect_right(self.addresses, address) - 1
        if at < 0 or address - self.addresses[at] > 1 << 16:
            return f"{address:#x}"
        offset = address - self.addresses[at]
        return self.names[at] + (f"+{offset}" if offset else "")


def mode(status):
    return MODES.get(status >> STATUS_MODE_SHIFT & 3, "?")


def syscall_names():
    with open(os.path.join(ROOT, "guestos/include/frank/syscall.h"), encoding="utf-8") as source:
        return {int(number): name for number, name in re.findall(r"X\((\d+), (\w+), \d+\)", source.read())}


# ---- one system call ----


def bounced_calls(trace):
    """[[entry, upcall, call, exit]] of the bounced system calls between which and their return nothing else came."""
    found, trap_return = [], calls()["trap_return"]
    for events in trace.harts:
        for at in range(len(events) - 3):
            entry, upcall, call, leave = four = events[at : at + 4]
            if (
                (entry.kind, entry.number) == ("ENTRY", CAUSE_USER_CALL) and upcall.kind == "EXIT" and mode(upcall.b) == "S"
                and (call.kind, call.number) == ("CALL", trap_return) and leave.kind == "EXIT" and mode(leave.b) == "U"
                and leave.a == entry.a + 4
            ):  # fmt: skip
                found.append(four)
    return found


def unit_instructions(printed):
    """What one unit of the bench's row took, as the guest itself counted."""
    match = re.search(r"bench: (\{.*\})", printed)
    if not match:
        raise Problem("the machine printed no measurement")
    measured = json.loads(match[1])
    return measured["instructions"] / measured["units"]


def columns(rows, widths, colours):
    for row in rows:
        yield [(text, width, colour) for text, width, colour in zip(row, widths, colours)]


def syscall_view(bounced, direct, symbols):
    """Lines for (Trace, printed text) of a machine whose traps were bounced and of one whose were not."""
    found = bounced_calls(bounced[0])
    number = statistics.mode(four[0].b for four in found) if found else None
    found = [four for four in found if four[0].b == number]
    if not found:
        raise Problem("no bounced system call is in the records")
    entered = sum(event.kind == "ENTRY" and event.number == CAUSE_USER_CALL for hart in direct[0].harts for event in hart)
    steps = [
        statistics.fmean(four[i + 1].time - four[i].time for four in found) * INSTRUCTIONS_PER_TICK for i in range(3)
    ]
    entry, upcall, call, leave = found[len(found) // 2]
    name = syscall_names().get(number, f"call {number}")
    vector, user = symbols.name(upcall.a), symbols.name(entry.a)
    if DIRECT_VECTOR not in symbols.names:
        raise Problem(f"the kernel has no {DIRECT_VECTOR}, where a direct system call goes")
    left = [
        ("process", "operating system", "hypervisor", ""),
        (f"1 ecall: {name}", "", "", ""),
        (f"  in {user}", "", "", ""),
        ("", "", "2 entered: system call", ""),
        ("", "", "  stores all registers", ""),
        ("", "", "3 upcall: exit, to S", f"{steps[0]:6.0f}"),
        ("", f"4 {vector}", "", ""),
        ("", "  handles the call", "", ""),
        ("", "5 calls trap_return", "", f"{steps[1]:6.0f}"),
        ("", "", "6 entered: trap_return", ""),
        ("", "", "7 exit, to U", f"{steps[2]:6.0f}"),
        (f"8 goes on, pc + {leave.a - entry.a}", "", "", ""),
    ]
    right = [
        ("process", "operating system", "hypervisor"),
        (f"1 ecall: {name}", "", ""),
        (f"  in {user}", "", ""),
        ("", f"2 {DIRECT_VECTOR}", f"{entered} records"),
        ("", "  handles the call", ""),
        ("", "3 sret", ""),
        ("4 goes on, pc + 4", "", ""),
        *[("", "", "")] * (len(left) - 7),
    ]
    rows = [(*a[:3], a[3], *b) for a, b in zip(left, right)]
    widths, colours = (20, 22, 25, 9, 20, 20, 12), (GREEN, YELLOW, CYAN, DIM, GREEN, YELLOW, CYAN)
    whole = unit_instructions(bounced[1]), unit_instructions(direct[1])
    between = sum(widths[:4])
    return [
        [("A system call, bounced (instr.: instructions since the record before)", between, BOLD), ("and direct", 0, BOLD)],
        [],
        *columns([(*rows[0][:3], "instr.", *rows[0][4:])], widths, (BOLD,) * 7),
        *columns([tuple("-" * (width - 2) for width in widths)], widths, (DIM,) * 7),
        *columns(rows[1:], widths, colours),
        [],
        [(f"in all {whole[0]:.0f} instructions, by the program's own count", between, 0), (f"in all {whole[1]:.0f}", 0, 0)],
        line(f"Steps: means of {len(found)} calls of a real run, {symbols.name(call.a)} among them; the clock ticks every "
             f"{INSTRUCTIONS_PER_TICK} instructions, and tracing in detail adds 9 to a step.", DIM),
    ]  # fmt: skip


# ---- one machine switch ----


def function_body(name):
    """The text of a function of vcpu.c."""
    text = read_file(os.path.join(ROOT, VCPU_SOURCE), "source").decode()
    match = re.search(rf"^(?:static )?void {name}\([^\n]*\)\n\{{\n(.*?)^\}}", text, re.MULTILINE | re.DOTALL)
    if not match:
        raise Problem(f"{VCPU_SOURCE} has no function {name}")
    return match[1]


def registers(body, verb):
    """Control registers that a function reads or writes, in its order, without repetition."""
    return list(dict.fromkeys(re.findall(rf"csr_(?:{verb})\((\w+)", body)))


def one_switch(trace):
    """(entry, [events between], switch, exit): a timer's interrupt of one VM from which another one goes on."""
    best = None
    for events in trace.harts:
        for at, event in enumerate(events):
            if event.kind != "SWITCH" or not event.a or not event.b:
                continue
            first = next((i for i in range(at, max(at - 12, -1), -1) if events[i].kind == "INTERRUPT"), None)
            last = next((i for i in range(at, min(at + 4, len(events))) if events[i].kind == "EXIT"), None)
            if first is None or last is None or any(e.kind in ("SLEEP", "EXIT") for e in events[first:at]):
                continue
            best = events[first], events[first + 1 : at], event, events[last]
            if mode(best[3].b) == "U":
                return best
    if best is None:
        raise Problem("no switch between two machines is in the records")
    return best


def wrapped(words, width):
    lines, current = [], ""
    for word in words:
        if current and len(current) + len(word) + 1 > width:
            lines, current = [*lines, current], ""
        current += (" " if current else "") + word
    return [*lines, current]


def switch_view(trace, symbols):
    entry, between, switch, leave = one_switch(trace)
    old, new = (trace.name(vm, switch.time) for vm in (switch.a, switch.b))
    stored, loaded, switched = map(function_body, ("vcpu_store", "vcpu_load", "arch_vcpu_switch"))
    widths, rows = (12, 22, 26), []

    def step(time, where, what, text="", colour=0):
        elapsed = f"{(time - entry.time) * INSTRUCTIONS_PER_TICK:6d}" if time is not None else ""
        pieces = wrapped(text.split(), 60)
        rows.append([(elapsed, widths[0], DIM), (where, widths[1], YELLOW), (what, widths[2], colour), (pieces[0], 0, 0)])
        rows.extend([("", sum(widths), 0), (more, 0, 0)] for more in pieces[1:])

    step(entry.time, old, "runs until interrupted", f"{perfetto.entry_name(entry)}, at {symbols.name(entry.a)}", GREEN)
    step(None, "trap_entry", "stores", "x1 to x31 and pc (mepc), in the vCPU's struct arch_vcpu", CYAN)
    for event in between:
        if event.kind == "TIMER":
            step(event.time, "sched_tick", "a slice is over?", f"{old}'s turn ends: another one is ready", CYAN)
    step(None, "sched_next", "chooses", new, CYAN)
    step(None, "vcpu_store", f"stores {old}'s", " ".join(registers(stored, "read")), CYAN)
    if "cpu_fp_save" in stored:
        step(None, "cpu_fp_save", "stores", "f0 to f31 and fcsr, whatever FS says", CYAN)
    root = " ".join(registers(switched, "write"))
    step(None, "arch_vcpu_switch", f"loads {new}'s", f"{root}, which was stored when it was set", CYAN)
    if "cpu_fp_load" in loaded:
        step(None, "cpu_fp_load", "loads", "f0 to f31 and fcsr", CYAN)
    step(None, "vcpu_load", f"loads {new}'s", " ".join(registers(loaded, "write|set")), CYAN)
    if "sc.w" in loaded:
        step(None, "", "ends any reservation", "by a store-conditional that goes nowhere", CYAN)
    step(switch.time, "arch_vcpu_switch", "is done", f"{old} is stored, {new} is loaded", CYAN)
    step(leave.time, "trap_leave", "loads", "pc (mepc), x1 to x31; mret", CYAN)
    step(None, new, "goes on", f"in {mode(leave.b)}, at {symbols.name(leave.a & MASK)}", GREEN)
    heads = [("instr.", widths[0], BOLD), ("who", widths[1], BOLD), ("does", widths[2], BOLD), ("what", 0, BOLD)]
    return [
        line(f"One machine switch, from {old} to {new}", BOLD),
        [],
        heads,
        *rows,
        [],
        line("Left as it is: the translations of both (every root has its own identifier) and what Candor keeps of each.", DIM),
        line(f"instr.: instructions since the interrupt, by the records' times; a tick is {INSTRUCTIONS_PER_TICK}. "
             f"Registers: as {VCPU_SOURCE} names them.", DIM),
    ]  # fmt: skip


# ---- plain records ----


def records_view(trace):
    lines = [[("hart", 6, BOLD), ("time", 14, BOLD), ("VM", 16, BOLD), ("what", 34, BOLD), ("values", 0, BOLD)]]
    for hart, events in enumerate(trace.harts):
        for event in events:
            if event.kind in ("ENTRY", "INTERRUPT"):
                what = f"entry: {perfetto.entry_name(event)}"
            elif event.kind in ("CALL", "CALL_FAST"):
                what = f"hypercall: {perfetto.call_name(event.number)}"
            elif told := perfetto.told(event):
                what = told[0]
            else:
                what = event.kind.lower()
            seconds = f"{event.time / (trace.timebase or 1):.7f}"
            name = trace.name(event.vm, event.time) if event.vm else "-"
            lines.append([(str(hart), 6, 0), (seconds, 14, DIM), (name, 16, YELLOW), (what, 34, CYAN), (f"{event.a:#x} {event.b:#x}", 0, 0)])
    return lines
