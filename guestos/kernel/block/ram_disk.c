/* SPDX-License-Identifier: MIT */
/*
 * A disk in memory. A block that was never used has no page; one that is discarded loses its page.
 * A block's page is its buffer's too (block_device.page), so requests have nothing to copy but in
 * the recovery of an image that has a journal.
 */
#include "kernel/block/ram_disk.h"

#include "kernel/block/block.h"
#include "kernel/kmalloc.h"
#include "kernel/lock.h"
#include "kernel/page.h"
#include "string.h"

enum ram_disk_limits {
    BLOCKS_MAX = 8192,   /* 32 MiB */
    RESERVE_PAGES = 256, /* of memory, which files leave to processes */
};

/* Guards which page is which block's. */
static struct spinlock pages_lock = SPINLOCK_INITIALIZER("RAM disk", LOCK_BLOCK);
static pa_t *pages; /* of BLOCKS_MAX blocks; 0: none, it would be zeros */

static pa_t ram_disk_page(struct block_device *device, u32 block)
{
    pa_t fresh = 0;

    (void)device;
    if (READ_ONCE(pages[block]) == 0 && page_free_count() > RESERVE_PAGES)
        fresh = page_alloc_zeroed();
    SPIN_GUARD(&pages_lock);
    if (pages[block] == 0)
        pages[block] = fresh;
    else if (fresh != 0)
        page_put(fresh);
    if (pages[block] != 0)
        page_get(pages[block]); /* the caller's; the first one is the disk's */
    return pages[block];
}

static void ram_disk_discard(struct block_device *device, u32 block)
{
    pa_t page;

    (void)device;
    spin_acquire(&pages_lock);
    page = pages[block];
    pages[block] = 0;
    spin_release(&pages_lock);
    if (page != 0)
        page_put(page);
}

static void ram_disk_submit(struct block_device *device, struct block_request *request)
{
    pa_t page = 0;

    if (request->operation == BLOCK_WRITE) {
        page = ram_disk_page(device, request->block);
        if (page != 0 && page != request->page)
            memcpy(pa_to_kva(page), pa_to_kva(request->page), PAGE_SIZE);
        if (page != 0)
            page_put(page);
    }
    request->done(request, request->operation == BLOCK_WRITE && page == 0 ? -EIO : 0);
}

static struct block_device ram_disk = {
    .name = "ram0",
    .block_count = BLOCKS_MAX,
    .submit = ram_disk_submit,
    .page = ram_disk_page,
    .discard = ram_disk_discard,
};

int ram_disk_register(pa_t image, u64 bytes)
{
    u64 count = min(ALIGN_UP(bytes, (u64)PAGE_SIZE) / PAGE_SIZE, (u64)BLOCKS_MAX);

    pages = kzalloc(BLOCKS_MAX * sizeof(*pages));
    if (!pages)
        return -ENOMEM;
    for (u64 i = 0; i < count; i++)
        pages[i] = image + i * PAGE_SIZE;
    page_unreserve(image, count);
    block_register(&ram_disk);
    return 0;
}
