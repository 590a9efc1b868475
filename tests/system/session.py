# SPDX-License-Identifier: MIT
"""Sessions written down in a document: a fenced block with what is typed and what is shown, played on a real machine.

    $ make run
    candor: ...
    [Ctrl-T v]                  keys; also [3 s], a pause
    vm2| frank$ echo hello      a line that ends a prompt is typed, at the VM that has the input
    vm2| hello

Two sessions are the same when each speaker (a VM by the name in front, or Candor) says the same lines in the same order,
numbers and times by shape: machines run side by side, so whose line comes first is left to them. A line that is shown
again after another speaker broke into it counts once.
"""

import re
import shlex
import shutil
import subprocess
import time

from machine import LOGS, ROOT

BLOCK = re.compile(r"```console\n(\$ (.+)\n(?:.*\n)*?)```\n")
KEY = re.compile(r"\[Ctrl-T (\w)\]|\[(\d+) s\]")
PROMPT = re.compile(r"((?:\w+\| )?(?:\w+\$|candor>)) (\S.*)")
SPEAKER = re.compile(r"(\w+)\| ?|(candor: \w+): ")  # a machine; or Candor, of a machine
SHAPES = (
    (re.compile(r"\brv64\w+"), "ISA"),
    (re.compile(r"\b0x[0-9a-f]+"), "N"),
    (re.compile(r"(?<![A-Za-z])\d+\.\d+"), "N"),
    (re.compile(r"(?<![A-Za-z])(?=[0-9a-f]*\d)[0-9a-f]{5,}\b"), "N"),
    (re.compile(r"(?<![A-Za-z])\d[\d,]*"), "N"),
    (re.compile(r"\s+"), " "),
)
PREFIX = "\x14"
WAIT_S = 40
SILENCE_S = 0.3  # nothing more comes
BOOT_S = 3  # even while machines start, nothing is silent for longer


def blocks(text):
    """Yields (command, lines after it, (start, end) in the text) of each console block."""
    for match in BLOCK.finditer(text):
        yield match[2], match[1].splitlines()[1:], match.span(1)


def find_block(text, command):
    for found, lines, span in blocks(text):
        if found == command:
            return lines, span
    raise LookupError(f"no console block begins with '$ {command}'")


def shape(line):
    for pattern, stands_for in SHAPES:
        line = pattern.sub(stands_for, line)
    return line.strip()


def by_speaker(lines):
    """{speaker: the shapes of its lines}, without lines that the speaker's next one begins with."""
    said = {}
    for line in lines:
        if not line.strip() or KEY.fullmatch(line):
            continue
        match = SPEAKER.match(line)
        said.setdefault(match[1] or match[2] if match else "", []).append(shape(line))
    return {
        name: [one for one, after in zip(shapes, [*shapes[1:], ""]) if not after.startswith(one)]
        for name, shapes in said.items()
    }


def steps(lines):
    """Splits a session into (input, lines shown up to the next input); the first input is None. The line of a prompt with
    what is typed at it is shown after the input."""
    found = [(None, [])]
    for line in lines:
        typed = PROMPT.fullmatch(line)
        if KEY.fullmatch(line):
            found.append((line, []))
        elif typed:
            found.append((typed[2], [line]))
        else:
            found[-1][1].append(line)
    return found


def launcher_words(command):
    """The launcher's arguments that `command` stands for: a call of the launcher, or of make, which ends in one.

    The disks of its machines are new ones, and not those of whoever runs the tests.
    """
    program, *words = shlex.split(command)
    if program == "tools/candor":
        return words
    assert program == "make", command
    disks = LOGS / "disks"
    shutil.rmtree(disks, ignore_errors=True)
    make = ["make", f"DISKS={disks}"]
    shown = subprocess.run([*make, "-n", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    called = shown.splitlines()[-1]
    subprocess.run([*make, *re.findall(rf"{disks}/\w+\.img", called)], cwd=ROOT, capture_output=True, check=True)
    return shlex.split(called)[1:]


def send(machine, typed):
    if key := KEY.fullmatch(typed):
        if key[1]:
            machine.send(PREFIX + key[1])
        else:
            time.sleep(int(key[2]))
    else:
        machine.type_line(typed)


def says_all(wanted, shown):
    """Whether each speaker of `wanted` says its lines in `shown`, in order, whatever else is said. A line may end in '...'."""

    def same(line, other):
        return other.startswith(line[:-3].strip()) if line.endswith("...") else line == other

    def in_order(lines, more):
        rest = iter(more)
        return all(any(same(line, other) for other in rest) for line in lines)

    return all(in_order(lines, shown.get(name, [])) for name, lines in wanted.items())


def play(machine, lines, excerpt=False):
    """Plays the session of `lines` and returns what the machine showed. Each input waits until all before it has been shown:
    AssertionError where something else is. An excerpt may leave lines out."""
    same = says_all if excerpt else dict.__eq__
    wanted, text = [], ""
    for typed, after in steps(lines):
        if typed is not None:
            send(machine, typed)
        wanted += after
        deadline = time.monotonic() + WAIT_S
        while True:
            text += machine.read(SILENCE_S)
            if same(by_speaker(wanted), by_speaker(text.splitlines())):
                break
            assert time.monotonic() < deadline, difference(wanted, text.splitlines())
    return text.splitlines()


def difference(wanted, shown):
    wanted, shown = by_speaker(wanted), by_speaker(shown)
    lines = []
    for name in sorted({*wanted, *shown}):
        if wanted.get(name) != shown.get(name):
            lines += [f"the document has of {name or 'Candor'}:", *(f"  {line}" for line in wanted.get(name, []))]
            lines += ["the machine shows:", *(f"  {line}" for line in shown.get(name, []))]
    return "\n".join(lines)


def record(machine, lines):
    """Plays the inputs of `lines` and returns what the machine shows, whatever it is, in the form of a session."""
    text = ""
    for typed, _ in steps(lines):
        if typed is not None:
            send(machine, typed)
            if KEY.fullmatch(typed):
                text += f"\n{typed}\n"
        text += machine.read(BOOT_S if typed is None else SILENCE_S)
    return [line.rstrip() for line in text.splitlines() if line.strip()]
