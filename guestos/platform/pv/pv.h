/* SPDX-License-Identifier: MIT */
/* What the files of this folder share: Frank as a guest of Candor (hypercall-abi/). */
#ifndef FRANK_PLATFORM_PV_H
#define FRANK_PLATFORM_PV_H

#include "candor_calls.h"
#include "kernel/addr.h"
#include "platform.h"

enum {
    POOL_PAGES = 512, /* the page-table pool that note.S asks for: 2 MiB */
};

/* The page that this CPU and Candor share. */
extern struct shared_page pv_shared_page;

/* From a kernel address of the direct map to what a hypercall takes. */
static inline pa_t pv_gpa(const void *address)
{
    return (u64)address - PLAT_DIRECT_MAP_OFFSET;
}

/* Stops the kernel if a hypercall that can only fail by a mistake of ours did. */
void pv_expect_done(struct hc_result result, const char *call);

/* Remember the root that Candor made: it has the kernel alone. */
void pv_spaces_init(pa_t root);

/* The kinds of tables in the pool, by what their entries stand for. */
enum pool_level {
    POOL_PAGE_TABLE = 0, /* pages */
    POOL_MIDDLE = 1,     /* page tables */
    POOL_ROOT = 2,
};

/* How much of a space such a table covers. */
#define PAGE_TABLE_SPAN (1UL << 21)
#define MIDDLE_SPAN (1UL << 30)

/* Start the pool; its first frame is the root that Candor made. */
void pool_init(pa_t base, pa_t boot_root);

/* Make a table; 0 when the pool is used up. The caller owns it. Takes the pool's lock. */
pa_t pool_table_make(enum pool_level level);

/* Free a table that nothing links to. Takes the pool's lock. */
void pool_table_free(pa_t table);

/* What a table covers and which one of the same space comes next: kept beside it, since Candor
   alone writes to tables. Guarded by the lock of the space. */
struct pool_record {
    u64 key;  /* pool_key() */
    u16 next; /* index of a record; 0 ends a list: that is the boot root's */
};
extern struct pool_record pool_records[POOL_PAGES];
extern pa_t pool_base;

/* Where a table stands in a space: the first address that it covers, and its level. */
static inline u64 pool_key(uva_t address, enum pool_level level)
{
    return ALIGN_DOWN(address, level == POOL_MIDDLE ? MIDDLE_SPAN : PAGE_TABLE_SPAN) | level;
}

/* A table's number in the pool, and back. */
static inline u16 pool_index(pa_t table)
{
    return (u16)((table - pool_base) >> PAGE_SHIFT);
}

static inline pa_t pool_table(u16 index)
{
    return pool_base + ((u64)index << PAGE_SHIFT);
}

#endif
