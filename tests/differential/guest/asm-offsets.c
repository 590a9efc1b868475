/* SPDX-License-Identifier: MIT */
#include "asm_offset.h"
#include "machine.h"

void offsets(void);

void offsets(void)
{
    OFFSET(CONTEXT_X, struct context, x);
    OFFSET(CONTEXT_SP, struct context, harness_sp);
    OFFSET(CONTEXT_ENTRY, struct context, entry);
    OFFSET(CONTEXT_CAUSE, struct context, cause);
    OFFSET(CONTEXT_PC, struct context, pc);
    OFFSET(CONTEXT_VALUE, struct context, value);
    OFFSET(CONTEXT_STATUS, struct context, status);
    OFFSET(CONTEXT_PENDING, struct context, pending);
    OFFSET(CONTEXT_SATP, struct context, satp);
    DEFINE(ENTRY_DIRECT_NUMBER, ENTRY_DIRECT);
    DEFINE(FLOATING_COUNT, FLOATING);
}
