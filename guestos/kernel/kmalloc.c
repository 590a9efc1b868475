/* SPDX-License-Identifier: MIT */
/*
 * Kernel memory. A slab is a page with a header and objects of one size; a slab whose objects are
 * all free goes back to the page allocator, unless it is the only one with room. Larger pieces are
 * runs of pages with the same header. Lock level LOCK_KMALLOC.
 */
#include "kernel/kmalloc.h"

#include "kernel/lock.h"
#include "kernel/page.h"
#include "string.h"

enum kmalloc_limits {
    LARGE_PAGES_MAX = 256,
    HEADER_SIZE = 64,
    SMALL_UNIT = 32,
    SMALL_MAX = 2016,
};

/* Chosen so that little of a page is left over: 126 of the smallest, 2 of the largest. */
static const u16 class_sizes[] = {32,  64,  96,  128, 192,  256,      352,
                                  448, 576, 672, 800, 1344, SMALL_MAX};

struct slab {
    struct list_node node; /* on its class's list while it has room */
    struct free_object *free;
    u16 used_count;
    u16 class;
    u32 run_pages; /* of a large piece, else 0 */
};

struct free_object {
    struct free_object *next;
};

static struct spinlock kmalloc_lock = SPINLOCK_INITIALIZER("kmalloc", LOCK_KMALLOC);
static struct kmalloc_usage usage;
static struct list_node with_room[ARRAY_SIZE(class_sizes)];
static u8 class_of_units[SMALL_MAX / SMALL_UNIT + 1]; /* by the size in units, rounded up */

void kmalloc_init(void)
{
    u8 class = 0;

    for (size_t i = 0; i < ARRAY_SIZE(with_room); i++)
        list_init(&with_room[i]);
    for (size_t units = 0; units < ARRAY_SIZE(class_of_units); units++) {
        if (units * SMALL_UNIT > class_sizes[class])
            class ++;
        class_of_units[units] = class;
    }
}

static void *large_alloc(size_t bytes)
{
    u64 count = 1;
    struct slab *slab;
    pa_t run;

    while (count * PAGE_SIZE < bytes + HEADER_SIZE)
        count *= 2;
    if (count > LARGE_PAGES_MAX)
        return NULL;
    run = count == 1 ? page_alloc() : page_alloc_run(count);
    if (run == 0)
        return NULL;
    slab = pa_to_kva(run);
    slab->run_pages = (u32)count;
    return (char *)slab + HEADER_SIZE;
}

/* A slab with room, at the front of its class's list, or NULL: out of memory. */
static struct slab *slab_with_room_locked(u16 class)
{
    u32 offset = HEADER_SIZE;
    struct slab *slab;
    pa_t page;

    if (!list_empty(&with_room[class]))
        return list_entry(with_room[class].next, struct slab, node);
    page = page_alloc();
    if (page == 0)
        return NULL;
    slab = pa_to_kva(page);
    slab->free = NULL;
    slab->used_count = 0;
    slab->class = class;
    slab->run_pages = 0;
    usage.slab_pages++;
    do {
        struct free_object *object = (struct free_object *)((char *)slab + offset);

        object->next = slab->free;
        slab->free = object;
        offset += class_sizes[class];
    } while (offset + class_sizes[class] <= PAGE_SIZE);
    list_push_front(&with_room[class], &slab->node);
    return slab;
}

void *kmalloc(size_t bytes)
{
    struct free_object *object;
    struct slab *slab;
    u16 class;

    if (bytes > SMALL_MAX)
        return bytes <= LARGE_PAGES_MAX * PAGE_SIZE ? large_alloc(bytes) : NULL;
    class = class_of_units[(bytes + SMALL_UNIT - 1) / SMALL_UNIT];

    SPIN_GUARD(&kmalloc_lock);
    slab = slab_with_room_locked(class);
    if (slab == NULL)
        return NULL;
    object = slab->free;
    slab->free = object->next;
    slab->used_count++;
    usage.used_bytes += class_sizes[class];
    if (slab->free == NULL)
        list_remove(&slab->node);
    return object;
}

void *kzalloc(size_t bytes)
{
    void *memory = kmalloc(bytes);

    if (memory != NULL)
        memset(memory, 0, bytes);
    return memory;
}

static void large_free(struct slab *slab)
{
    for (u32 i = slab->run_pages; i-- > 0;) /* the slab's own page last */
        page_put(kva_to_pa(slab) + i * (u64)PAGE_SIZE);
}

void kfree(void *memory)
{
    struct slab *slab = (struct slab *)page_floor((u64)memory);
    struct free_object *object = memory;
    struct list_node *list;

    if (memory == NULL)
        return;
    if (slab->run_pages != 0) {
        large_free(slab);
        return;
    }
    SPIN_GUARD(&kmalloc_lock);
    list = &with_room[slab->class];
    if (slab->free == NULL)
        list_push_back(list, &slab->node);
    object->next = slab->free;
    slab->free = object;
    slab->used_count--;
    usage.used_bytes -= class_sizes[slab->class];
    if (slab->used_count == 0 && list->next != list->prev) {
        list_remove(&slab->node);
        usage.slab_pages--;
        page_put(kva_to_pa(slab));
    }
}

struct kmalloc_usage kmalloc_usage(void)
{
    SPIN_GUARD(&kmalloc_lock);
    return usage;
}
