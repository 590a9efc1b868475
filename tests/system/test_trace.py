# SPDX-License-Identifier: MIT
"""The trace: what is written, that reading it loses nothing unseen, what it costs, and the views of it."""

import json
import os
import random
import re
import signal
import subprocess
import time

import pytest
from candorlib import between, perfetto, privileged, trace, traceview
from machine import ROOT

BUDGET_S = 120

HELLO = "image=build/tests/guest/hello.elf"
FRANK = "image=build/frank-pv.elf,initrd=build/initrd.img"
COST_MAX = 1.02


def candor(*words, **options):
    command = ["timeout", "-k", "5", "60", ROOT / "tools/candor", "run", *map(str, words)]
    return subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False, **options
    )


def decoded(path):
    with open(path, "rb") as source:
        return subprocess.run(["protoc", "--decode_raw"], stdin=source, capture_output=True, text=True, check=True).stdout


UNMODIFIED = (
    "image=build/frank-native.elf,name=un,virt=shadow,depriv=u,initrd=build/initrd.img,counters=raw,"
    "args=run=/bin/bench,,quick,,null_call"
)


def bench(row, traps="direct"):
    return f"{FRANK},name=frank,traps={traps},counters=raw,args=run=/bin/bench,,quick,,{row}"


# ---- files ----


def test_protoc_reads_the_perfetto_trace_with_a_track_for_each_hart_and_each_machine(tmp_path):
    path = tmp_path / "trace"
    # (With --icount ticks fall into guests' time on any machine: a fast one may run both guests between two of them.)
    one, two = f"{HELLO},name=one", bench("null_call").replace("frank,", "two,", 1)
    done = candor("--smp", 2, "--icount", "--trace", path, "--vm", one, "--vm", two)
    assert done.returncode == 0, done.stderr
    text = decoded(path)
    tracks = dict(re.findall(r'60 \{\n +1: (\d+)\n +2: "([^"]+)"', text))
    assert sorted(tracks.values()) == ["VM one", "VM two", "hart 0", "hart 1"]
    events = re.findall(r"8: (\d+)\n +11 \{\n +9: (\d)\n +11: (\d+)", text)
    assert {track for _, _, track in events} <= set(tracks)
    for track in tracks:
        kinds = [kind for _, kind, of in events if of == track]
        assert kinds.count("1") == kinds.count("2"), f"slices of {tracks[track]} that do not end"
    # (protoc guesses what is a text; "pte_set" would pass for a message.)
    assert '23: "table_make"' in text and '23: "timer"' in text and '23: "end"' in text
    assert '"name_more"' not in text, "what names the tracks is no event"


def test_perfetto_shows_what_was_done_for_an_unmodified_guest(tmp_path):
    path = tmp_path / "trace"
    assert candor("--trace", path, "--trace-detail", "--icount", "--vm", UNMODIFIED).returncode == 0
    names = set(re.findall(r'23: "([^"]+)"', decoded(path)))
    wanted = {"emulated csrw sepc", "emulated sret", "emulated csrrsi sstatus", "into its kernel: system call", "fill", "filled"}
    assert wanted <= names, names


def test_each_entry_of_an_unmodified_guest_has_its_cause_in_the_trace(tmp_path):
    path = tmp_path / "t.records"
    assert candor("--trace", path, "--trace-detail", "--icount", "--vm", UNMODIFIED).returncode == 0
    recorded = trace.load_records(str(path))
    gaps = sorted(at for hart, at in recorded.gaps if hart == 0)
    cause, told = None, 0
    for event in recorded.harts[0]:
        while gaps and gaps[0] <= event.time:
            gaps.pop(0)
            cause = None  # the entry may be among the records that were overwritten before they were read
        if event.kind == "ENTRY":
            cause = event.number
        elif cause is None:
            continue
        elif event.kind == "FILL":
            assert cause in (12, 13, 15), event
        elif event.kind == "EMULATE":
            assert cause == (2 if privileged.csr_of(event.a) or privileged.instruction(event.a) == "sret" else cause), event
        elif event.kind == "REFLECT" and not event.a >> 63:
            assert cause == event.a, event
        told += 1
    assert told > 1000


def test_each_machine_has_its_own_records(tmp_path):
    path = tmp_path / "t.records"
    assert candor("--trace", path, "--vm", f"{HELLO},name=one", "--vm", f"{HELLO},name=two").returncode == 0
    recorded = trace.load_records(str(path))
    assert recorded.vms == {1: "one", 2: "two"} and not recorded.gaps
    (events,) = recorded.harts
    calls = {vm: sum(e.kind in ("CALL", "CALL_FAST") for e in events if e.vm == vm) for vm in (1, 2)}
    assert calls[1] == calls[2] > 0
    assert sorted((e.a, e.b) for e in events if e.kind == "END") == [(1, 1), (2, 1)]
    assert all(before.time <= after.time for before, after in zip(events, events[1:]))


