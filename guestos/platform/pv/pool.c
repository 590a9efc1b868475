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

static void free_frame(u16 index)
{
    spin_acquire(&pool_lock);
    pool_records[index].next = first_free;
    first_free = index;
    spin_release(&pool_lock);
}

void pool_init(pa_t base)
{
    pool_base = base;
    for (u16 i = POOL_PAGES - 1; i > 0; i--)
        free_frame(i);
}

pa_t pool_table_make(enum pool_level level)
{
    u16 index;

    spin_acquire(&pool_lock);
    index = first_free;
    if (index != 0)
        first_free = pool_records[index].next;
    spin_release(&pool_lock);
    if (index == 0)
        return 0;

    struct hc_result made = candor_table_make(pool_table(index), level);
    if (made.error == HC_NO_SPACE) {
        free_frame(index);
        return 0;
    }
    pv_expect_done(made, "table_make");
    return pool_table(index);
}

void pool_table_free(pa_t table)
{
    pv_expect_done(candor_table_free(table), "table_free");
    free_frame(pool_index(table));
}
