/* SPDX-License-Identifier: MIT */
/*
 * Regular files of the RAM file system.
 *
 * The inode's mutex serialises write and truncate. Reads and page faults hold no mutex: they take
 * each page from the tree with a reference of their own, so a page that is cut from the file while
 * it is being read stays readable until they are done.
 *
 * Files leave the last RAMFS_RESERVE_PAGES pages of memory to processes: a full file system must
 * not be the end of whoever filled it.
 *
 * Invariant: within the file's last page the bytes past its end are zero, so that growing the file
 * shows zeros and a mapped last page shows nothing stale.
 */
#include "frank/errno.h"
#include "kernel/fs/page_tree.h"
#include "kernel/fs/ramfs_internal.h"
#include "kernel/kmalloc.h"
#include "platform.h"
#include "string.h"

#define RAMFS_MAX_BYTES ((u64)PAGE_TREE_MAX_PAGES * PAGE_SIZE)

enum ramfs_limits {
    RAMFS_RESERVE_PAGES = 256,
};

struct ramfs_file {
    struct inode inode;
    struct page_tree pages;
};

static struct ramfs_file *file_of(struct inode *inode)
{
    return container_of(inode, struct ramfs_file, inode);
}

/* How many of `left` bytes lie in the page of `offset`. */
static size_t bytes_in_page(u64 offset, u64 left)
{
    u64 in_page = PAGE_SIZE - offset % PAGE_SIZE;

    return left < in_page ? left : in_page;
}

static u8 *page_byte(pa_t page, u64 offset)
{
    return (u8 *)pa_to_kva(page) + offset % PAGE_SIZE;
}

static ssize_t ramfs_read(struct inode *inode, struct uio *uio, u64 *offset)
{
    ssize_t done = 0;

    while (uio->left_bytes > 0) {
        u64 size = READ_ONCE(inode->size);
        size_t chunk;
        pa_t page;
        int error;

        if (*offset >= size)
            break;
        chunk = bytes_in_page(*offset, min((u64)uio->left_bytes, size - *offset));
        page = page_tree_get(&file_of(inode)->pages, *offset / PAGE_SIZE);
        if (page) {
            error = uio_put(uio, page_byte(page, *offset), chunk);
            page_put(page);
        } else {
            error = uio_put_zeros(uio, chunk);
        }
        if (error)
            return done ? done : error;
        *offset += chunk;
        done += chunk;
    }
    return done;
}

/* The page at `index`, made if it is a hole, with a reference. The mutex is held. */
static int page_for_write(struct ramfs_file *file, u64 index, pa_t *page)
{
    int error;

    *page = page_tree_get(&file->pages, index);
    if (*page)
        return 0;
    *page = page_free_count() > RAMFS_RESERVE_PAGES ? page_alloc_zeroed() : 0;
    if (!*page)
        return -ENOSPC;
    page_get(*page);
    error = page_tree_insert(&file->pages, index, *page);
    if (error) {
        page_put(*page);
        page_put(*page);
    }
    return error;
}

/*
 * Take back what a failed copy may have left past the end of the file. The page is still the
 * file's: the mutex is held.
 */
static void clear_past_end(struct ramfs_file *file, u64 size)
{
    pa_t page = size % PAGE_SIZE ? page_tree_get(&file->pages, size / PAGE_SIZE) : 0;

    if (!page)
        return;
    memset(page_byte(page, size), 0, PAGE_SIZE - size % PAGE_SIZE);
    page_put(page);
}

static int write_chunk(struct ramfs_file *file, struct uio *uio, u64 offset, size_t chunk)
{
    struct inode *inode = &file->inode;
    pa_t page;
    int error = page_for_write(file, offset / PAGE_SIZE, &page);

    if (error)
        return error;
    error = uio_take(uio, page_byte(page, offset), chunk);
    page_put(page);
    if (!error && offset + chunk > inode->size)
        WRITE_ONCE(inode->size, offset + chunk);
    if (error) {
        page_tree_cut(&file->pages, ALIGN_UP(inode->size, PAGE_SIZE) / PAGE_SIZE);
        clear_past_end(file, inode->size);
    }
    return error;
}

static ssize_t ramfs_write(struct inode *inode, struct uio *uio, u64 *offset)
{
    ssize_t done = 0;
    int error = 0;

    mutex_lock(&inode->lock);
    if (*offset == INODE_OFFSET_END)
        *offset = inode->size;
    while (uio->left_bytes > 0) {
        size_t chunk = bytes_in_page(*offset, uio->left_bytes);

        error = *offset >= RAMFS_MAX_BYTES ? -EFBIG
                                           : write_chunk(file_of(inode), uio, *offset, chunk);
        if (error)
            break;
        *offset += chunk;
        done += chunk;
    }
    if (done)
        inode->modified_ticks = plat_time_now();
    mutex_unlock(&inode->lock);
    return done ? done : error;
}

/* A hole gives a page of zeros that does not become the file's: reading must not make it grow. */
static int ramfs_get_page(struct inode *inode, u64 index, pa_t *page)
{
    if (index >= ALIGN_UP(READ_ONCE(inode->size), PAGE_SIZE) / PAGE_SIZE)
        return -EINVAL;
    *page = page_tree_get(&file_of(inode)->pages, index);
    if (!*page)
        *page = page_alloc_zeroed();
    return *page ? 0 : -ENOMEM;
}

static int ramfs_truncate(struct inode *inode, u64 size)
{
    struct ramfs_file *file = file_of(inode);

    if (size > RAMFS_MAX_BYTES)
        return -EFBIG;
    mutex_lock(&inode->lock);
    if (size < inode->size) {
        WRITE_ONCE(inode->size, size);
        page_tree_cut(&file->pages, ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE);
        clear_past_end(file, size);
    }
    WRITE_ONCE(inode->size, size);
    inode->modified_ticks = plat_time_now();
    mutex_unlock(&inode->lock);
    return 0;
}

static void ramfs_release(struct inode *inode)
{
    struct ramfs_file *file = file_of(inode);

    page_tree_cut(&file->pages, 0);
    kfree(file);
}

static const struct inode_ops ramfs_file_ops = {
    .read = ramfs_read,
    .write = ramfs_write,
    .get_page = ramfs_get_page,
    .truncate = ramfs_truncate,
    .release = ramfs_release,
};

struct inode *ramfs_create_file(u32 permissions)
{
    struct ramfs_file *file = kzalloc(sizeof(*file));

    if (!file)
        return NULL;
    inode_init(&file->inode, INODE_REGULAR, permissions, &ramfs_file_ops, NULL);
    page_tree_init(&file->pages);
    file->inode.modified_ticks = plat_time_now();
    return &file->inode;
}
