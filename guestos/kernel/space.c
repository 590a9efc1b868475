/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: their regions. What a touch does is in space_fault.c. space.h tells the rules.
 */
#include "kernel/space.h"

#include "kernel/block/buffer.h"
#include "kernel/cpu.h"
#include "kernel/fs/inode.h"
#include "kernel/kmalloc.h"
#include "kernel/printk.h"
#include "string.h"

enum {
    RUN_GAP_MAX = 16, /* pages between regions of one run (skip_run) */
};

/* The region behind one (NULL: the first one), or NULL. */
static struct region *next_region(struct space *space, struct region *region)
{
    struct list_node *next = region != NULL ? region->node.next : space->regions.next;

    return next == &space->regions ? NULL : list_entry(next, struct region, node);
}

/* From a region on, those that follow closely are gone through together: the platform is called for
   a range, and between them nothing is mapped. Returns the first one that is further away (NULL:
   none) and where the run before it ends. */
static struct region *skip_run(struct space *space, struct region *region, uva_t *end)
{
    do {
        *end = region->end;
        region = next_region(space, region);
    } while (region != NULL && region->start - *end <= RUN_GAP_MAX * PAGE_SIZE);
    return region;
}

struct region *space_find_region(struct space *space, uva_t address)
{
    struct region *region;

    list_for_each (region, &space->regions, node)
        if (address < region->end)
            return region;
    return NULL;
}

struct space *space_create(void)
{
    struct space *space = kzalloc(sizeof(*space));

    if (space == NULL)
        return NULL;
    buffer_make_room();
    if (plat_space_create(&space->platform) != 0) {
        kfree(space);
        return NULL;
    }
    mutex_init(&space->lock, "space");
    list_init(&space->regions);
    return space;
}

/* Unmap a range and drop its pages' references. */
static void unmap_range(struct space *space, uva_t start, uva_t end, enum plat_unmap_mode mode)
{
    pa_t pages[PLAT_RANGE_MAX];

    while (start < end) {
        u64 count = min((end - start) >> PAGE_SHIFT, (u64)PLAT_RANGE_MAX);
        u64 unmapped = plat_unmap(&space->platform, start, count, pages, mode);

        for (u64 i = 0; i < unmapped; i++)
            page_put(pages[i]);
        space->page_count -= unmapped;
        start += count << PAGE_SHIFT;
    }
}

/* Whoever has a shared file's page writable may have written to it: the file is told, so that this
   reaches its disk. The right goes before: who writes once more takes a fault, and gets it back. 0
   or the first error. */
static int tell_file(struct space *space, const struct region *region)
{
    int result = 0;

    if (!region->is_shared || region->inode->ops->page_written == NULL)
        return 0;
    for (uva_t at = region->start; at < region->end; at += PAGE_SIZE) {
        u64 index = (region->file_offset + (at - region->start)) >> PAGE_SHIFT;
        int error;
        u32 prot;

        if (!plat_lookup(&space->platform, at, NULL, &prot) || (prot & PLAT_PROT_WRITE) == 0)
            continue;
        plat_protect(&space->platform, at, 1, prot & ~(u32)PLAT_PROT_WRITE);
        error = region->inode->ops->page_written(region->inode, index);
        result = result != 0 ? result : error;
    }
    return result;
}

static void free_region(struct region *region)
{
    list_remove(&region->node);
    if (region->inode != NULL)
        inode_put(region->inode);
    kfree(region);
}

void space_destroy(struct space *space)
{
    struct region *region;

    list_for_each (region, &space->regions, node)
        (void)tell_file(space, region); /* nobody is there to hear of an error */
    for (region = next_region(space, NULL); region != NULL;) {
        uva_t start = region->start, end;

        region = skip_run(space, region, &end);
        unmap_range(space, start, end, PLAT_UNMAP_FINAL);
    }
    while ((region = next_region(space, NULL)) != NULL)
        free_region(region);
    kassert(space->page_count == 0);
    plat_space_destroy(&space->platform);
    kfree(space);
}

/* A new region like `from`, on no list, or NULL: out of memory. */
static struct region *copy_region(const struct region *from)
{
    struct region *region = kmalloc(sizeof(*region));

    if (region == NULL)
        return NULL;
    memcpy(region, from, sizeof(*region));
    list_init(&region->node);
    if (region->inode != NULL)
        inode_get(region->inode);
    return region;
}

/* Share the pages that are mapped in a range. */
static int clone_range(struct space *to, struct space *from, uva_t start, uva_t end)
{
    pa_t pages[PLAT_RANGE_MAX];

    while (start < end) {
        u64 count = min((end - start) >> PAGE_SHIFT, (u64)PLAT_RANGE_MAX);
        long cloned = plat_clone_cow(&to->platform, &from->platform, start, count, pages);

        if (cloned < 0)
            return (int)cloned;
        for (long i = 0; i < cloned; i++)
            page_get(pages[i]);
        to->page_count += (u64)cloned;
        start += count << PAGE_SHIFT;
    }
    return 0;
}

