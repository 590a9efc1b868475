# SPDX-License-Identifier: MIT
"""A flood is its own VM's loss: a neighbour that always wants to run loses at most 2 % beyond its fair share, and its sums
come out right. One hart, under icount. `make neighbours` prints what was measured; docs/measuring.md says how.

A dead trap entry is not among the floods: it retires no instruction, so that no time passes under icount (test_hostile.py).
"""

import os
import re
import subprocess

import pytest
from machine import LOGS, ROOT

BUDGET_S = 60
SIDE_BY_SIDE = True

LIMIT_PERCENT = 2
# Those that give turns away: the neighbour may get more than its share. With all others the span holds as many turns of each.
GIVING = {"lines", "typed", "naps", "dodge", "yield", "reboot"}
LONGEST_S = 90
# What tests/guest/flood.c does, and how many VMs do it. The first is the measure of the work alone. `make neighbours` tries
# all; `make test` leaves out those that take QEMU long, and the typed one, which comes as fast as the host gives it.
FLOODS = ["spin", "clone", "batch", "illegal", "newlines", "newlines x3", "timer", "dodge", "yield", "reboot"]
OTHERS = [
    "fill", "protect", "flush", "set", "tables", "counters", "unknown", "faults", "faults,traps=bounced", "output", "bytes",
    "lines", "lines x3", "typed", "past", "stimecmp", "naps", "no-sleep", "sweep",
]  # fmt: skip
if os.environ.get("ALL_FLOODS"):
    FLOODS += OTHERS
# What unmodified machines do (tests/guest/bare/flood.c), their kernel in S-mode or in U-mode, beside which neighbour.
UNMODIFIED = [("fences", "u", "shadow"), ("disk", "s", "pv")]
UNMODIFIED_ALL = ["spin", "csr", "faults", "illegal", "fills", "fences", "spaces", "remote", "uart", "newlines", "plic", "timer",
                  "firmware-timer", "disk", "reboot"]  # fmt: skip
if os.environ.get("ALL_FLOODS"):
    UNMODIFIED = [(flood, depriv, neighbour) for neighbour in ("pv", "shadow") for depriv in "su" for flood in UNMODIFIED_ALL]
NEIGHBOURS = {
    "pv": "image=build/tests/guest/fair_share.elf,name=neighbour,mem=8M",
    "shadow": "image=build/tests/guest/bare/fair_share.elf,name=neighbour,mem=8M,virt=shadow",
}
DISK_BYTES = 1 << 20
FLOOD_LEAST = 100  # pieces of work that a flood makes for Candor
TYPED_BYTES = 16 << 20


@pytest.fixture(scope="module")
def table():
    """Rows of the table, which is printed in the end."""
    rows = []
    yield rows
    print("\n\nflood                   hart's   a piece of work    beside the flood    turns    beyond the\n"
          "                         share     alone (ticks)             (ticks)        fair share (%)")  # fmt: skip
    for flood, machines, alone, beside, turns, slowdown in rows:
        print(f"{flood:22}     1/{machines} {alone:17.3f} {beside:19.3f} {turns:8} {slowdown:13.2f}")


def run_to_the_end(kind, vms, tmp_path):
    """What a machine with these VMs prints, and where that is kept."""
    keys = tmp_path / "keys"
    keys.write_bytes(b"x" * TYPED_BYTES if kind == "typed" else b"")
    log = LOGS / f"neighbours.{kind}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    words = ["timeout", "-k", "5", str(LONGEST_S), ROOT / "tools/candor", "run", "--icount"]
    for vm in vms:
        words += ["--vm", vm]
    with open(keys, "rb") as typed, open(log, "wb") as output:
        subprocess.run([*map(str, words)], cwd=ROOT, stdin=typed, stdout=output, stderr=subprocess.STDOUT, check=False)
    return log.read_text(errors="replace"), log


def measure(flood, kind, vms, table, tmp_path):
    """One row: the last of the VMs is the neighbour. What was printed."""
    machines = len(vms)
    text, log = run_to_the_end(kind, vms, tmp_path)
    found = re.search(r"SHARE alone (\d+) (\d+) flooded (\d+) (\d+) turns (\d+)", text)
    assert found, f"no measurement; see {log}:\n{text[-1000:]}"
    failures = [line for line in text.splitlines() if "FAIL " in line or "PANIC" in line]
    assert not failures, failures
    alone_ticks, alone_pieces, ticks, pieces, turns = map(int, found.groups())
    # Keys are typed from the start: then what the neighbour did alone beside the first flood is the measure.
    alone = table[0][2] if kind == "typed" and table else alone_ticks / alone_pieces
    beside = ticks / pieces
    slowdown = 100 * (beside / (machines * alone) - 1)
    table.append((flood, machines, alone, beside, turns, slowdown))
    assert slowdown <= LIMIT_PERCENT
    assert slowdown >= -LIMIT_PERCENT or kind in GIVING
    log.unlink()
    return text


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_is_its_own_loss(flood, table, tmp_path):
    kind, _, count = flood.partition(" x")
    floods = [f"image=build/tests/guest/flood.elf,name=flood{number},mem=8M,args={kind}" for number in range(int(count or 1))]
    measure(flood, kind, [*floods, NEIGHBOURS["pv"]], table, tmp_path)


@pytest.mark.parametrize("flood, depriv, neighbour", UNMODIFIED)
def test_an_unmodified_flood_is_its_own_loss(flood, depriv, neighbour, table, tmp_path):
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(DISK_BYTES))
    vm = f"image=build/tests/guest/bare/flood.elf,name=flood,virt=shadow,depriv={depriv},mem=8M,disk={disk},args={flood}"
    other = NEIGHBOURS[neighbour] + (f",depriv={depriv}" if neighbour == "shadow" else "")
    text = measure(f"{flood} {depriv}, {neighbour}", flood, [vm, other], table, tmp_path)
    times = re.search(r"FLOOD (\d+)", text)
    assert "flood: reboots (" in text if flood == "reboot" else times and int(times[1]) >= FLOOD_LEAST, text[-1000:]
