/* SPDX-License-Identifier: MIT */
/* Paravirtual Frank: Candor jumps to an address of the direct map, and reads the note. */
#include "../../arch/riscv64/sections.lds.h"

OUTPUT_ARCH(riscv)
ENTRY(_start)
FRANK_PHDRS(note PT_NOTE FLAGS(4);)
FRANK_SECTIONS(.note.candor : AT(ADDR(.note.candor) - DIRECT_MAP_OFFSET) { KEEP(*(.note.candor)) } :rodata :note)
ASSERT((pv_trap_direct & 3) == 0 && (pv_trap_bounced & 3) == 0, "the trap vectors are aligned")
