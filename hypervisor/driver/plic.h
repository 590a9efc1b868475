/* SPDX-License-Identifier: MIT */
/*
 * The platform-level interrupt controller (RISC-V PLIC specification 1.0.0). A context is one hart
 * in one mode; which number it has, the device tree says. Claim and complete may run on all harts
 * at once.
 */
#pragma once

#include "types.h"

enum { PLIC_SOURCE_NONE = 0 };

struct plic {
    uintptr_t base;
    u32 sources; /* valid source numbers: 1 to this */
};

/* Takes the controller over: every source has priority 0 (off). */
void plic_init(struct plic *plic, uintptr_t base, u32 sources);

/* Turns off every source for this context and lets any priority above 0 through. */
void plic_context_init(const struct plic *plic, u32 context);

/* Routes a source to a context, or takes it away. A source number out of range is ignored. */
void plic_source_enable(const struct plic *plic, u32 context, u32 source, bool enabled);

/* The pending source of highest priority, PLIC_SOURCE_NONE without one; plic_complete must follow.
 */
u32 plic_claim(const struct plic *plic, u32 context);
void plic_complete(const struct plic *plic, u32 context, u32 source);
