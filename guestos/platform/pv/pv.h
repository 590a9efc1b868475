/* SPDX-License-Identifier: MIT */
/* What the files of this folder share: Frank as a guest of Candor (hypercall-abi/). */
#pragma once

#include "candor_calls.h"
#include "kernel/addr.h"
#include "kernel/printk.h"
#include "platform.h"
#include "slot_disk.h"

enum { POOL_PAGES = 512 }; /* the page-table pool that note.S asks for: 2 MiB */

/* The pages that each CPU and Candor share, by number. */
extern struct shared_page pv_shared_pages[];

/* Candor's disk, if it gives us one. */
extern struct slot_disk pv_disk;

/* From a kernel address of the direct map to what a hypercall takes. */
static inline pa_t pv_gpa(const void *address)
{
    return (u64)address - PLAT_DIRECT_MAP_OFFSET;
}

/* Stops the kernel if a hypercall that can only fail by a mistake of ours did. */
static inline void pv_expect_done(struct hc_result result, const char *call)
{
    if (__builtin_expect(result.error != HC_OK, false))
        panic("hypercall %s: error %ld", call, result.error);
}

/* The value of a call that must succeed. */
static inline u64 pv_value(struct hc_result result, const char *call)
{
    pv_expect_done(result, call);
    return result.value;
}

/* The kinds of tables in the pool, by what their entries stand for. */
enum pool_level {
    POOL_PAGE_TABLE = 0, /* pages */
    POOL_MIDDLE = 1,     /* page tables */
    POOL_ROOT = 2,
};

/* Start the pool. The root that Candor made, the pool's first frame, has the kernel alone. */
void pool_init(pa_t base);

/* Make a table; 0 when the pool is used up. The caller owns it. Takes the pool's lock. */
pa_t pool_table_make(enum pool_level level);

/* Free a table that nothing links to. Takes the pool's lock. */
void pool_table_free(pa_t table);

/* What is kept beside a table, since Candor alone writes to tables. Guarded by the lock of the
   space, or of the pool while the frame is free. */
struct pool_record {
    u16 span; /* the first address that a page table covers / PAGE_TABLE_SPAN */
    u16 next; /* the next page table of the space; 0, which is the boot root's number, ends it */
};
extern struct pool_record pool_records[POOL_PAGES];
extern pa_t pool_base;

/* A table's number in the pool, and back. */
static inline u16 pool_index(pa_t table)
{
    return (u16)((table - pool_base) >> PAGE_SHIFT);
}

static inline pa_t pool_table(u16 index)
{
    return pool_base + ((u64)index << PAGE_SHIFT);
}
