/* SPDX-License-Identifier: MIT */
/*
 * Guest-physical to machine frames: one flat array of u32 for each VM, in closed memory.
 * The top bit marks the pool, so that one load answers both questions (the assembly uses that).
 */
#pragma once

#include "mem/addr.h"

#define P2M_POOL 0x80000000u

struct p2m {
    u32 *entries; /* [frames_count]: machine frame, with P2M_POOL in the pool; 0: none yet */
    u32 base_gfn;
    u32 frames_count;
};

/* A map of `count` frames from `base` on, whose entries are to be cleared before they are looked
   at: for p2m_clear is work. False without memory. */
MUST_CHECK bool p2m_init(struct p2m *map, gfn_t base, u32 count);
void p2m_destroy(struct p2m *map);

/* Sets one frame, which the map must cover. */
void p2m_set(struct p2m *map, gfn_t guest, mfn_t machine, bool pool);

/* Forgets `count` frames, which the map must cover. */
void p2m_clear(struct p2m *map, gfn_t first, u32 count);

/* The raw entry of a guest frame number of any width: 0 if the map does not cover it or holds none.
 */
static inline u32 p2m_entry(const struct p2m *map, u64 guest)
{
    u64 index = guest - map->base_gfn;

    return index < map->frames_count ? map->entries[index] : 0;
}

/* The machine frame of a guest frame, data or pool; MFN_NONE if the VM has none there. */
static inline mfn_t p2m_lookup(const struct p2m *map, u64 guest)
{
    return mfn(p2m_entry(map, guest) & ~P2M_POOL);
}
