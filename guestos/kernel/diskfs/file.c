/* SPDX-License-Identifier: MIT */
/*
 * Regular files of the disk file system.
 *
 * The inode's `lock` serialises write and truncate. Reads and page faults take only map_lock, for
 * as long as it takes to find a part's block and get its buffer: a block that is cut from the file
 * afterwards keeps its page while somebody reads it.
 *
 * Bytes of a file's last block past its end mean nothing on the disk. So whoever makes the file
 * grow zeroes what was past the end and is not any more, and get_page zeroes it in the page.
 */
#include "frank/errno.h"
#include "kernel/diskfs/internal.h"
#include "kernel/page.h"
#include "platform.h"
#include "string.h"

/* How many of `left` bytes lie in the block of `offset`. */
static size_t bytes_in_block(u64 offset, u64 left)
{
    return min(left, (u64)DISKFS_BLOCK_BYTES - offset % DISKFS_BLOCK_BYTES);
}

static u8 *byte_in(const struct buffer *buffer, u64 offset)
{
    return (u8 *)buffer_data(buffer) + offset % DISKFS_BLOCK_BYTES;
}

static int find_buffer(struct disk_inode *inode, u64 index, struct buffer **buffer)
{
    int error;

    mutex_lock(&inode->map_lock);
    error = map_buffer(inode, index, buffer);
    mutex_unlock(&inode->map_lock);
    return error;
}

/* In a handle, map_lock held: the buffer of a part, with a reference, made if it is a hole. */
static int make_buffer(struct disk_inode *inode, u64 index, struct buffer **buffer)
{
    int error = map_make(inode, index, buffer);

    disk_inode_store_locked(inode);
    if (error)
        return error;
    if (!*buffer)
        return map_buffer(inode, index, buffer);
    buffer_mark_dirty(*buffer);
    return 0;
}

/* ---- reading -----------------------------------------------------------------------------------
 */

static ssize_t diskfs_read(struct inode *inode, struct uio *uio, u64 *offset)
{
    ssize_t done = 0;

    while (uio->left_bytes > 0) {
        u64 size = READ_ONCE(inode->size);
        struct buffer *buffer;
        size_t chunk;
        int error;

        if (*offset >= size)
            break;
        chunk = bytes_in_block(*offset, min((u64)uio->left_bytes, size - *offset));
        error = find_buffer(disk_inode_of(inode), *offset / DISKFS_BLOCK_BYTES, &buffer);
        if (error)
            return done ? done : error;
        if (buffer) {
            error = uio_put(uio, byte_in(buffer, *offset), chunk);
            buffer_put(buffer);
        } else {
            error = uio_put_zeros(uio, chunk);
        }
        if (error)
            return done ? done : error;
        *offset += chunk;
        done += (ssize_t)chunk;
    }
    return done;
}

/* The buffer of a part within the file, NULL if it is a hole; `fills`: it is made then, in a
   handle. map_lock is held. */
static int get_part(struct disk_inode *file, u64 index, bool fills, struct buffer **buffer)
{
    u64 size = file->disk.size_bytes;
    int error;

    if (index >= ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE)
        return -EINVAL;
    error = fills ? make_buffer(file, index, buffer) : map_buffer(file, index, buffer);
    if (!error && *buffer && index == size / PAGE_SIZE)
        memset(byte_in(*buffer, size), 0, PAGE_SIZE - size % PAGE_SIZE);
    return error;
}

/* The page goes on without its buffer's reference: a buffer whose page is in use stays. */
static pa_t page_of(struct buffer *buffer)
{
    pa_t page = buffer->page;

    page_get(page);
    buffer_put(buffer);
    return page;
}

static int diskfs_get_page(struct inode *inode, u64 index, pa_t *page)
{
    struct disk_inode *file = disk_inode_of(inode);
    struct buffer *buffer;
    int error;

    mutex_lock(&file->map_lock);
    error = get_part(file, index, false, &buffer);
    if (!error)
        *page = buffer ? page_of(buffer) : page_alloc_zeroed();
    mutex_unlock(&file->map_lock);
    return error ? error : *page ? 0 : -ENOMEM;
}

static int diskfs_get_shared_page(struct inode *inode, u64 index, pa_t *page)
{
    struct disk_inode *file = disk_inode_of(inode);
    struct buffer *buffer;
    int error = journal_begin(file->fs, HANDLE_PLAIN);

    if (error)
        return error;
    mutex_lock(&file->map_lock);
    error = get_part(file, index, true, &buffer);
    if (!error)
        *page = page_of(buffer);
    mutex_unlock(&file->map_lock);
    journal_end(file->fs, HANDLE_PLAIN);
    return error;
}

static int diskfs_page_written(struct inode *inode, u64 index)
{
    struct buffer *buffer;
    int error = find_buffer(disk_inode_of(inode), index, &buffer);

    if (!error && buffer) {
        buffer_mark_dirty(buffer);
        buffer_put(buffer);
    }
    WRITE_ONCE(inode->modified_ticks, plat_time_now());
    return error;
}

/* ---- writing -----------------------------------------------------------------------------------
 */

/* The file is to end at `size`, behind where it ends now, and bytes up to `until` were not written:
   they are zeros from now on. map_lock is held. */
static int clear_gap(struct disk_inode *inode, u64 until)
{
    u64 end = inode->disk.size_bytes;
    struct buffer *buffer;
    int error;

    if (end % DISKFS_BLOCK_BYTES == 0 || until <= end)
        return 0;
    error = map_buffer(inode, end / DISKFS_BLOCK_BYTES, &buffer);
    if (error || !buffer)
        return error;
    memset(byte_in(buffer, end), 0, bytes_in_block(end, until - end));
    buffer_mark_dirty(buffer);
    buffer_put(buffer);
    return 0;
}

