/* SPDX-License-Identifier: MIT */
/*
 * The system calls on descriptors. Arguments from the user are checked here; what a call does
 * stands in file.c and the file systems.
 */
#include "frank/errno.h"
#include "frank/fcntl.h"
#include "kernel/fs/file.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/pipe.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

enum {
    TRANSFER_MAX_BYTES = 0x7ffff000, /* what one read or write does at most */
};

/* ---- reading and writing -----------------------------------------------------------------------
 */

/* Read or write at the file's own offset, which files with one keep locked meanwhile. */
static ssize_t transfer(struct file *file, struct uio *uio, bool writes)
{
    bool seekable = inode_is_seekable(file->inode);
    u64 *offset = &file->offset;
    ssize_t done;

    if (seekable)
        mutex_lock(&file->offset_lock);
    if (writes && file->appends)
        *offset = INODE_OFFSET_END;
    done = writes ? inode_write(file->inode, uio, offset) : inode_read(file->inode, uio, offset);
    if (seekable)
        mutex_unlock(&file->offset_lock);
    return done;
}

static long read_or_write(u64 descriptor, u64 buffer, u64 size, bool writes)
{
    struct file *file = file_table_get(process_files(), descriptor);
    struct uio uio;
    long result;

    if (!file)
        return -EBADF;
    uio_init_user(&uio, buffer, min(size, (u64)TRANSFER_MAX_BYTES));
    if (writes ? file->can_write : file->can_read)
        result = transfer(file, &uio, writes);
    else
        result = -EBADF;
    file_put(file);
    return result;
}

/* At an offset of the caller's; the file's own is not moved. */
static long read_or_write_at(u64 descriptor, u64 buffer, u64 size, u64 offset, bool writes)
{
    struct file *file = file_table_get(process_files(), descriptor);
    struct uio uio;
    long result;

    if (!file)
        return -EBADF;
    uio_init_user(&uio, buffer, min(size, (u64)TRANSFER_MAX_BYTES));
    if (!inode_is_seekable(file->inode))
        result = -ESPIPE;
    else if (!(writes ? file->can_write : file->can_read))
        result = -EBADF;
    else if ((i64)offset < 0)
        result = -EINVAL;
    else
        result = writes ? inode_write(file->inode, &uio, &offset)
                        : inode_read(file->inode, &uio, &offset);
    file_put(file);
    return result;
}

long sys_pread(u64 descriptor, u64 buffer, u64 size, u64 offset)
{
    return read_or_write_at(descriptor, buffer, size, offset, false);
}

long sys_pwrite(u64 descriptor, u64 buffer, u64 size, u64 offset)
{
    return read_or_write_at(descriptor, buffer, size, offset, true);
}

long sys_read(u64 descriptor, u64 buffer, u64 size)
{
    return read_or_write(descriptor, buffer, size, false);
}

long sys_write(u64 descriptor, u64 buffer, u64 size)
{
    return read_or_write(descriptor, buffer, size, true);
}

static long seek_locked(struct file *file, i64 distance, u64 whence)
{
    i64 base;
    i64 target;

    switch (whence) {
    case SEEK_SET:
        base = 0;
        break;
    case SEEK_CUR:
        base = (i64)file->offset;
        break;
    case SEEK_END:
        base = (i64)READ_ONCE(file->inode->size);
        break;
    default:
        return -EINVAL;
    }
    if (__builtin_add_overflow(base, distance, &target))
        return -EOVERFLOW;
    if (target < 0)
        return -EINVAL;
    file->offset = (u64)target;
    return target;
}

long sys_lseek(u64 descriptor, u64 distance, u64 whence)
{
    struct file *file = file_table_get(process_files(), descriptor);
    long result = -ESPIPE;

    if (!file)
        return -EBADF;
    if (inode_is_seekable(file->inode)) {
        mutex_lock(&file->offset_lock);
        result = seek_locked(file, (i64)distance, whence);
        mutex_unlock(&file->offset_lock);
    }
    file_put(file);
    return result;
}

