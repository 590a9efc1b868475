/* SPDX-License-Identifier: MIT */
/* Open files and descriptor tables; see file.h. */
#include "kernel/fs/file.h"

#include "frank/fcntl.h"
#include "kernel/fs/path.h"
#include "kernel/kmalloc.h"

/* ---- open files --------------------------------------------------------------------------------
 */

struct file *file_get(struct file *file)
{
    __atomic_add_fetch(&file->refs, 1, __ATOMIC_RELAXED);
    return file;
}

void file_put(struct file *file)
{
    if (__atomic_sub_fetch(&file->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    inode_put(file->inode);
    kfree(file);
}

/* ---- descriptor tables -------------------------------------------------------------------------
 */

void file_table_init(struct file_table *table)
{
    spin_init(&table->lock, "file table", LOCK_FILE_TABLE);
    table->slot_count = 0;
    table->close_on_exec = 0;
    table->creation_mask = 0;
    table->working_directory = path_root();
}

void file_table_clone(struct file_table *to, struct file_table *from)
{
    spin_init(&to->lock, "file table", LOCK_FILE_TABLE);
    SPIN_GUARD(&from->lock);
    to->slot_count = from->slot_count;
    for (unsigned i = 0; i < from->slot_count; i++)
        to->files[i] = from->files[i] ? file_get(from->files[i]) : NULL;
    to->close_on_exec = from->close_on_exec;
    to->working_directory = inode_get(from->working_directory);
    to->creation_mask = from->creation_mask;
}

/* Put a file, or NULL, into a slot; what was there before. The lock is held. */
static struct file *set_slot_locked(struct file_table *table, u64 slot, struct file *file,
                                    bool close_on_exec)
{
    struct file *before;

    while (table->slot_count <= slot)
        table->files[table->slot_count++] = NULL;
    before = table->files[slot];
    table->files[slot] = file;
    table->close_on_exec &= ~BIT(slot);
    if (close_on_exec)
        table->close_on_exec |= BIT(slot);
    return before;
}

struct file *file_table_remove(struct file_table *table, u64 descriptor)
{
    SPIN_GUARD(&table->lock);
    return descriptor < table->slot_count ? set_slot_locked(table, descriptor, NULL, false) : NULL;
}

void file_table_close_all(struct file_table *table)
{
    table->close_on_exec = ~(u64)0;
    file_table_close_on_exec(table);
    inode_put(table->working_directory);
    table->working_directory = NULL;
}

void file_table_close_on_exec(struct file_table *table)
{
    for (unsigned i = 0; table->close_on_exec && i < table->slot_count; i++) {
        if ((table->close_on_exec & BIT(i)) && table->files[i])
            file_put(file_table_remove(table, i));
    }
}

void file_table_set_close_on_exec(struct file_table *table, u64 descriptor, bool close_on_exec)
{
    SPIN_GUARD(&table->lock);
    set_slot_locked(table, descriptor, table->files[descriptor], close_on_exec);
}

struct file *file_table_get(struct file_table *table, u64 descriptor)
{
    SPIN_GUARD(&table->lock);
    if (descriptor >= table->slot_count || !table->files[descriptor])
        return NULL;
    return file_get(table->files[descriptor]);
}

int file_table_add(struct file_table *table, struct file *file, unsigned lowest, bool close_on_exec)
{
    SPIN_GUARD(&table->lock);
    for (unsigned i = lowest; i < FILE_TABLE_SLOTS; i++) {
        if (i < table->slot_count && table->files[i])
            continue;
        set_slot_locked(table, i, file, close_on_exec);
        return (int)i;
    }
    return -EMFILE;
}

int file_table_replace(struct file_table *table, struct file *file, u64 descriptor)
{
    struct file *old FILE_REF = NULL;

    if (descriptor >= FILE_TABLE_SLOTS)
        return -EBADF;
    SPIN_GUARD(&table->lock);
    old = set_slot_locked(table, descriptor, file, false);
    return (int)descriptor;
}

struct inode *file_table_directory(struct file_table *table)
{
    SPIN_GUARD(&table->lock);
    return inode_get(table->working_directory);
}

struct inode *file_table_change_directory(struct file_table *table, struct inode *directory)
{
    struct inode *old;

    SPIN_GUARD(&table->lock);
    old = table->working_directory;
    table->working_directory = directory;
    return old;
}

/* ---- opening -----------------------------------------------------------------------------------
 */

int file_create(struct file_table *table, struct inode *inode, u32 flags)
{
    struct file *file = kzalloc(sizeof(*file));
    u32 access = flags & O_ACCMODE;
    int descriptor;

    if (!file) {
        inode_put(inode);
        return -ENOMEM;
    }
    file->inode = inode;
    file->can_read = access != O_WRONLY;
    file->can_write = access != O_RDONLY;
    file->flags = flags & O_CHANGEABLE;
    file->refs = 1;
    mutex_init(&file->offset_lock, "file offset");
    descriptor = file_table_add(table, file, 0, (flags & O_CLOEXEC) != 0);
    if (descriptor < 0)
        file_put(file);
    return descriptor;
}

/* The file that `path` is to name from now on: made, or found unless O_EXCL says otherwise. */
static int create_inode(const char *path, u32 flags, u32 permissions, struct inode **inode)
{
    struct path_end end PATH_END_REF = {NULL};
    const struct directory_ops *ops;
    int error = path_lookup_end(path, &end);

    if (error || end.has_slash)
        return error ? error : -EISDIR;
    ops = end.directory->directory;
    error = ops->create(end.directory, end.name, INODE_REGULAR, permissions, inode);
    if (error == -EEXIST && !(flags & O_EXCL))
        error = ops->lookup(end.directory, end.name, inode);
    return error;
}

/* What may not be opened so. */
static int check_open(const struct inode *inode, u32 flags)
{
    bool can_write = (flags & O_ACCMODE) != O_RDONLY;

    if (inode->type == INODE_DIRECTORY && (can_write || (flags & (O_TRUNC | O_CREAT))))
        return -EISDIR;
    if (inode->type != INODE_DIRECTORY && (flags & O_DIRECTORY))
        return -ENOTDIR;
    return can_write && inode->is_read_only ? -EROFS : 0;
}

/* O_TRUNC has its effect last, when nothing else can fail. */
int file_open(struct file_table *table, const char *path, u32 flags, u32 permissions)
{
    struct inode *inode INODE_REF = NULL;
    int descriptor, error;

    if ((flags & O_ACCMODE) == O_ACCMODE)
        return -EINVAL;
    error = path_lookup(path, &inode);
    if (!error && (flags & O_CREAT) && (flags & O_EXCL))
        return -EEXIST;
    if (error == -ENOENT && (flags & O_CREAT))
        error = create_inode(path, flags, permissions, &inode);
    if (!error)
        error = check_open(inode, flags);
    if (error)
        return error;
    descriptor = file_create(table, inode_get(inode), flags);
    if (descriptor < 0 || !(flags & O_TRUNC) || inode->type != INODE_REGULAR ||
        (flags & O_ACCMODE) == O_RDONLY)
        return descriptor;
    error = inode->ops->truncate(inode, 0);
    if (error)
        file_put(file_table_remove(table, (u64)descriptor));
    return error ? error : descriptor;
}
