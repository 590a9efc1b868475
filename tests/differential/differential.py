# SPDX-License-Identifier: MIT
"""Starts the differential guest on the bare machine and in virtual machines, and compares what it says (tests/differential/run)."""

import collections
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", "build"))
IMAGE = BUILD / "tests/differential.elf"
FIRMWARE = BUILD / "tests/differential-firmware.elf"
LOGS = ROOT / BUILD / "differential/logs"
OBJDUMP = "riscv64-unknown-elf-objdump"
BARE, MACHINES = "bare", ("s", "u")
GRAIN = 100  # programs behind one hash, when there are many
LIMIT_S = 60  # and as much for each thousand programs
SHOWN_DIFFERENCES = 6


class Failed(Exception):
    """A machine did not come to its end."""


def run_machine(machine, first, count, every, show=False):
    """What the image says on `machine` ("bare", "s" or "u") about programs first to first+count-1."""
    words = f"first={first} count={count} every={every}" + (" show" if show else "")
    command = ["timeout", "-k", "5", str(LIMIT_S * (1 + count // 1000)), "tools/candor"]
    environment = dict(os.environ)
    if machine == BARE:
        command += ["native", "--image", str(IMAGE), "--args", words]
        environment["QEMUEXTRA"] = f"-bios {FIRMWARE} {environment.get('QEMUEXTRA', '')}"
    else:
        command += ["run", "--vm", f"image={IMAGE},name=un,virt=shadow,depriv={machine},counters=raw,args={words}"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", check=False,
    )  # fmt: skip
    lines = [line.rstrip("\r") for line in done.stdout.splitlines()]
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{machine}-{first}-{count}{'-shown' if show else ''}"
    log.write_text("\n".join(lines) + "\n")
    if done.returncode != 0 or not any(line.startswith("count programs") for line in lines):
        states = [line for line in lines if line.startswith("state ")]
        last = f"after '{states[-1]}'" if states else "before its first state"
        raise Failed(f"{machine}: ended with status {done.returncode} {last}: see {log.relative_to(ROOT)}")
    if not show:
        log.unlink()
    return lines


def states(lines):
    return {int(words[1]): words[2] for words in map(str.split, lines) if words[:1] == ["state"]}


def counts(lines):
    """How often each feature was executed, and each kind of trap taken."""
    found = collections.Counter()
    for line in lines:
        match = re.fullmatch(r"count (\S+) (\d+)( of \d+)?", line)
        if match:
            found[match[1]] += int(match[2])
    return found


def programs_that_differ(machine, first, count):
    """The programs of a group that do not end alike on the bare machine and on this one."""
    bare, other = (states(run_machine(which, first, count, 1)) for which in (BARE, machine))
    return [number for number in sorted(bare) if bare[number] != other.get(number)]


def batch(first, count, machines):
    """(counts, the programs that differ by machine) of one start of each machine."""
    every = min(GRAIN, count) if count > GRAIN * 5 else 1
    outputs = {machine: run_machine(machine, first, count, every) for machine in (BARE, *machines)}
    bare, differ = states(outputs[BARE]), {}
    for machine in machines:
        found = states(outputs[machine])
        groups = [last for last in sorted(bare) if found.get(last) != bare[last]]
        differ[machine] = groups if every == 1 else [
            number for last in groups[:SHOWN_DIFFERENCES]
            for number in programs_that_differ(machine, max(first, last - every + 1), min(every, last - first + 1))
        ]  # fmt: skip
    return counts(outputs[BARE]), differ


# ---- one program ----


def disassembly(lines):
    """The slots of a program, as `show` gave them, in words."""
    text = []
    for line in lines:
        match = re.fullmatch(r"slot ([0-9a-f]+) (\S+) ([0-9a-f]+)", line)
        if match:
            path = LOGS / "slot"
            path.write_bytes(bytes.fromhex(match[3]))
            command = [OBJDUMP, "-D", "-z", "-b", "binary", "-m", "riscv:rv64", "-M", "no-aliases", f"--adjust-vma=0x{match[1]}", path]
            shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[7:]
            ends = [i for i, row in enumerate(shown) if re.search(r"\sjal\s+zero|\sebreak", row)]
            text += [f"{match[2]}:", *shown[4 : (ends[0] if ends else len(shown)) + 1]]
    return text


def show_program(number, machines):
    """Prints a program and, for each machine, the first of what differs. True if nothing does."""
    outputs = {machine: run_machine(machine, number, 1, 1, show=True) for machine in (BARE, *machines)}
    print("\n".join(disassembly(outputs[BARE])))
    good = True
    for machine in machines:
        bare, other = (
            [line for line in outputs[which] if re.match(r" |state ", line)] for which in (BARE, machine)
        )
        differ = [i for i in range(max(len(bare), len(other))) if bare[i : i + 1] != other[i : i + 1]]
        if differ:
            good = False
            at = differ[0]
            trap = next((line for line in reversed(bare[:at]) if line.startswith(" trap")), " the beginning")
            print(f"program {number}, depriv={machine}: the first difference, after{trap}")
            for name, lines in ((BARE, bare), (f"depriv={machine}", other)):
                print("\n".join(f"  {name + ':':10} {line.strip()}" for line in lines[at : at + SHOWN_DIFFERENCES]))
    if good:
        print(f"program {number}: no difference")
    return good


# ---- all ----


def run_all(first, programs, machines, size, jobs=1, tell=None):
    """Returns (counts, {machine: programs that differ}, machines that failed); `tell` gets the same after each batch."""
    total, differ, failed = collections.Counter(), {machine: [] for machine in machines}, []
    starts = range(first, first + programs, size)

    def one(start):
        try:
            return batch(start, min(size, first + programs - start), machines)
        except Failed as problem:
            failed.append(str(problem))
            return collections.Counter(), {}

    with ThreadPoolExecutor(jobs) as pool:
        for found, different in pool.map(one, starts):
            total += found
            for machine, numbers in different.items():
                differ[machine] += numbers
            if tell is not None:
                tell(total, differ, failed)
    return total, differ, failed