long sys_ftruncate(u64 descriptor, u64 size)
{
    struct file *file = file_table_get(process_files(), descriptor);
    long result;

    if (!file)
        return -EBADF;
    if (!file->can_write || (i64)size < 0)
        result = -EINVAL;
    else
        result = inode_truncate(file->inode, size);
    file_put(file);
    return result;
}

long sys_fsync(u64 descriptor)
{
    struct file *file = file_table_get(process_files(), descriptor);
    long result;

    if (!file)
        return -EBADF;
    result = inode_sync(file->inode);
    file_put(file);
    return result;
}

long sys_sync(void)
{
    return mount_sync_all();
}

long sys_ioctl(u64 descriptor, u64 request, u64 argument)
{
    struct file *file = file_table_get(process_files(), descriptor);
    long result;

    if (!file)
        return -EBADF;
    result = inode_control(file->inode, request, argument);
    file_put(file);
    return result;
}

/* ---- descriptors -------------------------------------------------------------------------------
 */

long sys_close(u64 descriptor)
{
    struct file *file = file_table_remove(process_files(), descriptor);

    if (!file)
        return -EBADF;
    file_put(file);
    return 0;
}

/* The flags that an open file has and that its opener can change. */
static long file_flags(const struct file *file)
{
    long access = !file->can_write ? O_RDONLY : file->can_read ? O_RDWR : O_WRONLY;

    return access | (file->appends ? O_APPEND : 0);
}

long sys_fcntl(u64 descriptor, u64 request, u64 argument)
{
    struct file_table *files = process_files();
    struct file *file = file_table_get(files, descriptor);
    long result = 0;

    if (!file)
        return -EBADF;
    switch (request) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        result = argument >= FILE_TABLE_SLOTS
                     ? -EINVAL
                     : file_table_add(files, file, (u32)argument, request == F_DUPFD_CLOEXEC);
        if (result >= 0)
            return result; /* the reference is the new descriptor's */
        break;
    case F_GETFD:
        result = file_table_closes_on_exec(files, descriptor) ? FD_CLOEXEC : 0;
        break;
    case F_SETFD:
        file_table_set_close_on_exec(files, descriptor, (argument & FD_CLOEXEC) != 0);
        break;
    case F_GETFL:
        result = file_flags(file);
        break;
    case F_SETFL:
        file->appends = (argument & O_APPEND) != 0;
        break;
    default:
        result = -EINVAL;
    }
    file_put(file);
    return result;
}

long sys_dup2(u64 from, u64 to)
{
    struct file *file = file_table_get(process_files(), from);
    int result;

    if (!file)
        return -EBADF;
    if (from == to) {
        file_put(file);
        return (long)to;
    }
    result = file_table_replace(process_files(), file, to);
    if (result < 0)
        file_put(file);
    return result;
}

/* An open file on a fresh inode, in the table; takes over the inode whether it succeeds or not. */
static int add_pipe_end(struct inode *inode, bool is_writer)
{
    struct file *file = file_create(inode, !is_writer, is_writer, false);
    int descriptor;

    if (!file) {
        inode_put(inode);
        return -ENOMEM;
    }
    descriptor = file_table_add(process_files(), file, 0, false);
    if (descriptor < 0)
        file_put(file);
    return descriptor;
}

long sys_pipe(u64 descriptors_address)
{
    struct inode *reader;
    struct inode *writer;
    i32 descriptors[2];
    int error = pipe_create(&reader, &writer);

    if (error)
        return error;
    descriptors[0] = add_pipe_end(reader, false);
    descriptors[1] = add_pipe_end(writer, true);
    if (descriptors[0] < 0 || descriptors[1] < 0)
        error = descriptors[0] < 0 ? descriptors[0] : descriptors[1];
    else
        error = copy_to_user(descriptors_address, descriptors, sizeof(descriptors));
    if (error) {
        for (unsigned i = 0; i < ARRAY_SIZE(descriptors); i++) {
            if (descriptors[i] >= 0)
                (void)sys_close((u64)descriptors[i]);
        }
    }
    return error;
}
