/* SPDX-License-Identifier: MIT */
/* Native Frank: OpenSBI jumps to a physical address. */
#include "../../arch/riscv64/sections.lds.h"

OUTPUT_ARCH(riscv)
ENTRY(start_physical)
FRANK_PHDRS()
FRANK_SECTIONS()
start_physical = _start - DIRECT_MAP_OFFSET;
ASSERT((native_vector & 3) == 0, "the trap vector is aligned")
