/* SPDX-License-Identifier: MIT */
/*
 * The page allocator. See page.h; lock LOCK_PAGE for the free pages, counts are atomic.
 *
 * refs[] has a count for each page of memory, reserved ones included (they keep a count of 1).
 * Pages that have been used and freed stand on a list whose links lie in the pages themselves;
 * pages that were never used lie above `untouched` and are not looked at before they are needed, so
 * that a machine's memory costs its host nothing before it is used.
 */
#include "kernel/page.h"

#include "arch.h"
#include "kernel/lock.h"
#include "kernel/printk.h"
#include "string.h"

static struct spinlock page_lock = SPINLOCK_INITIALIZER("pages", LOCK_PAGE);
static struct list_node free_pages = {&free_pages, &free_pages};
static u32 *refs;
static pa_t memory_base;
static u64 page_count;
static u64 untouched; /* the first page, by number, that was never used */
static u64 free_count;
static u64 total_count;
static u64 zeroed_count;

static inline u32 *refs_of(pa_t page)
{
    return &refs[(page - memory_base) >> PAGE_SHIFT];
}

static pa_t page_at(u64 number)
{
    return memory_base + (number << PAGE_SHIFT);
}

static void reserve(pa_t base, u64 bytes)
{
    pa_t end = page_ceiling(base + bytes);

    for (pa_t page = page_floor(base); page < end; page += PAGE_SIZE) {
        if (page >= memory_base && page < page_at(page_count) && *refs_of(page) == 0) {
            *refs_of(page) = 1;
            total_count--;
        }
    }
}

static bool is_reserved(const struct plat_info *info, pa_t base, u64 bytes)
{
    for (u32 i = 0; i < info->reserved_count; i++) {
        const struct plat_range *range = &info->reserved[i];

        if (base < range->base + range->bytes && range->base < base + bytes)
            return true;
    }
    return false;
}

void page_init(const struct plat_info *info)
{
    u64 bytes;
    pa_t place;

    memory_base = page_ceiling(info->memory.base);
    page_count = (info->memory.base + info->memory.bytes - memory_base) >> PAGE_SHIFT;
    bytes = page_count * sizeof(*refs);
    for (place = memory_base; is_reserved(info, place, bytes); place += PAGE_SIZE) {
        if (place + bytes >= page_at(page_count))
            panic("no room for the page counts");
    }
    refs = pa_to_kva(place);
    memset(refs, 0, bytes);
    total_count = page_count;
    reserve(place, bytes);
    for (u32 i = 0; i < info->reserved_count; i++)
        reserve(info->reserved[i].base, info->reserved[i].bytes);
    free_count = total_count;
}

void page_unreserve(pa_t first, u64 count)
{
    for (u64 i = 0; i < count; i++)
        kassert(*refs_of(first + i * PAGE_SIZE) == 1);
    total_count += count;
}

/* Move `untouched` to the next page that is not reserved. False: there is none. */
static bool find_untouched_locked(void)
{
    while (untouched < page_count && refs[untouched] != 0)
        untouched++;
    return untouched < page_count;
}

pa_t page_alloc(void)
{
    struct list_node *node;
    pa_t page;
    SPIN_GUARD(&page_lock);

    node = list_pop_front(&free_pages);
    if (node == NULL && !find_untouched_locked())
        return 0;
    page = node != NULL ? kva_to_pa(node) : page_at(untouched++);
    free_count--;
    *refs_of(page) = 1;
    return page;
}

pa_t page_alloc_zeroed(void)
{
    pa_t page = page_alloc();

    if (page != 0) {
        arch_page_zero(pa_to_kva(page));
        __atomic_fetch_add(&zeroed_count, 1, __ATOMIC_RELAXED);
    }
    return page;
}

/* Whether `count` pages from a number on are free. */
static bool run_is_free_locked(u64 first, u64 count)
{
    for (u64 i = 0; i < count; i++) {
        if (refs[first + i] != 0)
            return false;
    }
    return true;
}

/* Free pages below `limit` are on the list; those above it become so, up to `limit`. */
static void touch_up_to_locked(u64 limit)
{
    while (untouched < limit) {
        if (refs[untouched] == 0)
            list_push_back(&free_pages, pa_to_kva(page_at(untouched)));
        untouched++;
    }
}

pa_t page_alloc_run(u64 count)
{
    static u64 hint; /* where the last search ended */
    u64 aligned_base = ALIGN_UP(memory_base >> PAGE_SHIFT, count) - (memory_base >> PAGE_SHIFT);
    u64 runs = (page_count - aligned_base) / count;
    SPIN_GUARD(&page_lock);

    for (u64 tried = 0; tried < runs; tried++) {
        u64 first = aligned_base + (hint + tried) % runs * count;

        if (!run_is_free_locked(first, count))
            continue;
        touch_up_to_locked(first + count);
        for (u64 i = 0; i < count; i++) {
            list_remove(pa_to_kva(page_at(first + i)));
            refs[first + i] = 1;
        }
        free_count -= count;
        hint = (hint + tried) % runs;
        return page_at(first);
    }
    return 0;
}

void page_get(pa_t page)
{
    __atomic_fetch_add(refs_of(page), 1, __ATOMIC_RELAXED);
}

/* The last reference goes under the lock: a page without one is always on the list of free pages.
 */
void page_put(pa_t page)
{
    u32 *count = refs_of(page), seen = __atomic_load_n(count, __ATOMIC_ACQUIRE);

    while (seen > 1)
        if (__atomic_compare_exchange_n(count, &seen, seen - 1, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            return;
    SPIN_GUARD(&page_lock);
    *count = 0;
    list_push_front(&free_pages, pa_to_kva(page));
    free_count++;
}

bool page_is_exclusive(pa_t page)
{
    return __atomic_load_n(refs_of(page), __ATOMIC_ACQUIRE) == 1;
}

u64 page_total_count(void)
{
    return total_count;
}

u64 page_free_count(void)
{
    return READ_ONCE(free_count);
}

u64 page_zeroed_count(void)
{
    return READ_ONCE(zeroed_count);
}
