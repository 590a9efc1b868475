/* SPDX-License-Identifier: MIT */
/*
 * The system calls on files: arguments from the user are checked here, and strings and structures
 * copied in and out. What a call does stands in file.c, path.c and the file systems.
 */
#include "frank/errno.h"
#include "frank/fcntl.h"
#include "frank/mode.h"
#include "frank/stat.h"
#include "kernel/fs/file.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/path.h"
#include "kernel/fs/pipe.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/timer.h"
#include "kernel/uaccess.h"
#include "string.h"

enum {
    TRANSFER_MAX_BYTES = 0x7ffff000, /* what one read or write does at most */
    STAT_BLOCK_BYTES = 512,
};

static struct file_table *current_files(void)
{
    return process_current()->files;
}

/* A path from the user into FRANK_PATH_SIZE bytes: 0 or a negative errno. */
static int copy_path(char *path, u64 address)
{
    long length = copy_string_from_user(path, address, FRANK_PATH_SIZE);

    return length < 0 ? (int)length : 0;
}

static u32 permissions_for_new(u64 asked)
{
    return (u32)asked & 0777 & ~current_files()->creation_mask;
}

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
    struct file *file = file_table_get(current_files(), descriptor);
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
    struct file *file = file_table_get(current_files(), descriptor);
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
    struct file *file = file_table_get(current_files(), descriptor);
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
    struct file *file = file_table_get(current_files(), descriptor);
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
    struct file *file = file_table_get(current_files(), descriptor);
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
    struct file *file = file_table_get(current_files(), descriptor);
    long result;

    if (!file)
        return -EBADF;
    result = inode_control(file->inode, request, argument);
    file_put(file);
    return result;
}

/* ---- descriptors -------------------------------------------------------------------------------
 */

long sys_open(u64 path_address, u64 flags, u64 permissions)
{
    char path[FRANK_PATH_SIZE];
    int error = copy_path(path, path_address);

    return error ? error
                 : file_open(current_files(), path, (u32)flags, permissions_for_new(permissions));
}

