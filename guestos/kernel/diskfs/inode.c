/* SPDX-License-Identifier: MIT */
/*
 * The disk's inodes in memory: one for each that somebody holds.
 *
 * The list holds no reference. Who looks for an inode there may meet one whose last reference is
 * just gone (refs 0): it waits until that one has left the list. An inode without names is finished
 * by its release: its blocks and its slot are free. It has left the list by then, and since no name
 * leads to its number nobody looks for it until the slot is free.
 */
#include "kernel/diskfs/internal.h"
#include "kernel/kmalloc.h"
#include "kernel/printk.h"
#include "kernel/timer.h"
#include "kernel/wait.h"

/* ---- the list ----------------------------------------------------------------------------------
 */

/* One more reference, unless the last one is gone. */
static bool get_unless_gone(struct inode *inode)
{
    u32 refs = __atomic_load_n(&inode->refs, __ATOMIC_RELAXED);

    while (refs != 0) {
        if (__atomic_compare_exchange_n(&inode->refs, &refs, refs + 1, true, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return true;
    }
    return false;
}

/* The number's inode with a reference, if it is in memory. */
static struct disk_inode *find_locked(struct diskfs *fs, u32 number)
{
    struct disk_inode *inode;

    list_for_each (inode, &fs->inodes, node) {
        if (inode->inode.number != number)
            continue;
        if (get_unless_gone(&inode->inode))
            return inode;
        wait_on_uninterruptible(&fs->inode_gone, &fs->inodes_lock);
        return find_locked(fs, number);
    }
    return NULL;
}

static void take_off_list(struct disk_inode *inode)
{
    struct diskfs *fs = inode->fs;

    SPIN_GUARD(&fs->inodes_lock);
    list_remove(&inode->node);
    wake_all(&fs->inode_gone);
}

/* ---- from and to the disk ----------------------------------------------------------------------
 */

static bool is_sound(const struct diskfs_inode *disk)
{
    u32 type = disk->mode & S_IFMT;

    return disk->size_bytes <= DISKFS_FILE_BYTES &&
           (type == S_IFREG || (type == S_IFDIR && disk->size_bytes % DISKFS_BLOCK_BYTES == 0));
}

/* Without its buffer yet. */
static struct disk_inode *make(struct diskfs *fs, u32 number, const struct diskfs_inode *disk)
{
    bool is_directory = (disk->mode & S_IFMT) == S_IFDIR;
    struct disk_inode *inode = kzalloc(sizeof(*inode));

    if (!inode)
        return NULL;
    inode_init(&inode->inode, is_directory ? INODE_DIRECTORY : INODE_REGULAR, disk->mode & 0777,
               is_directory ? &diskfs_directory_inode_ops : &diskfs_file_ops,
               is_directory ? &diskfs_directory_ops : NULL);
    inode->inode.number = number;
    inode->inode.is_read_only = fs->journal.is_read_only;
    inode->inode.links = disk->links;
    inode->inode.size = disk->size_bytes;
    inode->inode.modified_ns = disk->modified_ns;
    inode->fs = fs;
    mutex_init(&inode->map_lock, "disk inode");
    inode->disk = *disk;
    return inode;
}

/* The number's inode is not in memory: make it of what is in its buffer, and put it on the list.
   That lock is held, so that nobody can have changed the inode and let go of it meanwhile. */
static int load_locked(struct diskfs *fs, u32 number, struct buffer *buffer,
                       struct disk_inode **inode)
{
    if (!is_sound(inode_in(buffer, number))) {
        printk("%s: inode %u is damaged: run fsck\n", fs->device->name, number);
        return -EIO;
    }
    *inode = make(fs, number, inode_in(buffer, number));
    if (!*inode)
        return -ENOMEM;
    (*inode)->buffer = buffer;
    list_push_front(&fs->inodes, &(*inode)->node);
    return 0;
}

int disk_inode_get(struct diskfs *fs, u32 number, struct disk_inode **inode)
{
    struct disk_inode *found;
    struct buffer *buffer;
    int error;

    spin_acquire(&fs->inodes_lock);
    *inode = found = find_locked(fs, number);
    spin_release(&fs->inodes_lock);
    if (found)
        return 0;
    error = inode_buffer(fs, number, &buffer);
    if (error)
        return error;
    spin_acquire(&fs->inodes_lock);
    *inode = found = find_locked(fs, number); /* somebody may have been faster */
    if (!found)
        error = load_locked(fs, number, buffer, inode);
    spin_release(&fs->inodes_lock);
    if (found || error)
        buffer_put(buffer);
    return error;
}

int disk_inode_create(struct diskfs *fs, enum inode_type type, u32 permissions, u32 parent,
                      struct disk_inode **inode)
{
    struct diskfs_inode disk = {
        .mode = (type == INODE_DIRECTORY ? S_IFDIR : S_IFREG) | permissions,
        .links = type == INODE_DIRECTORY ? 2 : 1, /* its name, and its own "." */
        .modified_ns = (i64)timer_wall_ns(),
        .parent = parent,
    };
    struct disk_inode *made = make(fs, 0, &disk);
    u32 number;
    int error;

    if (!made)
        return -ENOMEM;
    error = inode_allocate(fs, &disk, &number, &made->buffer);
    if (error) {
        kfree(made);
        return error;
    }
    made->inode.number = number;
    spin_acquire(&fs->inodes_lock);
    list_push_front(&fs->inodes, &made->node);
    spin_release(&fs->inodes_lock);
    *inode = made;
    return 0;
}

int disk_inode_begin(struct disk_inode *inode)
{
    int error = journal_begin(inode->fs);

    if (!error)
        mutex_lock(&inode->map_lock);
    return error;
}

void disk_inode_end(struct disk_inode *inode)
{
    disk_inode_store_locked(inode);
    mutex_unlock(&inode->map_lock);
    journal_end(inode->fs);
}

void disk_inode_store_locked(struct disk_inode *inode)
{
    journal_add(inode->fs, inode->buffer);
    inode->disk.modified_ns = READ_ONCE(inode->inode.modified_ns);
    *inode_in(inode->buffer, (u32)inode->inode.number) = inode->disk;
}

static void set_links_locked(struct disk_inode *inode, u32 links)
{
    inode->disk.links = links;
    WRITE_ONCE(inode->inode.links, links);
    disk_inode_store_locked(inode);
}

int disk_inode_link(struct disk_inode *inode, int names)
{
    i64 links;
    int error;

    MUTEX_GUARD(&inode->map_lock);
    links = max((i64)inode->disk.links + names, (i64)0);
    if (links > DISKFS_LINKS_MAX)
        return -EMLINK;
    error = links == 0 ? orphan_add(inode->fs, (u32)inode->inode.number) : 0;
    if (!error)
        set_links_locked(inode, (u32)links);
    return error;
}

void disk_inode_count_child(struct disk_inode *directory, int change)
{
    MUTEX_GUARD(&directory->map_lock);
    set_links_locked(directory, (u32)max((i64)directory->disk.links + change, (i64)1));
}

/* ---- the end -----------------------------------------------------------------------------------
 */

/* An inode without names and references: its blocks and its place are free. What fails is left to
   the next mount or to fsck. */
static void finish(struct disk_inode *inode)
{
    u32 number = (u32)inode->inode.number;
    int error = disk_inode_begin(inode);

    if (!error) {
        error = map_cut(inode, 0);
        disk_inode_store_locked(inode);
        if (!error) {
            inode_free(inode->fs, number, inode->buffer);
            orphan_remove(inode->fs, number);
        }
        mutex_unlock(&inode->map_lock);
        journal_end(inode->fs);
    }
    if (error)
        printk("%s: inode %u could not be freed (error %d)\n", inode->fs->device->name, number,
               -error);
}

/* Writes to a file move its time in memory only: bring it to the disk. */
static int store_time(struct disk_inode *inode)
{
    int error = 0;

    if (inode->disk.modified_ns != READ_ONCE(inode->inode.modified_ns)) {
        error = disk_inode_begin(inode);
        if (!error)
            disk_inode_end(inode);
    }
    return error;
}

void disk_inode_release(struct inode *released)
{
    struct disk_inode *inode = disk_inode_of(released);

    if (inode->disk.links > 0)
        (void)store_time(inode); /* a time is no reason to fail */
    take_off_list(inode);
    if (inode->disk.links == 0)
        finish(inode);
    buffer_put(inode->buffer);
    kfree(inode);
}

int disk_inode_sync(struct inode *inode)
{
    int error = store_time(disk_inode_of(inode));

    return error ? error : journal_commit(disk_inode_of(inode)->fs);
}

int disk_inode_finish(struct diskfs *fs, u32 number)
{
    struct disk_inode *inode;
    int error = disk_inode_get(fs, number, &inode);

    if (error)
        return error;
    if (inode->disk.links > 0) { /* it has a name: no orphan after all */
        error = disk_inode_begin(inode);
        if (!error) {
            orphan_remove(fs, number);
            disk_inode_end(inode);
        }
    }
    inode_put(&inode->inode); /* without names: finished by this */
    return error;
}
