# SPDX-License-Identifier: MIT
"""The monitor's `trace` on a real machine of two harts: switched and shown by typing and by the control channel."""

import re
import time

import pytest
from candorlib import between
from test_monitor import FRANK, command, ctl, monitor

BUDGET_S = 30

BUSY = ",args=idle=spin"  # and says nothing
RECORD = re.compile(r" *(\d+) us ago  hart (\d)  (\S+) +(\S.*)")
# A hart goes over to another level when it next leaves for a guest by an interrupt.
# One that has one machine alone is interrupted ten times a second.
SETTLE_S = 15


@pytest.fixture
def machine(candor, tmp_path):
    """Both harts always have something to do, so both have records."""
    vms = (f"{FRANK},name=alpha", f"{FRANK},name=one{BUSY}", f"{FRANK},name=two{BUSY}")
    started = candor(*vms, options=("--smp", "2", "--ctl", tmp_path / "ctl"))
    prompts = set()
    while len(prompts) < len(vms):
        prompts.add(started.expect(r"(alpha|one|two)\S*\| [^\r\n]*frank\$ ")[1])
    return started


def settled(look, wanted):
    """What `look` sees once it is as wanted."""
    deadline = time.monotonic() + SETTLE_S
    while not wanted(seen := look()):
        assert time.monotonic() < deadline, seen
    return seen


def full(counts):
    """Whether there are records enough, of each hart."""
    counts = list(counts)
    return sum(counts) >= 256 and min(counts) >= 10


def harts(shown):
    """{hart: (level, records)} as `trace` shows it."""
    return {int(hart): (level, int(count)) for hart, level, count in re.findall(r"hart (\d): (\w+), (\d+) records", shown)}


def records(shown):
    """[(us ago, hart, VM, what)] as `trace last` shows them."""
    return [(int(match[1]), int(match[2]), match[3], match[4]) for line in shown.splitlines() if (match := RECORD.fullmatch(line))]


def in_order(found):
    """The oldest comes first, the last just now; both harts, and VMs by name."""
    ages = [one[0] for one in found]
    assert ages == sorted(ages, reverse=True)
    assert {one[1] for one in found} == {0, 1}
    assert {one[2] for one in found} <= {"alpha", "one", "two", "-"} and {"one", "two"} & {one[2] for one in found}


def test_by_typing(machine):
    monitor(machine)
    assert command(machine, "trace") == "the trace is off\n"
    assert command(machine, "trace last").startswith("trace: there is no record: switch it on first")
    assert command(machine, "trace on") == "the trace is on\n"
    both = settled(lambda: harts(command(machine, "trace")), lambda seen: {level for level, _ in seen.values()} == {"on"})
    assert set(both) == {0, 1}
    settled(lambda: harts(command(machine, "trace")), lambda seen: full(count for _, count in seen.values()))
    assert command(machine, "trace off") == "the trace is off\n"
    settled(lambda: harts(command(machine, "trace")), lambda seen: {level for level, _ in seen.values()} == {"off"})
    shown = records(command(machine, "trace last 256"))
    assert len(shown) == 256
    in_order(shown)
    assert len(records(command(machine, "trace last"))) == 16 and len(records(command(machine, "trace last 1"))) == 1
    for words, why in {"last 257": "'257' is no number from 1 to 256", "last 0": "'0' is no number", "more": "'more' is not known"}.items():
        assert command(machine, f"trace {words}").startswith(f"trace: {why}")
    assert "the trace is detail" in command(machine, "trace detail")


def test_by_programs(machine, tmp_path):
    path = tmp_path / "ctl"

    def ask(words):
        return between.ask(str(path), words)

    def levels():
        return {row["hart"]: row["level"] for row in ask("trace")["result"][1:]}

    assert ask("trace")["result"] == [{"trace": "off", "ring_records": 2048}]
    assert "there is no record" in ask("trace last")["error"]
    for level in ("on", "detail"):
        assert ask(f"trace {level}")["ok"] and ask("trace")["result"][0]["trace"] == level
        settled(levels, lambda seen, level=level: seen == {0: level, 1: level})
    settled(lambda: [row["records"] for row in ask("trace")["result"][1:]], full)
    assert ask("trace off")["ok"]
    settled(levels, lambda seen: seen == {0: "off", 1: "off"})
    status, answer = ctl(path, "trace", "last", "256")
    assert status == 0 and len(answer["result"]) == 256
    in_order([(row["us_ago"], row["hart"], row["vm"], row["what"]) for row in answer["result"]])
    assert ctl(path, "trace", "last", "257")[1] == {"ok": False, "error": "'257' is no number from 1 to 256", "result": []}
    machine.type_line("echo still here")
    machine.expect("still here")
