/* SPDX-License-Identifier: MIT */
/*
 * The page allocator: all memory that is neither kernel image nor the platform's, in pages of 4
 * KiB, each with a count of references. A page with no reference is free. Any context; lock
 * LOCK_PAGE.
 */
#pragma once

#include "platform.h"

/* Take over the memory that the platform found. Once, before anything else here. */
void page_init(const struct plat_info *info);

/* Pages that were reserved are ordinary ones from now on: the caller has the one reference. */
void page_unreserve(pa_t first, u64 count);

/* A page with one reference, contents undefined, or 0 when there is none. */
MUST_CHECK pa_t page_alloc(void);

/* The same, zeroed. */
MUST_CHECK pa_t page_alloc_zeroed(void);

/* `count` adjacent pages (a power of two, the run aligned to its size), each with one reference.
   Slow: it searches. */
MUST_CHECK pa_t page_alloc_run(u64 count);

/* One more, one fewer reference; the last one frees the page. */
void page_get(pa_t page);
void page_put(pa_t page);

/* Whether the caller's reference is the only one. The caller keeps others from making new ones. */
bool page_is_exclusive(pa_t page);

/* Where the kernel sees a page, and back. */
static inline void *pa_to_kva(pa_t page)
{
    return (void *)(page + PLAT_DIRECT_MAP_OFFSET);
}

static inline pa_t kva_to_pa(const void *address)
{
    return (pa_t)address - PLAT_DIRECT_MAP_OFFSET;
}

u64 page_total_count(void);
u64 page_free_count(void);
u64 page_zeroed_count(void); /* how many page_alloc_zeroed() has handed out */