/* Make a copy, which is empty so far, of all that there is. The lock is held. */
static int copy_locked(struct space *child, struct space *space)
{
    struct region *region;
    int error = 0;

    child->heap_start = space->heap_start;
    child->heap_end = space->heap_end;
    list_for_each (region, &space->regions, node) {
        struct region *copy = copy_region(region);

        if (copy == NULL)
            return -ENOMEM;
        (void)tell_file(space, region); /* the write right, by which it knows, goes */
        list_push_back(&child->regions, &copy->node);
    }
    for (region = next_region(space, NULL); region != NULL && error == 0;) {
        uva_t start = region->start, end;

        region = skip_run(space, region, &end);
        error = clone_range(child, space, start, end);
    }
    return error;
}

struct space *space_fork(struct space *space)
{
    struct space *child = space_create();
    int error;

    if (child == NULL)
        return NULL;
    mutex_lock(&space->lock);
    error = copy_locked(child, space);
    mutex_unlock(&space->lock);
    if (error != 0) {
        space_destroy(child);
        return NULL;
    }
    return child;
}

void space_switch(struct space *space)
{
    struct cpu *cpu;

    interrupts_push_off();
    cpu = cpu_this();
    if (cpu->space != space) {
        cpu->space = space;
        plat_space_switch(space != NULL ? &space->platform : NULL);
    }
    interrupts_pop();
}

int space_add_region(struct space *space, const struct region *region)
{
    struct region *copy, *next;

    if (region->start >= region->end || region->start < USER_BASE || region->end > USER_TOP)
        return -EINVAL;
    next = space_find_region(space, region->start);
    if (next != NULL && next->start < region->end)
        return -EINVAL;
    copy = copy_region(region);
    if (copy == NULL)
        return -ENOMEM;
    list_insert_before(next != NULL ? &next->node : &space->regions, &copy->node);
    return 0;
}

int space_map_page(struct space *space, uva_t address, pa_t page)
{
    struct region *region = space_find_region(space, address);
    int error;

    if (region == NULL || address < region->start)
        return -EINVAL;
    error = plat_map(&space->platform, address, page, region->prot);
    if (error == 0)
        space->page_count++;
    return error;
}

int space_map_file(struct space *space, uva_t address)
{
    struct region *region = space_find_region(space, address);
    pa_t pages[PLAT_RANGE_MAX];
    u64 done = 0, total;
    int error = 0;

    if (region == NULL || address < region->start)
        return -EINVAL;
    total = min(pages_for(region->file_bytes), (region->end - region->start) >> PAGE_SHIFT);
    while (done < total && error == 0) {
        u64 count = min(total - done, (u64)PLAT_RANGE_MAX), found = 0;
        u64 index = (region->file_offset >> PAGE_SHIFT) + done;

        while (found < count && region->inode->ops->get_page(region->inode, index + found, false,
                                                             &pages[found]) == 0)
            found++;
        if (found == 0)
            break;
        error = plat_map_many(&space->platform, region->start + (done << PAGE_SHIFT), found, pages,
                              region->prot);
        if (error == 0)
            space->page_count += found;
        else
            while (found > 0)
                page_put(pages[--found]);
        done += count;
    }
    return error;
}

/* Make the heap reach from `top` to `new_top`, whole pages. */
static int grow_heap(struct space *space, uva_t top, uva_t new_top)
{
    struct region *heap = top > space->heap_start ? space_find_region(space, top - 1) : NULL;
    struct region *next = space_find_region(space, top);
    struct region grown = {
        .start = top,
        .end = new_top,
        .kind = REGION_ANONYMOUS,
        .prot = PLAT_PROT_READ | PLAT_PROT_WRITE,
    };

    if (next != NULL && new_top > (next->kind == REGION_STACK ? next->lowest : next->start))
        return -ENOMEM;
    if (heap == NULL || heap->kind != REGION_ANONYMOUS || heap->prot != grown.prot ||
        heap->end != top)
        return space_add_region(space, &grown);
    heap->end = new_top;
    return 0;
}

long space_set_break(struct space *space, uva_t address)
{
    uva_t top, new_top = page_ceiling(address);
    int error = 0;

    MUTEX_GUARD(&space->lock);
    top = page_ceiling(space->heap_end);
    if (address == 0)
        return (long)space->heap_end;
    if (address < space->heap_start || address > USER_TOP)
        return -ENOMEM;
    if (new_top < top)
        error = space_remove_locked(space, new_top, top);
    else if (new_top > top)
        error = grow_heap(space, top, new_top);
    if (error != 0)
        return error;
    space->heap_end = address;
    return (long)address;
}

