# SPDX-License-Identifier: MIT
"""Names of the instructions and registers that Candor emulates for an unmodified guest, as the trace's records hold them.

CSRs are those of hypervisor/virt/shadow/csr_table.h.
"""

import functools
import os
import re

from .abi import ROOT

WHOLE = {0x10200073: "sret", 0x30200073: "mret", 0x10500073: "wfi", 0x00000073: "ecall", 0x00100073: "ebreak"}
SYSTEM, FENCE_MASK, FENCE = 0x73, 0xFE007FFF, 0x12000073
CSR_NAMES = {1: "csrrw", 2: "csrrs", 3: "csrrc", 5: "csrrwi", 6: "csrrsi", 7: "csrrci"}
STORE_OPCODES, C_STORES = (0x23, 0x27), (5, 6, 7)


@functools.cache
def csrs():
    """{number: name}"""
    with open(os.path.join(ROOT, "hypervisor/virt/shadow/csr_table.h"), encoding="utf-8") as source:
        return {int(number, 16): name.lower() for name, number in re.findall(r"CSR_(\w+) = (0x\w+),", source.read())}


def csr_of(word):
    """The name of the CSR that an instruction is about; None: about none."""
    if word & 0x7F != SYSTEM or (word >> 12 & 7) not in CSR_NAMES:
        return None
    return csrs().get(word >> 20, f"{word >> 20:#x}")


def writes_csr(word):
    """Whether a CSR instruction writes: the forms that set and clear bits do not with register x0, or the number 0."""
    return word >> 12 & 3 == 1 or word >> 15 & 31 != 0


def instruction(word):
    """As an assembler would name it."""
    if word in WHOLE:
        return WHOLE[word]
    if word & FENCE_MASK == FENCE:
        return "sfence.vma"
    csr = csr_of(word)
    if csr is None:
        store = (word & 0x7F) in STORE_OPCODES if word & 3 == 3 else (word >> 13 & 7) in C_STORES
        return "store" if store else "load"
    form = word >> 12 & 7
    if form == 2 and not writes_csr(word):
        return f"csrr {csr}"
    if form in (1, 5) and not word >> 7 & 31:
        return f"{'csrw' if form == 1 else 'csrwi'} {csr}"
    return f"{CSR_NAMES[form]} {csr}"
