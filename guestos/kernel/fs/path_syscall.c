/* SPDX-License-Identifier: MIT */
/*
 * The system calls on names, and on what files are: arguments from the user are checked here, and
 * strings and structures copied in and out. What a call does stands in file.c, path.c and the file
 * systems.
 */
#include "frank/fcntl.h"
#include "frank/stat.h"
#include "kernel/fs/path.h"
#include "kernel/syscall.h"
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

static int report_inode(struct inode *inode, u64 address)
{
    u64 size = READ_ONCE(inode->size);
    struct frank_stat stat = {
        .device = inode->device,
        .inode = inode->number,
        .mode = inode->type | inode->permissions,
        .links = READ_ONCE(inode->links),
        .size_bytes = size,
        .blocks = (size + STAT_BLOCK_BYTES - 1) / STAT_BLOCK_BYTES,
        .modified_ns = READ_ONCE(inode->modified_ns),
    };

    return copy_to_user(address, &stat, sizeof(stat));
}

long sys_fstat(u64 descriptor, u64 stat_address)
{
    struct file *file FILE_REF = file_table_get(process_files(), descriptor);

    return file ? report_inode(file->inode, stat_address) : -EBADF;
}

/* The inode of a path of the user's, with a reference; NULL on an error. */
static int lookup_from_user(u64 path_address, struct inode **inode)
{
    char path[FRANK_PATH_SIZE];
    int error = copy_path(path, path_address);

    return error ? error : path_lookup(path, inode);
}

long sys_stat(u64 path_address, u64 stat_address)
{
    struct inode *inode INODE_REF = NULL;
    int error = lookup_from_user(path_address, &inode);

    return error ? error : report_inode(inode, stat_address);
}

/* The time of a file's last change, since 1970. */
long sys_utimens(u64 path_address, u64 modified_ns)
{
    struct inode *inode INODE_REF = NULL;
    int error = lookup_from_user(path_address, &inode);

    if (error)
        return error;
    if (inode->is_read_only)
        return -EROFS;
    MUTEX_GUARD(&inode->lock);
    WRITE_ONCE(inode->modified_ns, (i64)modified_ns);
    return 0;
}

/* ---- directories -------------------------------------------------------------------------------
 */

/* See path_lookup_end(). */
static int lookup_end_from_user(u64 path_address, struct path_end *end)
{
    char path[FRANK_PATH_SIZE];
    int error = copy_path(path, path_address);

    return error ? error : path_lookup_end(path, end);
}

long sys_mkdir(u64 path_address, u64 permissions)
{
    struct inode *inode INODE_REF = NULL;
    struct path_end end PATH_END_REF = {NULL};
    int error = lookup_end_from_user(path_address, &end);

    if (error == -EBUSY || error == -EINVAL) /* it is there */
        return -EEXIST;
    return error ? error
                 : end.directory->directory->create(end.directory, end.name, INODE_DIRECTORY,
                                                    permissions_for_new(permissions), &inode);
}

static bool is_devices(const struct path_end *end)
{
    return path_is_devices(end->directory, end->name);
}

static int remove_name(const struct path_end *end, bool is_directory)
{
    return end->directory->directory->unlink(end->directory, end->name, is_directory);
}

long sys_rmdir(u64 path_address)
{
    struct path_end end PATH_END_REF = {NULL};
    int error = lookup_end_from_user(path_address, &end);

    if (error)
        return error;
    return is_devices(&end) ? -EBUSY : remove_name(&end, true);
}

/* Whether a name is that of a directory: 0, or an error. */
static int check_is_directory(const struct path_end *end)
{
    struct inode *inode INODE_REF = NULL;
    int error = end->directory->directory->lookup(end->directory, end->name, &inode);

    return !error && inode->type != INODE_DIRECTORY ? -ENOTDIR : error;
}

long sys_unlink(u64 path_address)
{
    struct path_end end PATH_END_REF = {NULL};
    int error = lookup_end_from_user(path_address, &end);

    if (error == -EBUSY || error == -EINVAL) /* the root, or "." */
        return -EISDIR;
    if (!error && end.has_slash) /* what is no directory has no slash behind it */
        error = check_is_directory(&end);
    if (error || end.has_slash)
        return error ? error : -EISDIR;
    return remove_name(&end, false);
}

long sys_link(u64 old_path_address, u64 new_path_address)
{
    struct inode *inode INODE_REF = NULL;
    struct path_end end PATH_END_REF = {NULL};
    int error = lookup_from_user(old_path_address, &inode);

    if (!error)
        error = lookup_end_from_user(new_path_address, &end);
    if (error)
        return error;
    if (inode->type == INODE_DIRECTORY)
        return -EPERM;
    return end.has_slash ? -ENOENT : end.directory->directory->link(end.directory, end.name, inode);
}

/* A slash at the end of one of the paths is right only for a directory. */
long sys_rename(u64 path_address, u64 new_path_address)
{
    struct path_end from PATH_END_REF = {NULL}, to PATH_END_REF = {NULL};
    int error = lookup_end_from_user(path_address, &from);

    if (!error)
        error = lookup_end_from_user(new_path_address, &to);
    if (!error && (is_devices(&from) || is_devices(&to)))
        error = -EBUSY;
    if (!error && (from.has_slash || to.has_slash))
        error = check_is_directory(&from);
    return error ? error
                 : from.directory->directory->rename(from.directory, from.name, to.directory,
                                                     to.name);
}

/* The directory's entries from *cursor on, as many as fit: how many, or a negative errno. */
static long report_entries(struct inode *inode, u64 *cursor, u64 buffer, u64 count)
{
    struct frank_dirent entry;
    u64 done = 0;

    memset(&entry, 0, sizeof(entry));
    while (done < count) {
        u64 next = *cursor;
        int found = inode->directory->read_entry(inode, &next, &entry);

        if (found > 0 && copy_to_user(buffer + done * sizeof(entry), &entry, sizeof(entry)) < 0)
            found = -EFAULT;
        if (found <= 0)
            return done || !found ? (long)done : found;
        *cursor = next;
        done++;
    }
    return (long)done;
}

/* A directory's offset is its cursor. */
long sys_getdents(u64 descriptor, u64 buffer, u64 count)
{
    struct file *file FILE_REF = file_table_get(process_files(), descriptor);

    if (!file)
        return -EBADF;
    if (!file->inode->directory)
        return -ENOTDIR;
    MUTEX_GUARD(&file->offset_lock);
    return report_entries(file->inode, &file->offset, buffer, count);
}

long sys_chdir(u64 path_address)
{
    struct inode *inode INODE_REF = NULL;
    int error = lookup_from_user(path_address, &inode);

    if (!error && inode->type != INODE_DIRECTORY)
        error = -ENOTDIR;
    if (!error)
        inode = file_table_change_directory(process_files(), inode);
    return error;
}
