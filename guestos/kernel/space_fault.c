/* SPDX-License-Identifier: MIT */
/*
 * What a touch of a page does: zeros on demand, a file's page, a page of one's own in place of a
 * shared one, a longer stack. The space's mutex is held throughout.
 */
#include "arch.h"
#include "kernel/block/buffer.h"
#include "kernel/fs/inode.h"
#include "kernel/space.h"
#include "string.h"

/* How much of a region's page at `address` comes from its file. */
static u64 file_bytes_at(const struct region *region, uva_t address)
{
    u64 offset = address - region->start;

    if (region->kind != REGION_FILE || offset >= region->file_bytes)
        return 0;
    return min(region->file_bytes - offset, (u64)PAGE_SIZE);
}

/* Map a page, whose reference is taken over in any case. */
static int map(struct space *space, uva_t address, pa_t page, u32 prot)
{
    int error = page != 0 ? plat_map(&space->platform, address, page, prot) : -ENOMEM;

    if (error != 0 && page != 0)
        page_put(page);
    return error;
}

/* A first touch of a page of the file: the file's own, if it is shared; or read-only, if the whole
   page is the file's and nobody writes; else a copy. */
static int map_file_page(struct space *space, struct region *region, uva_t address, u32 access,
                         u64 bytes)
{
    u64 index = (region->file_offset + (address - region->start)) >> PAGE_SHIFT;
    pa_t source, copy;
    int error = region->inode->ops->get_page(region->inode, index, region->is_shared, &source);

    if (error != 0)
        return error;
    if (region->is_shared)
        return map(space, address, source, region->prot);
    if (access != PLAT_PROT_WRITE && bytes == PAGE_SIZE)
        return map(space, address, source, region->prot & ~(u32)PLAT_PROT_WRITE);

    copy = page_alloc();
    if (copy != 0) {
        memcpy(pa_to_kva(copy), pa_to_kva(source), bytes);
        memset((char *)pa_to_kva(copy) + bytes, 0, PAGE_SIZE - bytes);
    }
    page_put(source);
    return map(space, address, copy, region->prot);
}

static int map_new_page(struct space *space, struct region *region, uva_t address, u32 access)
{
    u64 bytes = file_bytes_at(region, address);
    int error;

    if (bytes > 0)
        error = map_file_page(space, region, address, access, bytes);
    else
        error = map(space, address, page_alloc_zeroed(), region->prot);
    if (error == 0)
        space->page_count++;
    return error;
}

/* A write to a page that is mapped without the right: one's own is made writable, a shared one is
   copied. */
static int copy_on_write(struct space *space, struct region *region, uva_t address, pa_t page)
{
    pa_t copy;
    int error;

    if (region->is_shared || page_is_exclusive(page))
        return plat_map(&space->platform, address, page, region->prot);
    copy = page_alloc();
    if (copy != 0)
        arch_page_copy(pa_to_kva(copy), pa_to_kva(page));
    error = map(space, address, copy, region->prot);
    if (error == 0)
        page_put(page);
    return error;
}

static int fault_locked(struct space *space, uva_t address, u32 access)
{
    struct region *region = space_find_region(space, address);
    u32 mapped_prot;
    pa_t page;

    if (region != NULL && address < region->start && region->kind == REGION_STACK &&
        address >= region->lowest)
        region->start = address;
    if (region == NULL || address < region->start)
        return -EFAULT;
    if ((region->prot & access) == 0)
        return -EACCES;
    if (!plat_lookup(&space->platform, address, &page, &mapped_prot))
        return map_new_page(space, region, address, access);
    if (access == PLAT_PROT_WRITE && (mapped_prot & PLAT_PROT_WRITE) == 0)
        return copy_on_write(space, region, address, page);
    /* The right is there or was given lately: this CPU did not know. Writing stays as it is. */
    return plat_map(&space->platform, address, page,
                    region->prot & (mapped_prot | ~(u32)PLAT_PROT_WRITE));
}

int space_fault(struct space *space, uva_t address, u32 access)
{
    int error;

    if (address >= USER_TOP)
        return -EFAULT;
    buffer_make_room();
    MUTEX_GUARD(&space->lock);
    error = fault_locked(space, page_floor(address), access);
    if (access == PLAT_PROT_EXEC)
        arch_instruction_sync();
    return error;
}
