/* SPDX-License-Identifier: MIT */
/*
 * Sv39 page tables (privileged specification 4.4) as pure functions: what an entry says, which ones
 * a guest may make, and what an address translates to. Used by the port, by the mmu calls, and by
 * the host's model of a TLB.
 */
#pragma once

#include "mem/addr.h"

enum sv39_bits {
    SV39_V = 1 << 0,
    SV39_R = 1 << 1,
    SV39_W = 1 << 2,
    SV39_X = 1 << 3,
    SV39_U = 1 << 4,
    SV39_G = 1 << 5,
    SV39_A = 1 << 6,
    SV39_D = 1 << 7,
    SV39_RSW = 3 << 8,
    SV39_FLAGS = (1 << 10) - 1,
};

enum {
    SV39_PPN_SHIFT = 10,
    SV39_LEVELS = 3,
    SV39_ROOT_LEVEL = 2,
    SV39_ENTRIES = 512,
    SV39_LOWER_ENTRIES = 256, /* of a root: the lower half */
    SV39_INDEX_BITS = 9,
};

/* The first address past the lower half. */
#define SV39_LOWER_END (1UL << 38)

static inline u32 sv39_index(gva_t address, u32 level)
{
    return address.value >> (FRAME_SHIFT + SV39_INDEX_BITS * level) & (SV39_ENTRIES - 1);
}

static inline bool sv39_is_leaf(u64 entry)
{
    return (entry & (SV39_R | SV39_W | SV39_X)) != 0;
}

static inline u64 sv39_frame(u64 entry)
{
    return entry >> SV39_PPN_SHIFT;
}

/* The entry that links a table. */
static inline u64 sv39_link(mfn_t table)
{
    return (u64)table.number << SV39_PPN_SHIFT | SV39_V;
}

/* A leaf of a machine frame with a guest's flags. G goes; A and D are set, so that no hardware
 * writes to a table. */
static inline u64 sv39_leaf(mfn_t frame, u64 flags)
{
    return (u64)frame.number << SV39_PPN_SHIFT | (flags & SV39_FLAGS & ~(u64)SV39_G) | SV39_A |
           SV39_D;
}

/* Whether these rights may stand in a leaf: it can be read or run, and is not written without being
 * read. */
static inline bool sv39_rights_allowed(u64 rights)
{
    return (rights & SV39_R) != 0 || (rights & (SV39_W | SV39_X)) == SV39_X;
}

/* Whether a guest may make this leaf, its frame apart: valid, with good rights, bits 54 to 63
   clear. The frame number then has 44 bits. */
static inline bool sv39_leaf_allowed(u64 entry)
{
    return (entry & SV39_V) != 0 && sv39_rights_allowed(entry) && entry >> 54 == 0;
}