/* Split the region that reaches over `at`, if there is one. */
static int split_at(struct space *space, uva_t at)
{
    struct region *region = space_find_region(space, at), *upper;
    u64 below;

    if (region == NULL || region->start >= at)
        return 0;
    upper = copy_region(region);
    if (upper == NULL)
        return -ENOMEM;
    below = at - region->start;
    upper->start = at;
    upper->file_offset += below;
    upper->file_bytes -= min(below, upper->file_bytes);
    region->end = at;
    region->file_bytes = min(below, region->file_bytes);
    if (upper->kind == REGION_STACK) /* only the lowest piece grows */
        upper->kind = REGION_ANONYMOUS;
    list_push_front(&region->node, &upper->node);
    return 0;
}

int space_remove_locked(struct space *space, uva_t start, uva_t end)
{
    struct region *region, *following;
    int error = split_at(space, start);

    if (error == 0)
        error = split_at(space, end);
    if (error != 0)
        return error;
    list_for_each_safe (region, following, &space->regions, node) {
        if (region->start >= start && region->end <= end) {
            (void)tell_file(space, region); /* who wants to hear of errors calls msync before */
            unmap_range(space, region->start, region->end, PLAT_UNMAP_LIVE);
            free_region(region);
        }
    }
    return 0;
}

/* Whether regions cover the whole range, and these rights can be had in all of it: 0, -ENOMEM or
   -EACCES. */
static int check_range_locked(struct space *space, uva_t start, uva_t end, u32 prot)
{
    struct region *region = space_find_region(space, start);
    int error = 0;

    while (start < end) {
        if (region == NULL || region->start > start)
            return -ENOMEM;
        if (region->is_read_only && (prot & PLAT_PROT_WRITE) != 0)
            error = -EACCES;
        start = region->end;
        region = next_region(space, region);
    }
    return error;
}

/* Below the stack's room; what grows up, the heap, is far below as long as can be. */
uva_t space_find_gap_locked(struct space *space, u64 bytes)
{
    uva_t top = USER_TOP - STACK_MAX_BYTES, bottom = page_ceiling(space->heap_end);

    for (struct list_node *node = space->regions.prev; node != &space->regions; node = node->prev) {
        struct region *region = list_entry(node, struct region, node);

        if (region->start >= top)
            continue;
        if (region->end <= top && top - region->end >= bytes)
            break;
        top = region->start;
    }
    return top >= bottom && top - bottom >= bytes ? top - bytes : 0;
}

int space_write_back(struct space *space, uva_t address, u64 bytes, bool sync)
{
    uva_t end = address + bytes;
    int result;

    MUTEX_GUARD(&space->lock);
    result = check_range_locked(space, address, end, PLAT_PROT_NONE);
    for (struct region *region = space_find_region(space, address);
         result == 0 && region != NULL && region->start < end;
         region = next_region(space, region)) {
        result = tell_file(space, region);
        if (result == 0 && sync && region->is_shared && region->inode->ops->sync != NULL)
            result = region->inode->ops->sync(region->inode);
    }
    return result;
}

/* Give a region other rights. Translations are weakened at once; what they gain they gain by
   faults, so that shared pages stay protected. */
static void protect_region(struct space *space, struct region *region, u32 prot)
{
    u32 weaker = region->prot & prot & ~(u32)PLAT_PROT_WRITE;
    uva_t at = region->start;

    if ((region->prot & ~prot) != 0) {
        (void)tell_file(space, region);
        while (at < region->end) {
            u64 count = min((region->end - at) >> PAGE_SHIFT, (u64)PLAT_RANGE_MAX);

            plat_protect(&space->platform, at, count, weaker);
            at += count << PAGE_SHIFT;
        }
    }
    region->prot = prot;
}

/* Join neighbours that differ in nothing but their place. */
static void merge_regions(struct space *space, uva_t start, uva_t end)
{
    struct region *region = space_find_region(space, start > 0 ? start - 1 : 0);

    while (region != NULL && region->start <= end) {
        struct region *next = next_region(space, region);

        if (next != NULL && region->end == next->start && region->prot == next->prot &&
            region->inode == NULL && next->inode == NULL && next->kind == REGION_ANONYMOUS) {
            region->end = next->end;
            free_region(next);
        } else {
            region = next;
        }
    }
}

int space_protect(struct space *space, uva_t address, u64 bytes, u32 prot)
{
    uva_t end = page_ceiling(address + bytes);
    struct region *region;
    int error;

    if (!IS_ALIGNED(address, (u64)PAGE_SIZE) || bytes > USER_TOP || address > USER_TOP - bytes)
        return -EINVAL;
    MUTEX_GUARD(&space->lock);
    error = check_range_locked(space, address, end, prot);
    if (error == 0)
        error = split_at(space, address);
    if (error == 0)
        error = split_at(space, end);
    if (error != 0 || address == end)
        return error;
    for (region = space_find_region(space, address); region != NULL && region->start < end;
         region = next_region(space, region))
        if (region->prot != prot)
            protect_region(space, region, prot);
    merge_regions(space, address, end);
    return 0;
}
