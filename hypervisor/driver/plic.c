/* SPDX-License-Identifier: MIT */
/*
 * The PLIC: see plic.h.
 */
#include "driver/plic.h"

#include "driver/mmio.h"
#include "driver/plic_registers.h"

enum { PLIC_PRIORITY_ON = 1 };

static uintptr_t enable_word(const struct plic *plic, u32 context, u32 source)
{
    return plic->base + PLIC_ENABLE + (uintptr_t)context * PLIC_ENABLE_STRIDE +
           source / PLIC_WORD_BITS * PLIC_WORD_BYTES;
}

static uintptr_t context_register(const struct plic *plic, u32 context, u32 offset)
{
    return plic->base + PLIC_CONTEXT + (uintptr_t)context * PLIC_CONTEXT_STRIDE + offset;
}

void plic_init(struct plic *plic, uintptr_t base, u32 sources)
{
    *plic = (struct plic){.base = base, .sources = sources};
    for (u32 source = 1; source <= sources; source++)
        mmio_write32(base + PLIC_PRIORITY + (uintptr_t)source * PLIC_WORD_BYTES, 0);
}

void plic_context_init(const struct plic *plic, u32 context)
{
    for (u32 source = 0; source <= plic->sources; source += PLIC_WORD_BITS)
        mmio_write32(enable_word(plic, context, source), 0);
    mmio_write32(context_register(plic, context, PLIC_CONTEXT_THRESHOLD), 0);
}

void plic_source_enable(const struct plic *plic, u32 context, u32 source, bool enabled)
{
    if (source == PLIC_SOURCE_NONE || source > plic->sources)
        return;
    uintptr_t word = enable_word(plic, context, source);
    u32 bit = (u32)1 << source % PLIC_WORD_BITS;
    u32 old = mmio_read32(word);

    mmio_write32(plic->base + PLIC_PRIORITY + (uintptr_t)source * PLIC_WORD_BYTES,
                 PLIC_PRIORITY_ON);
    mmio_write32(word, enabled ? old | bit : old & ~bit);
}

u32 plic_claim(const struct plic *plic, u32 context)
{
    return mmio_read32(context_register(plic, context, PLIC_CONTEXT_CLAIM));
}

void plic_complete(const struct plic *plic, u32 context, u32 source)
{
    mmio_write32(context_register(plic, context, PLIC_CONTEXT_CLAIM), source);
}