def test_an_identifier_that_is_given_out_again_is_another_machine(start, tmp_path):
    path, socket = tmp_path / "t.records", str(tmp_path / "ctl")
    vms = ("--vm", f"{FRANK},name=stays", "--vm", f"{HELLO},name=first,start=no")
    machine = start("run", *vms, "--trace", path, "--ctl", socket)
    machine.prompt()
    for name in ("first", "second"):
        assert between.ask(socket, f"create {name} from first")["ok"]
        machine.expect(f"candor: {name}: shut down")
        assert between.ask(socket, f"destroy {name}")["ok"]
    between.ask(socket, "quit")
    machine.wait_exit()
    recorded = trace.load_records(str(path))
    assert recorded.machines() == [(1, 0, "stays"), (2, 0, "first"), (2, 1, "second")]
    ends = [event for events in recorded.harts for event in events if event.kind == "END" and event.a == 2]
    assert [recorded.name(event.a, event.time) for event in ends] == ["first", "second"]
    (tmp_path / "trace").write_bytes(perfetto.encode(recorded))
    text = decoded(tmp_path / "trace")
    tracks = {name: track for track, name in re.findall(r'60 \{\n +1: (\d+)\n +2: "([^"]+)"', text)}
    assert set(tracks) == {"hart 0", "VM stays", "VM first", "VM second"}
    for name in ("first", "second"):
        assert f"11: {tracks['VM ' + name]}\n" in text, name


def test_each_entry_has_its_exit_in_detail(tmp_path):
    path = tmp_path / "t.records"
    assert candor("--trace", path, "--trace-detail", "--icount", "--vm", bench("ctx_2p/0K", "bounced")).returncode == 0
    inside = False
    for event in trace.load_records(str(path)).harts[0]:
        if event.kind in ("ENTRY", "INTERRUPT", "CALL"):
            assert not inside, event
            inside = True
        elif event.kind == "EXIT":
            inside = False


def test_a_fault_is_in_the_trace_and_the_exit_status_stays_the_machines(tmp_path):
    path = tmp_path / "t.records"
    done = candor("--trace", path, "--vm", "image=build/tests/guest/hostile_satp.elf,name=bad")
    assert done.returncode == 1
    faults = [event for event in trace.load_records(str(path)).harts[0] if event.kind == "FAULT"]
    assert len(faults) == 1 and f"{faults[0].a:#x}" in done.stdout


@pytest.mark.parametrize("name", ["t", "t.records"])
def test_a_disk_that_is_full_costs_the_trace_and_nothing_else(name, tmp_path):
    (tmp_path / name).symlink_to("/dev/full")
    done = candor("--trace", tmp_path / name, "--vm", HELLO)
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"candor: the trace {tmp_path / name} is incomplete: No space left on device\n"


def test_a_run_that_is_ended_from_outside_leaves_its_trace_and_no_process(tmp_path):
    path = tmp_path / "t.records"
    command = [ROOT / "tools/candor", "run", "--trace", path, "--vm", f"{FRANK},name=frank"]
    run = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        for line in run.stdout:
            if "Welcome" in line:
                break
        children = f"/proc/{run.pid}/task/{run.pid}/children"
        with open(children, encoding="ascii") as source:
            child = int(source.read().split()[0])
        time.sleep(0.2)
        run.send_signal(signal.SIGTERM)
        run.wait(20)
    finally:
        if run.poll() is None:
            run.kill()
        run.stdout.close()
        run.stdin.close()
    assert run.returncode == 128 + signal.SIGTERM
    assert not os.path.exists(f"/proc/{child}")
    assert len(trace.load_records(str(path)).harts[0]) > 30


@pytest.mark.parametrize(
    "words, reason",
    [
        (("--trace", "/proc/no/where", "--vm", HELLO), "cannot write /proc/no/where"),
        (("--trace", "TMP", "--bundle", "x"), "--trace needs --vm"),
        (("--trace", "TMP", "--vm", HELLO, "--hypervisor", "LICENSE"), "has no symbol trace_header"),
    ],
)
def test_what_cannot_be_traced_is_told_in_one_line(words, reason, tmp_path):
    done = candor(*(str(tmp_path / "t") if word == "TMP" else word for word in words))
    assert done.returncode == 2 and reason in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


