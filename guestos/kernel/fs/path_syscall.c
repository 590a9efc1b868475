/* SPDX-License-Identifier: MIT */
/*
 * The system calls on names, and on what files are: arguments from the user are checked here, and
 * strings and structures copied in and out. What a call does stands in file.c, path.c and the file
 * systems.
 */
#include "frank/errno.h"
#include "frank/fcntl.h"
#include "frank/mode.h"
#include "frank/stat.h"
#include "kernel/fs/file.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/path.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/timer.h"
#include "kernel/uaccess.h"
#include "string.h"

enum {
    STAT_BLOCK_BYTES = 512,
};

/* A path from the user into FRANK_PATH_SIZE bytes: 0 or a negative errno. */
static int copy_path(char *path, u64 address)
{
    long length = copy_string_from_user(path, address, FRANK_PATH_SIZE);

    return length < 0 ? (int)length : 0;
}

static u32 permissions_for_new(u64 asked)
{
    return (u32)asked & 0777 & ~process_files()->creation_mask;
}

long sys_open(u64 path_address, u64 flags, u64 permissions)
{
    char path[FRANK_PATH_SIZE];
    int error = copy_path(path, path_address);

    return error ? error
                 : file_open(process_files(), path, (u32)flags, permissions_for_new(permissions));
}

long sys_umask(u64 mask)
{
    struct file_table *files = process_files();
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
    struct file *file = file_table_get(process_files(), descriptor);
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
    struct file *file = file_table_get(process_files(), descriptor);
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
    struct file_table *files = process_files();
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
    struct inode *directory = file_table_directory(process_files());
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