long sys_close(u64 descriptor)
{
    struct file *file = file_table_remove(current_files(), descriptor);

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
    struct file_table *files = current_files();
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
    struct file *file = file_table_get(current_files(), from);
    int result;

    if (!file)
        return -EBADF;
    if (from == to) {
        file_put(file);
        return (long)to;
    }
    result = file_table_replace(current_files(), file, to);
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
    descriptor = file_table_add(current_files(), file, 0, false);
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

long sys_umask(u64 mask)
{
    struct file_table *files = current_files();
    long before = files->creation_mask;

    files->creation_mask = (u32)mask & 0777;
    return before;
}

/* ---- what files are ----------------------------------------------------------------------------
 */

static u32 mode_of_type(enum inode_type type)
{
    switch (type) {
    case INODE_DIRECTORY:
        return S_IFDIR;
    case INODE_DEVICE:
        return S_IFCHR;
    case INODE_PIPE:
        return S_IFIFO;
    default:
        return S_IFREG;
    }
}

static int report_inode(struct inode *inode, u64 address)
{
    u64 size = READ_ONCE(inode->size);
    struct frank_stat stat = {
        .device = inode->device,
        .inode = inode->number,
        .mode = mode_of_type(inode->type) | inode->permissions,
        .links = READ_ONCE(inode->links),
        .size_bytes = size,
        .blocks = (size + STAT_BLOCK_BYTES - 1) / STAT_BLOCK_BYTES,
        .modified_ns = (i64)timer_ns_from_ticks(READ_ONCE(inode->modified_ticks)),
    };

    return copy_to_user(address, &stat, sizeof(stat));
}

long sys_fstat(u64 descriptor, u64 stat_address)
{
    struct file *file = file_table_get(current_files(), descriptor);
    int error;

    if (!file)
        return -EBADF;
    error = report_inode(file->inode, stat_address);
    file_put(file);
    return error;
}

long sys_stat(u64 path_address, u64 stat_address)
{
    char path[FRANK_PATH_SIZE];
    struct inode *inode;
    int error = copy_path(path, path_address);

    if (!error)
        error = path_lookup(path, &inode);
    if (error)
        return error;
    error = report_inode(inode, stat_address);
    inode_put(inode);
    return error;
}

/* ---- directories -------------------------------------------------------------------------------
 */

/* The path's last component and its directory: see path_lookup_parent(). */
static int lookup_parent_from_user(u64 path_address, struct inode **directory, char *name,
                                   bool *must_be_directory)
{
    char path[FRANK_PATH_SIZE];
    int error = copy_path(path, path_address);

    return error ? error : path_lookup_parent(path, directory, name, must_be_directory);
}

long sys_mkdir(u64 path_address, u64 permissions)
{
    char name[FRANK_NAME_SIZE];
    struct inode *directory;
    struct inode *inode;
    bool ignored;
    int error = lookup_parent_from_user(path_address, &directory, name, &ignored);

    /* What has no last component of its own is there already. */
    if (error == -EBUSY || error == -EINVAL)
        return -EEXIST;
    if (error)
        return error;
    error = directory->directory->create(directory, name, INODE_DIRECTORY,
                                         permissions_for_new(permissions), &inode);
    if (!error)
        inode_put(inode);
    inode_put(directory);
    return error;
}

long sys_rmdir(u64 path_address)
{
    char name[FRANK_NAME_SIZE];
    struct inode *directory;
    bool ignored;
    int error = lookup_parent_from_user(path_address, &directory, name, &ignored);

    if (error)
        return error;
    error = mount_covers(directory, name) ? -EBUSY
                                          : directory->directory->unlink(directory, name, true);
    inode_put(directory);
    return error;
}

/* What unlink says to a name with a slash behind it, which it never removes. */
static int refuse_unlink_with_slash(struct inode *directory, const char *name)
{
    struct inode *inode;
    int error = directory->directory->lookup(directory, name, &inode);

    if (error)
        return error;
    error = inode->type == INODE_DIRECTORY ? -EISDIR : -ENOTDIR;
    inode_put(inode);
    return error;
}

long sys_unlink(u64 path_address)
{
    char name[FRANK_NAME_SIZE];
    struct inode *directory;
    bool must_be_directory;
    int error = lookup_parent_from_user(path_address, &directory, name, &must_be_directory);

    if (error == -EBUSY || error == -EINVAL)
        return -EISDIR;
    if (error)
        return error;
    if (must_be_directory)
        error = refuse_unlink_with_slash(directory, name);
    else
        error = directory->directory->unlink(directory, name, false);
    inode_put(directory);
    return error;
}

long sys_link(u64 old_path_address, u64 new_path_address)
{
    char path[FRANK_PATH_SIZE];
    struct inode *inode;
    struct inode *directory;
    bool must_be_directory;
    char name[FRANK_NAME_SIZE];
    int error = copy_path(path, old_path_address);

    if (!error)
        error = path_lookup(path, &inode);
    if (error)
        return error;
    error = copy_path(path, new_path_address);
    if (!error)
        error = path_lookup_parent(path, &directory, name, &must_be_directory);
    if (!error) {
        if (inode->type == INODE_DIRECTORY)
            error = -EPERM;
        else if (must_be_directory)
            error = -ENOENT;
        else
            error = directory->directory->link(directory, name, inode);
        inode_put(directory);
    }
    inode_put(inode);
    return error;
}

/* A slash at the end of one of the paths is right only for a directory. */
static int rename_between(struct inode *from, const char *name, bool slash, struct inode *to,
                          const char *new_name)
{
    struct inode *inode;
    int error = 0;

    if (from->directory != to->directory || !from->directory->rename)
        return -EXDEV;
    if (mount_covers(from, name) || mount_covers(to, new_name))
        return -EBUSY;
    if (slash) {
        error = from->directory->lookup(from, name, &inode);
        if (error)
            return error;
        error = inode->type == INODE_DIRECTORY ? 0 : -ENOTDIR;
        inode_put(inode);
    }
    return error ? error : from->directory->rename(from, name, to, new_name);
}

long sys_rename(u64 path_address, u64 new_path_address)
{
    char name[FRANK_NAME_SIZE], new_name[FRANK_NAME_SIZE];
    struct inode *from, *to;
    bool slash, new_slash;
    int error = lookup_parent_from_user(path_address, &from, name, &slash);

    if (error)
        return error;
    error = lookup_parent_from_user(new_path_address, &to, new_name, &new_slash);
    if (!error) {
        error = rename_between(from, name, slash || new_slash, to, new_name);
        inode_put(to);
    }
    inode_put(from);
    return error;
}

/* The directory's entries from *cursor on, as many as fit: how many, or a negative errno. */
static long report_entries(struct inode *inode, u64 *cursor, u64 buffer, u64 count)
{
    struct directory_entry entry;
    struct frank_dirent out;
    u64 done = 0;

    memset(&out, 0, sizeof(out));
    while (done < count) {
        u64 next = *cursor;
        int found = inode->directory->read_entry(inode, &next, &entry);

        if (found <= 0)
            return done || !found ? (long)done : found;
        out.inode = entry.number;
        out.mode = mode_of_type(entry.type);
        strlcpy(out.name, entry.name, sizeof(out.name));
        if (copy_to_user(buffer + done * sizeof(out), &out, sizeof(out)) < 0)
            return done ? (long)done : -EFAULT;
        *cursor = next;
        done++;
    }
    return (long)done;
}

/* A directory's offset is its cursor. */
long sys_getdents(u64 descriptor, u64 buffer, u64 count)
{
    struct file *file = file_table_get(current_files(), descriptor);
    long result = -ENOTDIR;

    if (!file)
        return -EBADF;
    if (file->inode->directory) {
        mutex_lock(&file->offset_lock);
        result = report_entries(file->inode, &file->offset, buffer, count);
        mutex_unlock(&file->offset_lock);
    }
    file_put(file);
    return result;
}

long sys_chdir(u64 path_address)
{
    char path[FRANK_PATH_SIZE];
    struct file_table *files = current_files();
    struct inode *inode;
    int error = copy_path(path, path_address);

    if (!error)
        error = path_lookup(path, &inode);
    if (error)
        return error;
    if (inode->type != INODE_DIRECTORY) {
        inode_put(inode);
        return -ENOTDIR;
    }
    inode_put(file_table_change_directory(files, inode));
    return 0;
}

/* The path's length with its NUL, as the caller's buffer now has it. */
long sys_getcwd(u64 buffer, u64 size)
{
    char path[FRANK_PATH_SIZE];
    struct inode *directory = file_table_directory(current_files());
    int length = path_of_directory(directory, path, sizeof(path));

    inode_put(directory);
    if (length < 0)
        return length;
    if (size == 0)
        return -EINVAL;
    if ((u64)length + 1 > size)
        return -ERANGE;
    if (copy_to_user(buffer, path, (size_t)length + 1) < 0)
        return -EFAULT;
    return length + 1;
}
