/* SPDX-License-Identifier: MIT */
/*
 * The PLIC's model: see vplic.h.
 */
#include "vdev/vplic.h"

#include "driver/plic_registers.h"

/* What stands at an offset. */
enum plic_part { PART_NONE, PART_PRIORITY, PART_PENDING, PART_ENABLE, PART_THRESHOLD, PART_CLAIM };

struct plic_place {
    enum plic_part part;
    u32 context;
    u32 index; /* of the source, or of the word */
};

static struct plic_place find_place(const struct vplic *plic, u64 offset)
{
    const u32 contexts = plic->harts * VPLIC_HART_CONTEXTS;
    struct plic_place place = {0};
    u64 at;

    if (offset >= PLIC_CONTEXT) {
        place.context = (u32)((offset - PLIC_CONTEXT) / PLIC_CONTEXT_STRIDE);
        at = (offset - PLIC_CONTEXT) % PLIC_CONTEXT_STRIDE;
        if (place.context < contexts && at == PLIC_CONTEXT_THRESHOLD)
            place.part = PART_THRESHOLD;
        else if (place.context < contexts && at == PLIC_CONTEXT_CLAIM)
            place.part = PART_CLAIM;
    } else if (offset >= PLIC_ENABLE) {
        place.context = (u32)((offset - PLIC_ENABLE) / PLIC_ENABLE_STRIDE);
        place.index = (u32)((offset - PLIC_ENABLE) % PLIC_ENABLE_STRIDE / PLIC_WORD_BYTES);
        if (place.context < contexts && place.index < VPLIC_WORDS)
            place.part = PART_ENABLE;
    } else if (offset >= PLIC_PENDING) {
        place.index = (u32)((offset - PLIC_PENDING) / PLIC_WORD_BYTES);
        place.part = place.index < VPLIC_WORDS ? PART_PENDING : PART_NONE;
    } else {
        place.index = (u32)(offset / PLIC_WORD_BYTES);
        place.part = place.index < VPLIC_SOURCES ? PART_PRIORITY : PART_NONE;
    }
    return place;
}

static u32 bit_of(u32 source)
{
    return 1U << source % VPLIC_WORD_BITS;
}

/* The pending source of the highest priority above the threshold, the lowest number first; 0:
 * none. */
static u32 best_source(const struct vplic *plic, u32 context)
{
    u32 best = 0;
    u8 above = plic->threshold[context];

    for (u32 word = 0; word < VPLIC_WORDS; word++) {
        u32 ready = plic->pending[word] & ~plic->claimed[word] & plic->enabled[context][word];

        for (u32 source = word * VPLIC_WORD_BITS; ready != 0; source++, ready >>= 1) {
            if ((ready & 1) != 0 && plic->priority[source] > above) {
                above = plic->priority[source];
                best = source;
            }
        }
    }
    return best;
}

static void update(struct vplic *plic)
{
    for (u32 word = 0; word < VPLIC_WORDS; word++)
        plic->pending[word] |= plic->lines[word] & ~plic->claimed[word];
    for (u32 hart = 0; hart < plic->harts; hart++) {
        u32 context = hart * VPLIC_HART_CONTEXTS + VPLIC_CONTEXT_S;

        vdev_line_set(&plic->outputs[hart], best_source(plic, context) != 0);
    }
}

static u32 claim(struct vplic *plic, u32 context)
{
    u32 source = best_source(plic, context), word = source / VPLIC_WORD_BITS;

    if (source == 0)
        return 0;
    plic->pending[word] &= ~bit_of(source);
    plic->claimed[word] |= bit_of(source);
    update(plic);
    return source;
}

static bool plic_read(void *device, u64 offset, u32 bytes, u64 *value)
{
    struct vplic *plic = device;
    struct plic_place place = find_place(plic, offset);

    if (bytes != PLIC_WORD_BYTES)
        return false;
    *value = 0;
    switch (place.part) {
    case PART_PRIORITY:
        *value = plic->priority[place.index];
        break;
    case PART_PENDING:
        *value = plic->pending[place.index];
        break;
    case PART_ENABLE:
        *value = plic->enabled[place.context][place.index];
        break;
    case PART_THRESHOLD:
        *value = plic->threshold[place.context];
        break;
    case PART_CLAIM:
        *value = claim(plic, place.context);
        break;
    case PART_NONE:
        break;
    }
    return true;
}

static bool plic_write(void *device, u64 offset, u32 bytes, u64 value)
{
    struct vplic *plic = device;
    struct plic_place place = find_place(plic, offset);

    if (bytes != PLIC_WORD_BYTES)
        return false;
    switch (place.part) {
    case PART_PRIORITY:
        plic->priority[place.index] = place.index == 0 ? 0 : value % VPLIC_PRIORITIES;
        break;
    case PART_ENABLE: /* source 0 is none: its bit is always clear */
        plic->enabled[place.context][place.index] = (u32)value &
                                                    ~(place.index == 0 ? bit_of(0) : 0);
        break;
    case PART_THRESHOLD:
        plic->threshold[place.context] = value % VPLIC_PRIORITIES;
        break;
    case PART_CLAIM:
        if (value < VPLIC_SOURCES)
            plic->claimed[value / VPLIC_WORD_BITS] &= ~bit_of((u32)value);
        break;
    case PART_PENDING:
    case PART_NONE:
        return true;
    }
    update(plic);
    return true;
}

const struct vdev_ops vplic_ops = {.read = plic_read, .write = plic_write};

void vplic_reset(struct vplic *plic)
{
    struct vplic fresh = {.harts = plic->harts};

    for (u32 hart = 0; hart < plic->harts; hart++)
        fresh.outputs[hart] = plic->outputs[hart];
    for (u32 word = 0; word < VPLIC_WORDS; word++)
        fresh.lines[word] = plic->lines[word];
    *plic = fresh;
    update(plic);
}

void vplic_line(void *plic_context, u32 source, bool level)
{
    struct vplic *plic = plic_context;

    if (source == 0 || source >= VPLIC_SOURCES)
        return;
    if (level)
        plic->lines[source / VPLIC_WORD_BITS] |= bit_of(source);
    else
        plic->lines[source / VPLIC_WORD_BITS] &= ~bit_of(source);
    update(plic);
}
