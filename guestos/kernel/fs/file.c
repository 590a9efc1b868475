/* SPDX-License-Identifier: MIT */
/* Open files and descriptor tables; see file.h. */
#include "kernel/fs/file.h"

#include "frank/errno.h"
#include "frank/fcntl.h"
#include "kernel/fs/path.h"
#include "kernel/kmalloc.h"

/* ---- open files --------------------------------------------------------------------------------
 */

struct file *file_create(struct inode *inode, bool can_read, bool can_write, bool appends)
{
    struct file *file = kmalloc(sizeof(*file));

    if (!file)
        return NULL;
    file->inode = inode;
    file->can_read = can_read;
    file->can_write = can_write;
    file->appends = appends;
    file->refs = 1;
    mutex_init(&file->offset_lock, "file offset");
    file->offset = 0;
    return file;
}

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
    spin_acquire(&from->lock);
    to->slot_count = from->slot_count;
    for (unsigned i = 0; i < from->slot_count; i++)
        to->files[i] = from->files[i] ? file_get(from->files[i]) : NULL;
    to->close_on_exec = from->close_on_exec;
    to->working_directory = inode_get(from->working_directory);
    to->creation_mask = from->creation_mask;
    spin_release(&from->lock);
}

/* Take the file out of a slot; the table's reference becomes the caller's. */
struct file *file_table_remove(struct file_table *table, u64 descriptor)
{
    struct file *file = NULL;

    spin_acquire(&table->lock);
    if (descriptor < table->slot_count) {
        file = table->files[descriptor];
        table->files[descriptor] = NULL;
        table->close_on_exec &= ~BIT(descriptor);
    }
    spin_release(&table->lock);
    return file;
}

static void close_slot(struct file_table *table, u64 descriptor)
{
    struct file *file = file_table_remove(table, descriptor);

    if (file)
        file_put(file);
}

void file_table_close_all(struct file_table *table)
{
    for (unsigned i = 0; i < table->slot_count; i++) {
        if (table->files[i])
            close_slot(table, i);
    }
    inode_put(table->working_directory);
    table->working_directory = NULL;
}

void file_table_close_on_exec(struct file_table *table)
{
    if (!table->close_on_exec)
        return;
    for (unsigned i = 0; i < table->slot_count; i++) {
        if (table->close_on_exec & BIT(i))
            close_slot(table, i);
    }
}

bool file_table_closes_on_exec(struct file_table *table, u64 descriptor)
{
    return (READ_ONCE(table->close_on_exec) & BIT(descriptor)) != 0;
}

void file_table_set_close_on_exec(struct file_table *table, u64 descriptor, bool close_on_exec)
{
    spin_acquire(&table->lock);
    table->close_on_exec &= ~BIT(descriptor);
    if (close_on_exec)
        table->close_on_exec |= BIT(descriptor);
    spin_release(&table->lock);
}

struct file *file_table_get(struct file_table *table, u64 descriptor)
{
    struct file *file = NULL;

    spin_acquire(&table->lock);
    if (descriptor < table->slot_count)
        file = table->files[descriptor];
    if (file)
        file_get(file);
    spin_release(&table->lock);
    return file;
}

/* The file in a slot, which may lie above those in use so far. */
static struct file *slot_locked(struct file_table *table, unsigned slot)
{
    return slot < table->slot_count ? table->files[slot] : NULL;
}

static void set_slot_locked(struct file_table *table, unsigned slot, struct file *file,
                            bool close_on_exec)
{
    while (table->slot_count <= slot)
        table->files[table->slot_count++] = NULL;
    table->files[slot] = file;
    table->close_on_exec &= ~BIT(slot);
    if (close_on_exec)
        table->close_on_exec |= BIT(slot);
}

int file_table_add(struct file_table *table, struct file *file, unsigned lowest, bool close_on_exec)
{
    int descriptor = -EMFILE;

    spin_acquire(&table->lock);
    for (unsigned i = lowest; i < FILE_TABLE_SLOTS; i++) {
        if (slot_locked(table, i))
            continue;
        set_slot_locked(table, i, file, close_on_exec);
        descriptor = (int)i;
        break;
    }
    spin_release(&table->lock);
    return descriptor;
}

