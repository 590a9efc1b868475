/* SPDX-License-Identifier: MIT */
/* The platform-level interrupt controller (RISC-V PLIC specification 1.0.0). */
#include "machine.h"

enum plic_layout {
    PLIC_PRIORITY = 0,
    PLIC_ENABLE = 0x2000,
    PLIC_ENABLE_STRIDE = 0x80, /* bytes a context */
    PLIC_CONTEXT = 0x200000,
    PLIC_CONTEXT_STRIDE = 0x1000,
    PLIC_THRESHOLD_WORD = 0,
    PLIC_CLAIM_WORD = 1,
    PLIC_WORD_BITS = 32,
    PLIC_PRIORITY_LOWEST = 1,
};

static volatile u32 *context_words, *priorities, *enables;

void plic_init(pa_t base, u32 context)
{
    priorities = machine_device(base + PLIC_PRIORITY);
    enables = machine_device(base + PLIC_ENABLE + (u64)context * PLIC_ENABLE_STRIDE);
    context_words = machine_device(base + PLIC_CONTEXT + (u64)context * PLIC_CONTEXT_STRIDE);
    for (u32 i = 0; i < PLIC_ENABLE_STRIDE / sizeof(*enables); i++)
        enables[i] = 0;
    context_words[PLIC_THRESHOLD_WORD] = 0;
}

void plic_enable(u32 source)
{
    priorities[source] = PLIC_PRIORITY_LOWEST;
    enables[source / PLIC_WORD_BITS] |= 1U << source % PLIC_WORD_BITS;
}

u32 plic_claim(void)
{
    return context_words[PLIC_CLAIM_WORD];
}

void plic_complete(u32 source)
{
    context_words[PLIC_CLAIM_WORD] = source;
}
