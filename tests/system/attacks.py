# SPDX-License-Identifier: MIT
"""The attacks of attacks.toml and how they are run: many machines in one boot, beside a neighbour, its outcome kept.

A group of attacks is one boot for each number of harts and kind of traps. What each machine said is taken apart by its name.
"""

import atexit
import os
import re
import tomllib
from dataclasses import dataclass, field

from machine import CONTROL_SEQUENCE, LOGS, ROOT

PREFIX = "\x14"  # Ctrl-T, the key before Candor's keys
GUESTS = "build/tests/guest"
NEIGHBOUR = f"image={GUESTS}/neighbour.elf,name=neighbour,mem=4M"
MANIFEST = tomllib.loads((ROOT / "tests/system/attacks.toml").read_text(encoding="utf-8"))
COPIES = {"migrate": 3, "residue": 3}
RACING = ("stale", "migrate", "residue")  # several machines change frames, tables and code that harts hand on
NAME_MAX = 15
BOOT_S, END_S = 110, 100
DISK_BYTES = 1 << 20
BEATS = 2

ENDED = r"ended: [a-z -]+ at pc 0x[0-9a-f]+, value 0x[0-9a-f]+"
ILLEGAL = r"ended: illegal-instruction at pc 0x400000, value 0x[0-9a-f]+"


def new_disk(name):
    """An empty disk, for the machine of that name."""
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"attacks.{name}.{os.getpid()}.disk"
    path.write_bytes(bytes(DISK_BYTES))
    atexit.register(path.unlink, missing_ok=True)
    return path


@dataclass
class Guest:
    """One machine of a boot."""

    name: str
    image: str
    args: str = ""
    memory: str = "8M"

    def option(self, traps):
        disk = f",disk={new_disk(self.name)}" if self.image == "hostile_disk" else ""
        return f"image={GUESTS}/{self.image}.elf,name={self.name},mem={self.memory},traps={traps},args={self.args}{disk}"


@dataclass
class Outcome:
    """What came of a boot: {machine: its lines}, {machine: Candor's line about its end}, and what went wrong, if so."""

    lines: dict = field(default_factory=dict)
    ends: dict = field(default_factory=dict)
    problem: str = ""

    def section(self, guest, attack):
        """The lines of one attack of a family; None if it was never made."""
        lines = self.lines.get(guest, [])
        if f"ATTACK {attack}" not in lines:
            return None
        rest = lines[lines.index(f"ATTACK {attack}") + 1 :]
        for place, line in enumerate(rest):
            if line.startswith("ATTACK "):
                return rest[:place]
        return rest


def names_of(family):
    """The names of the machines that make a family's attacks: some are made by several at once."""
    copies = COPIES.get(family, 0)
    return [f"{family}{i + 1}" for i in range(copies)] or [family]


def family_guests(families, alone=()):
    """The machines of attacks that end in errors or go on."""
    guests = [Guest(name, f"hostile_{name}") for name in alone]
    return guests + [Guest(name, f"hostile_{family}") for family in families for name in names_of(family)]


def single_guests(kind, image, words=None):
    """A machine for each attack of a table: `args` is the attack's name, or its word."""
    return [
        Guest(f"{kind}{place}", image, words[name] if words else name, "4M")
        for place, name in enumerate(MANIFEST[kind])
    ]


INSTRUCTIONS = {name: word for name, (word, _) in MANIFEST["instructions"].items()}
GROUPS = {
    "family": family_guests(MANIFEST["family"], MANIFEST["alone"]),
    "racing": family_guests(RACING),
    "instructions": single_guests("instructions", "hostile_insn", INSTRUCTIONS),
    "entries": single_guests("entries", "hostile_entry"),
    "loops": single_guests("loops", "hostile_loop"),
}
GUESTS_A_BOOT = 40


def count():
    """How many attacks the manifest has."""
    families = [*MANIFEST["family"].values(), *MANIFEST["bare"].values()]
    return sum(map(len, families)) + sum(len(MANIFEST[kind]) for kind in MANIFEST if kind not in ("family", "bare"))


def conditions():
    """[(traps, harts)]: a few that differ in both; all of them with ATTACKS=all; those of CANDOR_SMP if it is set."""
    harts = os.environ.get("CANDOR_SMP")
    if harts:
        return [("direct", int(harts)), ("bounced", int(harts))]
    if os.environ.get("ATTACKS") == "all":
        return [(traps, harts) for traps in ("direct", "bounced") for harts in (1, 2, 4)]
    return [("direct", 4), ("bounced", 1)]


def check_the_rest(machine):
    """The neighbour still computes, its sums are right, no invariant is broken; ends the machine."""
    for _ in range(BEATS):
        machine.expect(r"beat \d+")
    machine.send(PREFIX + "m")
    machine.expect("candor> ")
    machine.type_line("audit")
    assert machine.expect("audit: (clean|BROKEN)[^\r\n]*\r", END_S)[1] == "clean", machine.transcript[-500:]
    machine.type_line("quit")
    assert machine.wait_exit() == 0
    wrong = re.findall(r"[^\r\n]*(?:neighbour\S*\| FAIL|PANIC)[^\r\n]*", machine.transcript)
    assert not wrong, wrong


def sort_lines(transcript, outcome):
    """Takes a transcript apart by who speaks."""
    for line in re.split(r"[\r\n]+", CONTROL_SEQUENCE.sub("", transcript)):
        said = re.match(r"([A-Za-z0-9_-]+)\| (.*)", line)
        told = re.match(r"(?:candor> )?candor: ([A-Za-z0-9_-]+): ((?:shut down|ended|not started).*)", line)
        if said:
            outcome.lines.setdefault(said[1], []).append(said[2])
        elif told:
            outcome.ends[told[1]] = told[2]


def end_all(machine, guests):
    """Waits until the machines have ended by themselves."""
    for _ in guests:
        machine.expect(r"candor: (?!neighbour)[A-Za-z0-9_-]+: (?:shut down|ended|not started)[^\r\n]*\r", BOOT_S)


def kill_all(machine, guests):
    """Waits until each has begun and the neighbour has gone on beside them all; then the monitor ends them."""
    for _ in guests:
        machine.expect(r"\| ATTACK ", BOOT_S)
    for _ in range(BEATS):
        machine.expect(r"neighbour\S*\| beat \d+")
    machine.send(PREFIX + "m")
    machine.expect("candor> ")
    for guest in guests:
        machine.type_line(f"kill {guest.name}")
        machine.expect(rf"candor: {guest.name}: ended by the monitor[^\r\n]*\r", END_S)
    machine.send(PREFIX + "1")


def run(start_candor, guests, traps, harts, finish=end_all):
    """Boots the machines and returns the Outcome; what goes wrong stands in it."""
    outcome = Outcome()
    vms = [NEIGHBOUR, *(guest.option(traps) for guest in guests)]
    machine = start_candor(*vms, options=("--smp", str(harts)), life_s=BOOT_S + 2 * END_S)
    try:
        finish(machine, guests)
        check_the_rest(machine)
    except AssertionError as problem:
        outcome.problem = f"{problem}\n{machine.log}"
    sort_lines(machine.transcript + machine.before, outcome)
    return outcome
