/* SPDX-License-Identifier: MIT */
/*
 * From a call's arguments to tables and entries: what paging.c and paging_entries.c share.
 */
#pragma once

#include "arch/arch.h"
#include "core/vm.h"
#include "mem/frame.h"
#include "sv39.h"

/* The pool frame that an argument names. */
static inline int pool_frame(const struct vm *vm, gpa_t name, mfn_t *frame)
{
    u32 entry = p2m_entry(&vm->p2m, name.value >> FRAME_SHIFT);

    if (name.value % FRAME_BYTES != 0 || entry == 0)
        return HC_INVALID_ADDRESS;
    if ((entry & P2M_POOL) == 0)
        return HC_NOT_POOL;
    *frame = mfn(entry & ~P2M_POOL);
    return HC_OK;
}

/* The table that an argument names, if it is of that level. */
static inline int table_get(const struct vm *vm, gpa_t name, u32 level, mfn_t *table)
{
    int error = pool_frame(vm, name, table);

    if (error != HC_OK)
        return error;
    if (frame_get(*table)->type != FRAME_TABLE || frame_get(*table)->level != level)
        return HC_BAD_LEVEL;
    return HC_OK;
}

static inline int root_get(const struct vm *vm, gpa_t name, mfn_t *root)
{
    return table_get(vm, name, SV39_ROOT_LEVEL, root);
}

/* Where the entry for `address` stands in the table of `level` below a root; NULL without such a
 * table. */
static inline u64 *entry_find(mfn_t root, gva_t address, u32 level)
{
    u64 *table = arch_frame_bytes(root);

    for (u32 at = SV39_ROOT_LEVEL; at > level; at--) {
        u64 link = table[sv39_index(address, at)];

        if (link == 0)
            return NULL;
        table = arch_frame_bytes(mfn(sv39_frame(link)));
    }
    return &table[sv39_index(address, level)];
}

/* A call has changed, or taken away, what hardware may remember of that root; this hart has dropped
   it. A table in several spaces stands for all roots. */
static inline void paging_made_stale(struct vm *vm, mfn_t root)
{
    bool is_other = vm->stale == STALE_ROOT && !mfn_equal(vm->stale_root, root);

    vm->stale = is_other || vm->pv.shares_tables ? STALE_ALL : max(vm->stale, (u8)STALE_ROOT);
    vm->stale_root = root;
}
