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
    struct inode *directory INODE_REF = NULL, *inode INODE_REF = NULL;
    char name[FRANK_NAME_SIZE];
    bool ignored;
    int error = lookup_parent_from_user(path_address, &directory, name, &ignored);

    if (error == -EBUSY || error == -EINVAL) /* it is there */
        return -EEXIST;
    return error ? error
                 : directory->directory->create(directory, name, INODE_DIRECTORY,
                                                permissions_for_new(permissions), &inode);
}

long sys_rmdir(u64 path_address)
{
    struct inode *directory INODE_REF = NULL;
    char name[FRANK_NAME_SIZE];
    bool ignored;
    int error = lookup_parent_from_user(path_address, &directory, name, &ignored);

    if (error)
        return error;
    return path_is_devices(directory, name) ? -EBUSY
                                            : directory->directory->unlink(directory, name, true);
}

/* Whether a name is that of a directory: 0, or an error. */
static int check_is_directory(struct inode *directory, const char *name)
{
    struct inode *inode INODE_REF = NULL;
    int error = directory->directory->lookup(directory, name, &inode);

    return !error && inode->type != INODE_DIRECTORY ? -ENOTDIR : error;
}

long sys_unlink(u64 path_address)
{
    struct inode *directory INODE_REF = NULL;
    char name[FRANK_NAME_SIZE];
    bool slash;
    int error = lookup_parent_from_user(path_address, &directory, name, &slash);

    if (error == -EBUSY || error == -EINVAL) /* the root, or "." */
        return -EISDIR;
    if (!error && slash) /* what is no directory has no slash behind it */
        error = check_is_directory(directory, name);
    if (error || slash)
        return error ? error : -EISDIR;
    return directory->directory->unlink(directory, name, false);
}

long sys_link(u64 old_path_address, u64 new_path_address)
{
    struct inode *inode INODE_REF = NULL, *directory INODE_REF = NULL;
    char name[FRANK_NAME_SIZE];
    bool slash;
    int error = lookup_from_user(old_path_address, &inode);

    if (!error)
        error = lookup_parent_from_user(new_path_address, &directory, name, &slash);
    if (error)
        return error;
    if (inode->type == INODE_DIRECTORY)
        return -EPERM;
    return slash ? -ENOENT : directory->directory->link(directory, name, inode);
}

/* A slash at the end of one of the paths is right only for a directory. */
long sys_rename(u64 path_address, u64 new_path_address)
{
    struct inode *from INODE_REF = NULL, *to INODE_REF = NULL;
    char name[FRANK_NAME_SIZE], new_name[FRANK_NAME_SIZE];
    bool slash, new_slash;
    int error = lookup_parent_from_user(path_address, &from, name, &slash);

    if (!error)
        error = lookup_parent_from_user(new_path_address, &to, new_name, &new_slash);
    if (error)
        return error;
    if (path_is_devices(from, name) || path_is_devices(to, new_name))
        return -EBUSY;
    error = slash || new_slash ? check_is_directory(from, name) : 0;
    return error ? error : from->directory->rename(from, name, to, new_name);
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
