/* SPDX-License-Identifier: MIT */
/*
 * The system calls on descriptors. Arguments from the user are checked here; what a call does
 * stands in file.c and the file systems.
 */
#include "frank/fcntl.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/pipe.h"
#include "kernel/syscall.h"

enum {
    TRANSFER_MAX_BYTES = 0x7ffff000, /* what one read or write does at most */
};

/* ---- reading and writing -----------------------------------------------------------------------
 */

static bool is_seekable(const struct file *file)
{
    return file->inode->type == INODE_REGULAR || file->inode->type == INODE_DIRECTORY;
}

/* Read or write at an offset of the caller's, or (NULL) at the file's own, which files with one
   keep locked meanwhile. */
static long transfer(u64 descriptor, u64 buffer, u64 size, u64 *at, bool writes)
{
    struct file *file FILE_REF = file_table_get(process_files(), descriptor);
    struct mutex *lock = NULL;
    u64 nowhere = 0;
    long done;

    if (!file)
        return -EBADF;
    if (at && !is_seekable(file))
        return -ESPIPE;
    if (!(writes ? file->can_write : file->can_read))
        return -EBADF;
    if (at && (i64)*at < 0)
        return -EINVAL;
    if (!writes && !file->inode->ops->read)
        return -EISDIR;
    size = min(size, (u64)TRANSFER_MAX_BYTES);
    if (!at && is_seekable(file)) {
        lock = &file->offset_lock;
        mutex_lock(lock);
        at = &file->offset;
        if (writes && (file->flags & O_APPEND) != 0)
            *at = INODE_OFFSET_END;
    } else if (!at) {
        at = &nowhere;
        if ((file->flags & O_NONBLOCK) != 0)
            *at = INODE_OFFSET_NO_WAIT;
    }
    done = writes ? file->inode->ops->write(file->inode, buffer, size, at)
                  : file->inode->ops->read(file->inode, buffer, size, at);
    if (lock)
        mutex_unlock(lock);
    return done;
}

long sys_pread(u64 descriptor, u64 buffer, u64 size, u64 offset)
{
    return transfer(descriptor, buffer, size, &offset, false);
}

long sys_pwrite(u64 descriptor, u64 buffer, u64 size, u64 offset)
{
    return transfer(descriptor, buffer, size, &offset, true);
}

long sys_read(u64 descriptor, u64 buffer, u64 size)
{
    return transfer(descriptor, buffer, size, NULL, false);
}

long sys_write(u64 descriptor, u64 buffer, u64 size)
{
    return transfer(descriptor, buffer, size, NULL, true);
}

long sys_lseek(u64 descriptor, u64 distance, u64 whence)
{
    struct file *file FILE_REF = file_table_get(process_files(), descriptor);
    i64 target;

    if (!file)
        return -EBADF;
    if (!is_seekable(file))
        return -ESPIPE;
    if (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END)
        return -EINVAL;
    MUTEX_GUARD(&file->offset_lock);
    target = whence == SEEK_SET   ? 0
             : whence == SEEK_CUR ? (i64)file->offset
                                  : (i64)READ_ONCE(file->inode->size);
    if (__builtin_add_overflow(target, (i64)distance, &target))
        return -EOVERFLOW;
    if (target < 0)
        return -EINVAL;
    file->offset = (u64)target;
    return target;
}

long sys_ftruncate(u64 descriptor, u64 size)
{
    struct file *file FILE_REF = file_table_get(process_files(), descriptor);

    if (!file)
        return -EBADF;
    if (!file->can_write || (i64)size < 0 || !file->inode->ops->truncate)
        return -EINVAL;
    return file->inode->ops->truncate(file->inode, size);
}

long sys_fsync(u64 descriptor)
{
    struct file *file FILE_REF = file_table_get(process_files(), descriptor);

    if (!file)
        return -EBADF;
    return file->inode->ops->sync ? file->inode->ops->sync(file->inode) : 0;
}

long sys_ioctl(u64 descriptor, u64 request, u64 argument)
{
    struct file *file FILE_REF = file_table_get(process_files(), descriptor);

    if (!file)
        return -EBADF;
    if (!file->inode->ops->control)
        return -ENOTTY;
    return file->inode->ops->control(file->inode, request, argument);
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

    return access | file->flags;
}

/* A further descriptor for an open file. */
static long duplicate(struct file_table *files, struct file *file, u64 lowest, bool close_on_exec)
{
    int result;

    if (lowest >= FILE_TABLE_SLOTS)
        return -EINVAL;
    result = file_table_add(files, file_get(file), (u32)lowest, close_on_exec);
    if (result < 0)
        file_put(file);
    return result;
}

long sys_fcntl(u64 descriptor, u64 request, u64 argument)
{
    struct file_table *files = process_files();
    struct file *file FILE_REF = file_table_get(files, descriptor);

    if (!file)
        return -EBADF;
    switch (request) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return duplicate(files, file, argument, request == F_DUPFD_CLOEXEC);
    case F_GETFD:
        return (READ_ONCE(files->close_on_exec) & BIT(descriptor)) != 0 ? FD_CLOEXEC : 0;
    case F_SETFD:
        file_table_set_close_on_exec(files, descriptor, (argument & FD_CLOEXEC) != 0);
        return 0;
    case F_GETFL:
        return file_flags(file);
    case F_SETFL:
        file->flags = argument & O_CHANGEABLE;
        return 0;
    default:
        return -EINVAL;
    }
}

long sys_dup2(u64 from, u64 to)
{
    struct file *file = file_table_get(process_files(), from);
    int result;

    if (!file)
        return -EBADF;
    result = from != to ? file_table_replace(process_files(), file, to) : (int)to;
    if (result < 0 || from == to)
        file_put(file);
    return result;
}

long sys_pipe(u64 descriptors_address)
{
    struct inode *reader, *writer;
    i32 descriptors[2];
    int error = pipe_create(&reader, &writer);

    if (error)
        return error;
    descriptors[0] = file_create(process_files(), reader, O_RDONLY);
    descriptors[1] = file_create(process_files(), writer, O_WRONLY);
    error = min(descriptors[0], descriptors[1]);
    if (error >= 0)
        error = copy_to_user(descriptors_address, descriptors, sizeof(descriptors));
    if (error) {
        (void)sys_close((u64)descriptors[0]); /* which one is not there does not matter */
        (void)sys_close((u64)descriptors[1]);
    }
    return error;
}
