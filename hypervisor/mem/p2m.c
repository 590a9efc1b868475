/* SPDX-License-Identifier: MIT */
#include "mem/p2m.h"

#include "mem/frame.h"
#include "string.h"

bool p2m_init(struct p2m *map, gfn_t base, u32 count)
{
    map->base_gfn = base.number;
    map->entries = frame_run_take((u64)count * sizeof(u32));
    map->frames_count = map->entries != NULL ? count : 0;
    return map->entries != NULL;
}

void p2m_destroy(struct p2m *map)
{
    if (map->entries != NULL)
        frame_run_free(map->entries, (u64)map->frames_count * sizeof(u32));
    *map = (struct p2m){0};
}

void p2m_set(struct p2m *map, gfn_t guest, mfn_t machine, bool pool)
{
    map->entries[guest.number - map->base_gfn] = machine.number | (pool ? P2M_POOL : 0);
}

void p2m_clear(struct p2m *map, gfn_t first, u32 count)
{
    memset(map->entries + (first.number - map->base_gfn), 0, (u64)count * sizeof(u32));
}
