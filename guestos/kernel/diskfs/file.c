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
#include "kernel/diskfs/internal.h"
#include "kernel/timer.h"
#include "kernel/uaccess.h"
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
    MUTEX_GUARD(&inode->map_lock);
    return map_buffer(inode, index, buffer);
}

/* In a handle, map_lock held: the buffer of a part, with a reference, made if it is a hole. */
static int make_buffer(struct disk_inode *inode, u64 index, struct buffer **buffer)
{
    int error = map_make(inode, index, buffer);

    if (error)
        return error;
    if (!*buffer)
        return map_buffer(inode, index, buffer);
    buffer_mark_dirty(*buffer);
    return 0;
}

/* ---- reading -----------------------------------------------------------------------------------
 */

static ssize_t diskfs_read(struct inode *inode, uva_t to, size_t size, u64 *offset)
{
    size_t done = 0;

    while (done < size) {
        struct buffer *buffer BUFFER_REF = NULL;
        u64 end = READ_ONCE(inode->size);
        size_t chunk;
        int error;

        if (*offset >= end)
            break;
        chunk = bytes_in_block(*offset, min((u64)(size - done), end - *offset));
        error = find_buffer(disk_inode_of(inode), *offset / DISKFS_BLOCK_BYTES, &buffer);
        if (!error)
            error = buffer ? copy_to_user(to + done, byte_in(buffer, *offset), chunk)
                           : zero_user(to + done, chunk);
        if (error)
            return done ? (ssize_t)done : error;
        *offset += chunk;
        done += chunk;
    }
    return (ssize_t)done;
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

/* The file's page for a mapping; for a shared one a hole is filled. */
static int diskfs_get_page(struct inode *inode, u64 index, bool shared, pa_t *page)
{
    struct disk_inode *file = disk_inode_of(inode);
    struct buffer *buffer = NULL;
    int error;

    mutex_lock(&file->map_lock);
    error = get_part(file, index, false, &buffer);
    mutex_unlock(&file->map_lock);
    if (!error && !buffer && shared) {
        error = disk_inode_begin(file);
        if (error)
            return error;
        error = get_part(file, index, true, &buffer);
        disk_inode_end(file);
    }
    if (error)
        return error;
    *page = buffer ? page_of(buffer) : page_alloc_zeroed();
    return *page ? 0 : -ENOMEM;
}

static int diskfs_page_written(struct inode *inode, u64 index)
{
    struct buffer *buffer BUFFER_REF = NULL;
    int error = find_buffer(disk_inode_of(inode), index, &buffer);

    if (buffer)
        buffer_mark_dirty(buffer);
    WRITE_ONCE(inode->modified_ns, timer_wall_ns());
    return error;
}

/* ---- size and writing --------------------------------------------------------------------------
 */

/* The file is to end behind where it ends now, and bytes up to `until` were not written: they are
   zeros from now on. map_lock is held. */
static int clear_gap(struct disk_inode *inode, u64 until)
{
    u64 end = inode->disk.size_bytes;
    struct buffer *buffer BUFFER_REF = NULL;
    int error;

    if (end % DISKFS_BLOCK_BYTES == 0 || until <= end)
        return 0;
    error = map_buffer(inode, end / DISKFS_BLOCK_BYTES, &buffer);
    if (error || !buffer)
        return error;
    memset(byte_in(buffer, end), 0, bytes_in_block(end, until - end));
    buffer_mark_dirty(buffer);
    return 0;
}

/* The file ends at `size`; up to `gap_end` nothing was written behind its old end. */
static int set_size(struct disk_inode *inode, u64 size, u64 gap_end)
{
    int error = disk_inode_begin(inode);
    bool shrinks;

    if (error)
        return error;
    shrinks = size < inode->disk.size_bytes;
    error = shrinks ? 0 : clear_gap(inode, gap_end);
    if (!error) {
        inode->disk.size_bytes = size;
        WRITE_ONCE(inode->inode.size, size);
        WRITE_ONCE(inode->inode.modified_ns, timer_wall_ns());
        if (shrinks)
            error = map_cut(inode, ALIGN_UP(size, DISKFS_BLOCK_BYTES) / DISKFS_BLOCK_BYTES);
    }
    disk_inode_end(inode);
    return error;
}

static int diskfs_truncate(struct inode *inode, u64 size)
{
    if (size > DISKFS_FILE_BYTES)
        return -EFBIG;
    MUTEX_GUARD(&inode->lock);
    return set_size(disk_inode_of(inode), size, size);
}

/* The buffer into which bytes at `offset` go; a hole is filled. */
static int get_buffer(struct disk_inode *inode, u64 offset, struct buffer **buffer)
{
    int error = find_buffer(inode, offset / DISKFS_BLOCK_BYTES, buffer);

    if (error || *buffer)
        return error;
    error = disk_inode_begin(inode);
    if (error)
        return error;
    error = make_buffer(inode, offset / DISKFS_BLOCK_BYTES, buffer);
    disk_inode_end(inode);
    return error;
}

/* The bytes come first, then the size that makes them the file's. Of what could not be copied
   nothing may be found if the file grows later. */
static int write_chunk(struct disk_inode *inode, uva_t from, u64 offset, size_t chunk)
{
    u64 size = inode->inode.size, end = offset + chunk, first_new = max(offset, size);
    struct buffer *buffer BUFFER_REF = NULL;
    int error = get_buffer(inode, offset, &buffer);

    if (error)
        return error;
    error = copy_from_user(byte_in(buffer, offset), from, chunk);
    if (error && end > size)
        memset(byte_in(buffer, first_new), 0, end - first_new);
    buffer_mark_dirty(buffer);
    return !error && end > size ? set_size(inode, end, offset) : error;
}

static ssize_t diskfs_write(struct inode *inode, uva_t from, size_t size, u64 *offset)
{
    size_t done = 0;
    int error = 0;

    MUTEX_GUARD(&inode->lock);
    if (*offset == INODE_OFFSET_END)
        *offset = inode->size;
    while (done < size) {
        size_t chunk = bytes_in_block(*offset, size - done);

        error = *offset >= DISKFS_FILE_BYTES
                    ? -EFBIG
                    : write_chunk(disk_inode_of(inode), from + done, *offset, chunk);
        if (error)
            break;
        *offset += chunk;
        done += chunk;
    }
    if (done)
        WRITE_ONCE(inode->modified_ns, timer_wall_ns());
    return done ? (ssize_t)done : error;
}

const struct inode_ops diskfs_file_ops = {
    .read = diskfs_read,
    .write = diskfs_write,
    .get_page = diskfs_get_page,
    .page_written = diskfs_page_written,
    .truncate = diskfs_truncate,
    .sync = disk_inode_sync,
    .release = disk_inode_release,
};
