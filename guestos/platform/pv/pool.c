/* SPDX-License-Identifier: MIT */
/*
 * The pool: the part of the kernel's memory that holds page tables. Only Candor writes to it; the
 * kernel says which frame becomes a table, and keeps its notes on them here.
 *
 * Lock: pool_lock guards the free frames. Nothing else is taken while it is held.
 */
#include "kernel/lock.h"
#include "pv.h"

static struct spinlock pool_lock = SPINLOCK_INITIALIZER("pool", LOCK_PAGE);
static u16 first_free; /* a list through pool_records[].next; 0: none */
pa_t pool_base;
struct pool_record pool_records[POOL_PAGES];

void pool_init(pa_t base)
{
    pool_base = base;
    first_free = POOL_PAGES - 1;
    for (u32 i = first_free; i > 1; i--)
        pool_records[i].next = (u16)(i - 1);
}

pa_t pool_table_make(enum pool_level level)
{
    struct hc_result made;
    pa_t table;

    SPIN_GUARD(&pool_lock);
    table = pool_table(first_free);
    if (first_free == 0)
        return 0;
    made = candor_table_make(table, level);
    if (made.error == HC_NO_SPACE)
        return 0;
    pv_expect_done(made, "table_make");
    first_free = pool_records[first_free].next;
    return table;
}

void pool_table_free(pa_t table)
{
    u16 index = pool_index(table);

    pv_expect_done(candor_table_free(table), "table_free");
    SPIN_GUARD(&pool_lock);
    pool_records[index].next = first_free;
    first_free = index;
}
