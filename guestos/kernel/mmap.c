/* SPDX-License-Identifier: MIT */
/*
 * The calls on mappings. Memory that is shared without a file has an inode too, which no name leads
 * to (memory_object.h): so there is one kind of sharing.
 */
#include "frank/mman.h"
#include "kernel/fs/memory_object.h"
#include "kernel/space.h"
#include "kernel/syscall.h"

/* Whole pages of the user's addresses, and at least one of them. */
static bool is_range(uva_t address, u64 bytes)
{
    return IS_ALIGNED(address, (u64)PAGE_SIZE) && bytes > 0 && bytes <= USER_TOP &&
           address <= USER_TOP - page_ceiling(bytes);
}

/* The platform's rights for the user's. -EINVAL: there are no such. */
static int take_prot(u64 asked, u32 *prot)
{
    _Static_assert((int)FRANK_PROT_READ == (int)PLAT_PROT_READ &&
                       (int)FRANK_PROT_WRITE == (int)PLAT_PROT_WRITE &&
                       (int)FRANK_PROT_EXEC == (int)PLAT_PROT_EXEC,
                   "the ABI's rights are the platform's");
    if ((asked & ~(u64)(PLAT_PROT_READ | PLAT_PROT_WRITE | PLAT_PROT_EXEC)) != 0)
        return -EINVAL;
    *prot = (u32)asked | ((asked & PLAT_PROT_WRITE) != 0 ? (u32)PLAT_PROT_READ : 0);
    return 0;
}

/* What an open file can be mapped as: the region's inode, and limits. */
static int take_file(struct region *region, const struct file *file)
{
    if (file->inode->ops->get_page == NULL)
        return -ENODEV;
    region->is_read_only = region->is_shared && !file->can_write;
    if (!file->can_read || (region->is_read_only && (region->prot & PLAT_PROT_WRITE) != 0))
        return -EACCES;
    region->inode = inode_get(file->inode); /* the caller gives it back */
    return 0;
}

/* Fill in what the region shows. */
static int take_content(struct region *region, u64 bytes, u64 flags, u64 descriptor, u64 offset)
{
    region->kind = REGION_FILE;
    region->is_shared = (flags & FRANK_MAP_SHARED) != 0;
    region->file_bytes = bytes;
    if ((flags & FRANK_MAP_ANONYMOUS) == 0) {
        struct file *file FILE_REF = file_table_get(process_files(), descriptor);

        region->file_offset = offset;
        return file != NULL ? take_file(region, file) : -EBADF;
    }
    if (region->is_shared) {
        region->inode = memory_object_create(bytes >> PAGE_SHIFT);
        return region->inode != NULL ? 0 : -ENOMEM;
    }
    region->kind = REGION_ANONYMOUS;
    region->file_bytes = 0;
    return 0;
}

/* Find the region's place, or make it, and put it there. */
static int place(struct space *space, struct region *region, uva_t address, u64 bytes, bool fixed)
{
    int error = 0;

    MUTEX_GUARD(&space->lock);
    if (fixed)
        error = space_remove_locked(space, address, address + bytes);
    else
        address = space_find_gap_locked(space, bytes);
    region->start = address;
    region->end = address + bytes;
    if (error != 0 || address == 0)
        return error != 0 ? error : -ENOMEM;
    return space_add_region(space, region);
}

long sys_mmap(u64 address, u64 bytes, u64 prot, u64 flags, u64 descriptor, u64 offset)
{
    u64 sharing = flags & (FRANK_MAP_SHARED | FRANK_MAP_PRIVATE);
    bool fixed = (flags & FRANK_MAP_FIXED) != 0;
    struct region region = {.kind = REGION_ANONYMOUS};
    int error = take_prot(prot, &region.prot);

    if (error != 0 || bytes == 0 || (sharing != FRANK_MAP_SHARED && sharing != FRANK_MAP_PRIVATE) ||
        (flags & ~sharing & ~(u64)(FRANK_MAP_FIXED | FRANK_MAP_ANONYMOUS)) != 0)
        return -EINVAL;
    if (bytes > USER_TOP)
        return -ENOMEM;
    if ((flags & FRANK_MAP_ANONYMOUS) == 0 &&
        (!IS_ALIGNED(offset, (u64)PAGE_SIZE) || (i64)offset < 0))
        return -EINVAL;
    if (fixed && (!is_range(address, bytes) || address < USER_BASE))
        return -EINVAL;
    bytes = page_ceiling(bytes);
    error = take_content(&region, bytes, flags, descriptor, offset);
    if (error == 0)
        error = place(process_current()->space, &region, address, bytes, fixed);
    inode_put(region.inode);
    return error != 0 ? error : (long)region.start;
}

long sys_munmap(u64 address, u64 bytes)
{
    struct space *space = process_current()->space;

    if (!is_range(address, bytes))
        return -EINVAL;
    MUTEX_GUARD(&space->lock);
    return space_remove_locked(space, address, address + page_ceiling(bytes));
}

long sys_mprotect(u64 address, u64 bytes, u64 prot)
{
    u32 rights;
    int error = take_prot(prot, &rights);

    return error != 0 ? error : space_protect(process_current()->space, address, bytes, rights);
}

long sys_msync(u64 address, u64 bytes, u64 flags)
{
    u64 how = flags & (FRANK_MS_ASYNC | FRANK_MS_SYNC);

    if ((flags & ~how & ~(u64)FRANK_MS_INVALIDATE) != 0 ||
        how == (FRANK_MS_ASYNC | FRANK_MS_SYNC) || !IS_ALIGNED(address, (u64)PAGE_SIZE))
        return -EINVAL;
    if (bytes == 0)
        return 0;
    if (!is_range(address, bytes))
        return -ENOMEM;
    return space_write_back(process_current()->space, address, page_ceiling(bytes),
                            how == FRANK_MS_SYNC);
}