def test_files_that_are_no_records_are_refused(tmp_path):
    good = tmp_path / "t.records"
    assert candor("--trace", good, "--vm", f"{HELLO},name=one").returncode == 0
    data = good.read_bytes()
    for cut in (0, 7, 20, 50, len(data) - 1):
        (tmp_path / "cut").write_bytes(data[:cut])
        done = subprocess.run([ROOT / "tools/trace-view", "records", tmp_path / "cut"], capture_output=True, text=True, check=False)
        assert done.returncode == 1 and done.stderr.startswith("trace-view: ") and "Traceback" not in done.stderr


@pytest.mark.parametrize("detail", [(), ("--trace-detail",)])
@pytest.mark.parametrize("guest", ["registers", "paging", "hostile_arguments", "hostile_traps", "hostile_user", "hostile_fp"])
def test_guests_behave_the_same_while_they_are_traced(guest, detail, tmp_path):
    plain = candor("--vm", f"image=build/tests/guest/{guest}.elf,name=a")
    traced = candor("--trace", tmp_path / "t", *detail, "--vm", f"image=build/tests/guest/{guest}.elf,name=a")
    assert traced.returncode == plain.returncode
    passes = [re.findall(r"(?:PASS|FAIL|DONE|ended).*", done.stdout) for done in (plain, traced)]
    assert passes[0] and passes[0] == passes[1]


# ---- reading while it is written ----


class Writer:
    """A ring in memory, as Candor writes it: the time first, then what happened."""

    def __init__(self, records):
        self.memory = bytearray(records * trace.RECORD.size)
        self.count = 0

    def write(self, half=False):
        at = self.count * trace.RECORD.size % len(self.memory)
        self.memory[at : at + 8] = (1000 + self.count // 3).to_bytes(8, "little")
        if not half:
            self.memory[at + 8 : at + 16] = self.count.to_bytes(8, "little")
            self.count += 1


def test_reading_while_it_wraps_gives_every_record_once_or_a_gap():
    rolls = random.Random(7)
    for _ in range(30):
        writer = Writer(256)
        ring = trace.Ring(writer.memory, 0, len(writer.memory))
        for _ in range(rolls.randrange(60)):
            for _ in range(rolls.choice((0, 1, 5, 40, 180, 300, 2000))):
                writer.write()
            writer.write(half=True)
            ring.look()
        ring.look(final=False)
        writer.write()
        ring.look(final=True)
        numbers = [record[1] for record in ring.records]
        assert numbers == sorted(set(numbers)) and numbers[-1] == writer.count - 1
        holes = sum(after != before + 1 for before, after in zip(numbers, numbers[1:])) + (numbers[0] != 0)
        assert holes <= len(ring.gaps)
        if not ring.gaps:
            assert numbers == list(range(writer.count))


def test_who_had_the_hart_is_known_before_the_first_switch_and_behind_a_gap():
    switch, timer = trace.kinds()["SWITCH"][0], trace.kinds()["TIMER"][0]
    records = [(1, timer, 0, 0), (2, switch, 3, 1), (3, timer, 0, 0), (9, timer, 0, 0), (10, switch, 2, 0), (11, timer, 0, 0)]
    assert [event.vm for event in trace.read_hart(records, [9], 0, False)] == [3, 1, 1, 2, 0, 0]
    assert [event.vm for event in trace.read_hart(records[:1], [], 5, False)] == [5]


def test_numbers_are_written_as_protocol_buffers_write_them():
    assert perfetto.varint(0) == b"\0" and perfetto.varint(300) == b"\xac\x02" and len(perfetto.varint((1 << 64) - 1)) == 10
    assert perfetto.piece(23, "ab") == b"\xba\x01\x02ab"


# ---- cost ----


@pytest.mark.parametrize("which", [("--columns", "pv,pv-bounced"), ("--columns", "shadow-s", "--rows", "page fault,ctx 2p/0K")])
def test_the_trace_costs_less_than_two_per_cent_in_each_row(which, tmp_path):
    tables = {}
    for name, words in (("off", ()), ("on", ("--trace",))):
        command = [ROOT / "bench/compare", "--quick", "--runs", "1", *which, "--output", tmp_path / name, *words]
        subprocess.run(command, capture_output=True, check=True)
        tables[name] = json.loads((tmp_path / name / "results.json").read_text())["rows"]
    for row, columns in tables["off"].items():
        for column, figures in columns.items():
            ratio = tables["on"][row][column]["total"] / figures["total"]
            assert ratio < COST_MAX, f"{row}, {column}: {ratio:.4f}"


# ---- views ----


def view(*words, **options):
    command = [ROOT / "tools/trace-view", *words]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, **options).stdout