int file_table_replace(struct file_table *table, struct file *file, u64 descriptor)
{
    struct file *old;

    if (descriptor >= FILE_TABLE_SLOTS)
        return -EBADF;
    spin_acquire(&table->lock);
    old = slot_locked(table, (unsigned)descriptor);
    set_slot_locked(table, (unsigned)descriptor, file, false);
    spin_release(&table->lock);
    if (old)
        file_put(old);
    return (int)descriptor;
}

struct inode *file_table_directory(struct file_table *table)
{
    struct inode *directory;

    spin_acquire(&table->lock);
    directory = inode_get(table->working_directory);
    spin_release(&table->lock);
    return directory;
}

struct inode *file_table_change_directory(struct file_table *table, struct inode *directory)
{
    struct inode *old;

    spin_acquire(&table->lock);
    old = table->working_directory;
    table->working_directory = directory;
    spin_release(&table->lock);
    return old;
}

/* ---- opening -----------------------------------------------------------------------------------
 */

/* The file that `path` is to name from now on: made, or found unless O_EXCL says otherwise. */
static int create_inode(const char *path, u32 flags, u32 permissions, struct inode **inode)
{
    char name[FRANK_NAME_SIZE];
    struct inode *directory;
    bool must_be_directory;
    int error = path_lookup_parent(path, &directory, name, &must_be_directory);

    if (error)
        return error;
    if (must_be_directory)
        error = -EISDIR;
    else
        error = directory->directory->create(directory, name, INODE_REGULAR, permissions, inode);
    if (error == -EEXIST && !(flags & O_EXCL))
        error = directory->directory->lookup(directory, name, inode);
    inode_put(directory);
    return error;
}

static int find_inode(const char *path, u32 flags, u32 permissions, struct inode **inode)
{
    int error = path_lookup(path, inode);

    if (flags & O_CREAT) {
        if (error == -ENOENT)
            return create_inode(path, flags, permissions, inode);
        if (!error && (flags & O_EXCL)) {
            inode_put(*inode);
            return -EEXIST;
        }
    }
    return error;
}

/* What an inode's type refuses. */
static int check_open(struct inode *inode, u32 flags, bool can_write)
{
    if (inode->type == INODE_DIRECTORY && (can_write || (flags & (O_TRUNC | O_CREAT))))
        return -EISDIR;
    if (inode->type != INODE_DIRECTORY && (flags & O_DIRECTORY))
        return -ENOTDIR;
    return 0;
}

/* A descriptor for an inode, whose reference is taken over in any case. O_TRUNC has its effect
   last, when nothing else can fail. */
static int open_inode(struct file_table *table, struct inode *inode, u32 flags, bool can_read,
                      bool can_write)
{
    struct file *file = file_create(inode, can_read, can_write, (flags & O_APPEND) != 0);
    int descriptor, error = 0;

    if (!file) {
        inode_put(inode);
        return -ENOMEM;
    }
    descriptor = file_table_add(table, file, 0, (flags & O_CLOEXEC) != 0);
    if (descriptor < 0) {
        file_put(file);
        return descriptor;
    }
    if ((flags & O_TRUNC) && can_write && inode->type == INODE_REGULAR)
        error = inode_truncate(inode, 0);
    if (error)
        file_put(file_table_remove(table, (u64)descriptor));
    return error ? error : descriptor;
}

int file_open(struct file_table *table, const char *path, u32 flags, u32 permissions)
{
    u32 access = flags & O_ACCMODE;
    bool can_read = access == O_RDONLY || access == O_RDWR;
    bool can_write = access == O_WRONLY || access == O_RDWR;
    struct inode *inode;
    int result;

    if (access == O_ACCMODE)
        return -EINVAL;
    result = find_inode(path, flags, permissions, &inode);
    if (result < 0)
        return result;
    result = check_open(inode, flags, can_write);
    if (result < 0) {
        inode_put(inode);
        return result;
    }
    return open_inode(table, inode, flags, can_read, can_write);
}