/* In a handle, map_lock held: the file ends at `size`. */
static void set_size(struct disk_inode *inode, u64 size)
{
    inode->disk.size_bytes = size;
    WRITE_ONCE(inode->inode.size, size);
    WRITE_ONCE(inode->inode.modified_ticks, plat_time_now());
    disk_inode_store_locked(inode);
}

/* In a handle of its own: the part at `offset` has a block and lies within the file. */
static int prepare_in_handle(struct disk_inode *inode, u64 offset, size_t chunk,
                             struct buffer **buffer)
{
    int error = journal_begin(inode->fs, HANDLE_PLAIN);

    if (error)
        return error;
    mutex_lock(&inode->map_lock);
    error = clear_gap(inode, offset);
    if (!error)
        error = make_buffer(inode, offset / DISKFS_BLOCK_BYTES, buffer);
    if (!error && offset + chunk > inode->disk.size_bytes)
        set_size(inode, offset + chunk);
    mutex_unlock(&inode->map_lock);
    journal_end(inode->fs, HANDLE_PLAIN);
    return error;
}

/* The buffer into which bytes at `offset` go. What lies within the file and is no hole needs no
   handle. */
static int prepare_write(struct disk_inode *inode, u64 offset, size_t chunk, struct buffer **buffer)
{
    int error;

    if (offset + chunk <= inode->inode.size) {
        error = find_buffer(inode, offset / DISKFS_BLOCK_BYTES, buffer);
        if (error || *buffer)
            return error;
    }
    error = prepare_in_handle(inode, offset, chunk, buffer);
    if (journal_made_room(inode->fs, error))
        error = prepare_in_handle(inode, offset, chunk, buffer);
    return error;
}

/* A copy failed after the file had grown for it. */
static int shrink_back(struct disk_inode *inode, u64 size)
{
    int error = journal_begin(inode->fs, HANDLE_PLAIN);

    if (error)
        return error;
    mutex_lock(&inode->map_lock);
    set_size(inode, size);
    mutex_unlock(&inode->map_lock);
    journal_end(inode->fs, HANDLE_PLAIN);
    return 0;
}

static int write_chunk(struct disk_inode *inode, struct uio *uio, u64 offset, size_t chunk)
{
    u64 size_before = inode->inode.size;
    struct buffer *buffer;
    int error = prepare_write(inode, offset, chunk, &buffer);

    if (error)
        return error;
    error = uio_take(uio, byte_in(buffer, offset), chunk);
    if (!error)
        buffer_mark_dirty(buffer);
    buffer_put(buffer);
    if (error && inode->inode.size != size_before) {
        int shrink_error = shrink_back(inode, size_before);

        error = shrink_error ? shrink_error : error;
    }
    return error;
}

static ssize_t diskfs_write(struct inode *inode, struct uio *uio, u64 *offset)
{
    ssize_t done = 0;
    int error = 0;

    mutex_lock(&inode->lock);
    if (*offset == INODE_OFFSET_END)
        *offset = inode->size;
    while (uio->left_bytes > 0) {
        size_t chunk = bytes_in_block(*offset, uio->left_bytes);

        error = *offset >= DISKFS_FILE_BYTES
                    ? -EFBIG
                    : write_chunk(disk_inode_of(inode), uio, *offset, chunk);
        if (error)
            break;
        *offset += chunk;
        done += (ssize_t)chunk;
    }
    if (done)
        WRITE_ONCE(inode->modified_ticks, plat_time_now());
    mutex_unlock(&inode->lock);
    return done ? done : error;
}

/* ---- setting the size --------------------------------------------------------------------------
 */

/* In a handle of its own: the new size; a smaller one makes an orphan of the file until what lies
   behind is free. */
static int change_size(struct disk_inode *inode, u64 size)
{
    int error = journal_begin(inode->fs, HANDLE_PLAIN);

    if (error)
        return error;
    mutex_lock(&inode->map_lock);
    if (size < inode->disk.size_bytes)
        error = orphan_add(inode->fs, (u32)inode->inode.number);
    else
        error = clear_gap(inode, size);
    if (!error)
        set_size(inode, size);
    mutex_unlock(&inode->map_lock);
    journal_end(inode->fs, HANDLE_PLAIN);
    return error;
}

/* In a handle of its own: what was cut is free. A file without names stays an orphan. */
static int end_cut(struct disk_inode *inode)
{
    int error = journal_begin(inode->fs, HANDLE_PLAIN);

    if (error)
        return error;
    mutex_lock(&inode->map_lock);
    if (inode->disk.links > 0)
        orphan_remove(inode->fs, (u32)inode->inode.number);
    mutex_unlock(&inode->map_lock);
    journal_end(inode->fs, HANDLE_PLAIN);
    return 0;
}

static int diskfs_truncate(struct inode *inode, u64 size)
{
    struct disk_inode *file = disk_inode_of(inode);
    bool shrinks;
    int error;

    if (size > DISKFS_FILE_BYTES)
        return -EFBIG;
    mutex_lock(&inode->lock);
    shrinks = size < inode->size;
    error = change_size(file, size);
    if (!error && shrinks)
        error = map_cut(file, ALIGN_UP(size, DISKFS_BLOCK_BYTES) / DISKFS_BLOCK_BYTES);
    if (!error && shrinks)
        error = end_cut(file);
    mutex_unlock(&inode->lock);
    return error;
}

const struct inode_ops diskfs_file_ops = {
    .read = diskfs_read,
    .write = diskfs_write,
    .get_page = diskfs_get_page,
    .get_shared_page = diskfs_get_shared_page,
    .page_written = diskfs_page_written,
    .truncate = diskfs_truncate,
    .sync = disk_inode_sync,
    .release = disk_inode_release,
};