def test_a_bounced_system_call_is_shown_in_three_columns_with_the_direct_one_beside_it():
    lines = view("syscall").splitlines()
    assert "\033" not in "".join(lines)
    heads = next(line for line in lines if line.startswith("process"))
    places = [match.start() for match in re.finditer(r"process|operating|hypervisor", heads)]
    assert len(places) == 6
    table = lines[lines.index(heads) : lines.index("", lines.index(heads))]
    steps = {int(text): at for line in table for at, text in ((m.start(), m[1]) for m in re.finditer(r"(?<!\S)(\d) \S", line[: places[3]]))}
    assert [places.index(steps[number]) for number in range(1, 9)] == [0, 2, 2, 1, 1, 2, 2, 0]
    direct = [m.start() + places[3] for line in table for m in re.finditer(r"(?<!\S)\d (?!records)\S", line[places[3] :])]
    assert [places.index(at) for at in direct] == [3, 4, 4, 3]
    text = "\n".join(lines)
    assert "getppid" in text and "pv_trap_bounced" in text and re.search(r"pv_trap_direct +0 records", text)
    totals = re.search(r"in all (\d+) instructions.* in all (\d+)", text)
    assert int(totals[1]) > 3 * int(totals[2])


def test_a_machine_switch_is_shown_with_what_is_stored_and_loaded():
    text = view("switch")
    assert re.match(r"One machine switch, from vm(1|2) to vm(?!\1)[12]\n", text)
    order = ["runs until interrupted", "trap_entry", "sched_tick", "vcpu_store", "cpu_fp_save", "satp", "cpu_fp_load", "vcpu_load", "trap_leave"]
    assert [text.index(word) for word in order] == sorted(text.index(word) for word in order)
    for register in ("stvec", "stimecmp", "medeleg", "scounteren", "senvcfg", "sie", "mip"):
        assert len(re.findall(rf"\b{register}\b", text)) == 2, register


def test_a_system_call_of_a_kernel_in_user_mode_is_shown_with_every_instruction_that_trapped():
    text = view("syscall", "u")
    heads = next(line for line in text.splitlines() if line.startswith("process"))
    system, hypervisor, cost = (heads.index(head) for head in ("operating", "hypervisor", "instr."))
    rows = [line for line in text.splitlines() if "emulated: " in line]
    order = ["csrw stvec", "csrrw sscratch", "csrr sepc", "csrr scause", "csrw sepc", "csrw sstatus", "4 sret"]
    assert [text.index(name) for name in order] == sorted(text.index(name) for name in order)
    assert "stvec = native_vector" in rows[0] and rows[-1][system:].startswith("4 sret") and len(rows) >= 10
    assert re.search(r"\n1 ecall: getppid\n  in getppid\+\d+ +2 entered: system call\n +3 native_vector +upcall", text)
    assert all(line[hypervisor:].lstrip("5 ").startswith("emulated: ") and float(line[cost:]) > 0 for line in rows)
    entries = int(re.search(r"with (\d+) entries", text)[1])
    assert entries == len(rows)  # with the call's own, without the line from the start
    assert max(map(len, text.splitlines())) <= 100


def test_a_system_call_of_a_kernel_in_supervisor_mode_does_not_enter_candor():
    text = view("syscall", "s")
    assert re.search(r"1 ecall: getppid +\(0 records\)", text)
    assert int(re.search(r"In all (\d+) instructions", text)[1]) < 110


@pytest.mark.parametrize("depriv", ["s", "u"])
def test_a_page_fault_is_shown_true_then_hidden_with_all_three_entries(depriv):
    text = view("fault", depriv)
    true, hidden = re.search(r"not allowed\n +a true fault", text), re.search(r"allowed\n +a hidden fault: fills +(.*)", text)
    assert true and hidden and true.start() < hidden.start()
    guest, machine = re.fullmatch(r"(0x\w+) vrw-u-ad +\1 -> (0x\w+) +\2 vrw-u-ad", hidden[1]).groups()
    assert guest != machine
    assert max(map(len, text.splitlines())) <= 104


def test_a_view_that_is_none_is_told_with_those_there_are():
    for words in (("fault", "x"), ("syscall", "u", "u"), ("fault",)):
        done = subprocess.run([ROOT / "tools/trace-view", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 1 and f"there is no view '{' '.join(words)}'\n" in done.stderr and "usage: " in done.stderr


def test_views_are_coloured_on_a_terminal_only():
    command = f"{ROOT}/tools/trace-view switch"
    shown = subprocess.run(["script", "-qec", command, "/dev/null"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
                           env={key: value for key, value in os.environ.items() if key != "NO_COLOR"}).stdout  # fmt: skip
    assert "\033[" in shown
    assert traceview.mode(3 << 11) == "M"
