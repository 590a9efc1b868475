# SPDX-License-Identifier: MIT
"""What Candor has counted for an unmodified guest, read from outside between two points of a program in it.

Such a guest cannot ask. So the machine is stopped where its program is about to read the instruction counter and where it
has done so (guestos/user/bench/main.c: meter_start, meter_stop), and the counts are read in Candor's memory: shadow_counted in
hypervisor/virt/shadow/counts.c says where. Time may jump while the machine stands, so timer interrupts are left out.
"""

import os
import struct
import subprocess
import tempfile

from . import elf, gdb_remote, shadowview
from .problem import read_file

ROW = struct.Struct("<QQQ")
WORD = struct.Struct("<Q")
# struct counters of hypercall-abi/abi.toml
COUNTERS_ENTRIES, ENTRY_CAUSES = 576, 64
CAUSE_TIMERS = (32 + 5, 32 + 7)
AROUND = 16  # bytes of code by which a program is told from another with the same addresses


class Places:
    """Where the counts stand, by Candor's image."""

    def __init__(self, hypervisor):
        data = read_file(hypervisor, "hypervisor")
        symbols = {name: (address, size) for address, size, _, name in elf.raw_symbols(data)}
        text = lambda address: elf.bytes_at(data, address, 64).split(b"\0")[0].decode()  # noqa: E731
        rows = elf.bytes_at(data, *symbols["shadow_counted"])
        self.counts = {(text(group), text(name)): place for group, name, place in ROW.iter_unpack(rows)}
        self.shadow, self.counters = (word for (word,) in WORD.iter_unpack(elf.bytes_at(data, *symbols["shadow_counted_in_vm"])))
        self.vms = symbols["vms"][0]

    def read(self, remote):
        """{group: {name: count}} of the first machine, and its entries by the cause's number."""
        word = lambda address: WORD.unpack(remote.memory(address, WORD.size))[0]  # noqa: E731
        vm = word(self.vms)
        entries = remote.memory(vm + self.counters + COUNTERS_ENTRIES, ENTRY_CAUSES * WORD.size)
        read = {"entries": {str(cause): count for cause, (count,) in enumerate(WORD.iter_unpack(entries)) if cause not in CAUSE_TIMERS}}
        shadow = word(vm + self.shadow)
        for (group, name), place in self.counts.items():
            read.setdefault(group, {})[name] = word(shadow + place)
        return read


def growth(before, after):
    return {
        group: {name: count - before[group][name] for name, count in counts.items() if count != before[group][name]}
        for group, counts in after.items()
    }  # fmt: skip


def rows(launcher, hypervisor, program, seconds):
    """Runs the machine that the command `launcher` starts, whose program is the bench; returns the growth of its counts in each
    row, in order."""
    data = read_file(program, "program")
    (start,) = shadowview.places(program, shadowview.READ_INSTRET, shadowview.READ_INSTRET_MASK, "meter_start")
    (stop,) = (at + 4 for at in shadowview.places(program, shadowview.READ_INSTRET, shadowview.READ_INSTRET_MASK, "meter_stop"))
    code = {at: elf.bytes_at(data, at - AROUND // 2, AROUND) for at in (start, stop)}
    places, found, before = Places(hypervisor), [], None
    with tempfile.TemporaryDirectory(prefix="candor-") as folder:
        path = os.path.join(folder, "gdb")
        extra = f"{os.environ.get('QEMUEXTRA', '')} -chardev socket,id=stops,path={path},server=on,wait=off"
        machine = subprocess.Popen(
            ["timeout", "-k", "5", str(seconds), *map(str, launcher)], env=dict(os.environ, QEMUEXTRA=f"{extra} -gdb chardev:stops -S"),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            remote = gdb_remote.Remote(path)
            for address in code:
                remote.breakpoint(address)
            while True:
                remote.go()
                at = remote.program_counter()
                if at not in code or remote.memory(at - AROUND // 2, AROUND) != code[at]:
                    continue
                remote.physical(True)
                counts = places.read(remote)
                remote.physical(False)
                if at == start:
                    before = counts
                elif before is not None:
                    found.append(growth(before, counts))
                    before = None  # what stands there may trap, and be come to once more
        except gdb_remote.Ended:
            return found
        finally:
            machine.terminate()
            machine.wait()
