/* SPDX-License-Identifier: MIT */
/*
 * What a touch of a page does: zeros on demand, a file's page, a page of one's own in place of a
 * shared one, a longer stack. The space's mutex is held throughout.
 */
#include "arch.h"
#include "frank/errno.h"
#include "kernel/fs/inode.h"
#include "kernel/page.h"
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

static enum space_fault_result map(struct space *space, uva_t address, pa_t page, u32 prot)
{
    if (plat_map(&space->platform, address, page, prot) != 0) {
        page_put(page);
        return SPACE_FAULT_NO_MEMORY;
    }
    return SPACE_FAULT_DONE;
}

/* A first touch of a page of the file: the file's own, read-only, if the whole page is the file's
   and nobody writes; else a copy. */
static enum space_fault_result map_file_page(struct space *space, struct region *region,
                                             uva_t address, u32 access, u64 bytes)
{
    u64 index = (region->file_offset + (address - region->start)) >> PAGE_SHIFT;
    pa_t source, copy;

    if (inode_get_page(region->inode, index, &source) != 0)
        return SPACE_FAULT_IO;
    if (access != PLAT_PROT_WRITE && bytes == PAGE_SIZE)
        return map(space, address, source, region->prot & ~(u32)PLAT_PROT_WRITE);

    copy = page_alloc();
    if (copy != 0) {
        memcpy(pa_to_kva(copy), pa_to_kva(source), bytes);
        memset((char *)pa_to_kva(copy) + bytes, 0, PAGE_SIZE - bytes);
    }
    page_put(source);
    return copy != 0 ? map(space, address, copy, region->prot) : SPACE_FAULT_NO_MEMORY;
}

static enum space_fault_result map_shared_page(struct space *space, struct region *region,
                                               uva_t address)
{
    u64 index = (region->file_offset + (address - region->start)) >> PAGE_SHIFT;
    pa_t page;
    int error = inode_get_shared_page(region->inode, index, &page);

    if (error == -ENOMEM)
        return SPACE_FAULT_NO_MEMORY;
    return error != 0 ? SPACE_FAULT_IO : map(space, address, page, region->prot);
}

static enum space_fault_result map_new_page(struct space *space, struct region *region,
                                            uva_t address, u32 access)
{
    u64 bytes = file_bytes_at(region, address);
    enum space_fault_result result;
    pa_t page;

    if (region->is_shared) {
        result = map_shared_page(space, region, address);
    } else if (bytes > 0) {
        result = map_file_page(space, region, address, access, bytes);
    } else {
        page = page_alloc_zeroed();
        result = page != 0 ? map(space, address, page, region->prot) : SPACE_FAULT_NO_MEMORY;
    }
    if (result == SPACE_FAULT_DONE)
        space->page_count++;
    return result;
}

/* A write to a page that is mapped without the right: one's own is made writable, a shared one is
   copied. */
static enum space_fault_result copy_on_write(struct space *space, struct region *region,
                                             uva_t address, pa_t page)
{
    enum space_fault_result result;
    pa_t copy;

    if (region->is_shared || page_is_exclusive(page))
        return plat_map(&space->platform, address, page, region->prot) == 0 ? SPACE_FAULT_DONE
                                                                            : SPACE_FAULT_NO_MEMORY;
    copy = page_alloc();
    if (copy == 0)
        return SPACE_FAULT_NO_MEMORY;
    arch_page_copy(pa_to_kva(copy), pa_to_kva(page));
    result = map(space, address, copy, region->prot);
    if (result == SPACE_FAULT_DONE)
        page_put(page);
    return result;
}

static enum space_fault_result fault_locked(struct space *space, uva_t address, u32 access)
{
    struct region *region = space_find_region(space, address);
    u32 mapped_prot;
    pa_t page;

    if (region != NULL && address < region->start && region->kind == REGION_STACK &&
        address >= region->lowest)
        region->start = address;
    if (region == NULL || address < region->start)
        return SPACE_FAULT_NO_REGION;
    if ((region->prot & access) == 0)
        return SPACE_FAULT_PROT;
    if (!plat_lookup(&space->platform, address, &page, &mapped_prot))
        return map_new_page(space, region, address, access);
    if (access == PLAT_PROT_WRITE && (mapped_prot & PLAT_PROT_WRITE) == 0)
        return copy_on_write(space, region, address, page);
    /* The right is there or was given lately: this CPU did not know. Writing stays as it is. */
    return plat_map(&space->platform, address, page,
                    region->prot & (mapped_prot | ~(u32)PLAT_PROT_WRITE)) == 0
               ? SPACE_FAULT_DONE
               : SPACE_FAULT_NO_MEMORY;
}

enum space_fault_result space_fault(struct space *space, uva_t address, u32 access)
{
    enum space_fault_result result;

    if (address >= USER_TOP)
        return SPACE_FAULT_NO_REGION;
    page_make_room();
    mutex_lock(&space->lock);
    result = fault_locked(space, page_floor(address), access);
    mutex_unlock(&space->lock);
    if (access == PLAT_PROT_EXEC)
        arch_instruction_sync();
    return result;
}
