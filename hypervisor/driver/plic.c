/* SPDX-License-Identifier: MIT */
/*
 * The PLIC: see plic.h. Register map: PLIC specification, "Memory Map".
 */
#include "driver/plic.h"

#include "driver/mmio.h"

enum plic_map {
    PRIORITY = 0x0,
    PRIORITY_STRIDE = 4,
    ENABLE = 0x2000,
    ENABLE_STRIDE = 0x80, /* a context */
    CONTEXT = 0x200000,
    CONTEXT_STRIDE = 0x1000,
    CONTEXT_THRESHOLD = 0,
    CONTEXT_CLAIM = 4,
    WORD_BITS = 32,
    WORD_BYTES = 4,
    PRIORITY_ON = 1,
};

static uintptr_t enable_word(const struct plic *plic, u32 context, u32 source)
{
    return plic->base + ENABLE + (uintptr_t)context * ENABLE_STRIDE +
           source / WORD_BITS * WORD_BYTES;
}

static uintptr_t context_register(const struct plic *plic, u32 context, u32 offset)
{
    return plic->base + CONTEXT + (uintptr_t)context * CONTEXT_STRIDE + offset;
}

void plic_init(struct plic *plic, uintptr_t base, u32 sources)
{
    *plic = (struct plic){.base = base, .sources = sources};
    for (u32 source = 1; source <= sources; source++)
        mmio_write32(base + PRIORITY + (uintptr_t)source * PRIORITY_STRIDE, 0);
}

void plic_context_init(const struct plic *plic, u32 context)
{
    for (u32 source = 0; source <= plic->sources; source += WORD_BITS)
        mmio_write32(enable_word(plic, context, source), 0);
    mmio_write32(context_register(plic, context, CONTEXT_THRESHOLD), 0);
}

void plic_source_enable(const struct plic *plic, u32 context, u32 source, bool enabled)
{
    if (source == PLIC_SOURCE_NONE || source > plic->sources)
        return;
    uintptr_t word = enable_word(plic, context, source);
    u32 bit = (u32)1 << source % WORD_BITS;
    u32 old = mmio_read32(word);

    mmio_write32(plic->base + PRIORITY + (uintptr_t)source * PRIORITY_STRIDE, PRIORITY_ON);
    mmio_write32(word, enabled ? old | bit : old & ~bit);
}

u32 plic_claim(const struct plic *plic, u32 context)
{
    return mmio_read32(context_register(plic, context, CONTEXT_CLAIM));
}

void plic_complete(const struct plic *plic, u32 context, u32 source)
{
    mmio_write32(context_register(plic, context, CONTEXT_CLAIM), source);
}
