/* SPDX-License-Identifier: MIT */
/*
 * Directories of the disk file system: what can be done with names.
 *
 * A directory's `lock` guards its entries. While it is held an entry's inode has that name, so its
 * number stays its own. A directory's parent changes under rename_lock and its map_lock.
 */
#include "kernel/diskfs/entries.h"
#include "kernel/timer.h"
#include "string.h"

/* ---- finding and listing -----------------------------------------------------------------------
 */

static bool is_removed(const struct inode *inode)
{
    return READ_ONCE(inode->links) == 0;
}

static int lookup_parent(struct disk_inode *directory, struct disk_inode **found)
{
    MUTEX_GUARD(&directory->fs->rename_lock);
    if (is_removed(&directory->inode))
        return -ENOENT;
    return disk_inode_get(directory->fs, directory->disk.parent, found);
}

/* Walk on to the entry of a name, and its inode with a reference. The directory is locked, and no
   handle is active: the inode may have to be waited for. */
static int find_inode(struct walk *walk, const char *name, struct disk_inode **inode)
{
    int error = walk_find(walk, name);

    if (!error && walk->entry->inode == walk->directory->inode.number)
        error = -EIO; /* it would be locked twice */
    return error ? error : disk_inode_get(walk->directory->fs, walk->entry->inode, inode);
}

static int lookup_name(struct disk_inode *directory, const char *name, struct disk_inode **found)
{
    struct walk walk WALK_REF = {.directory = directory};

    MUTEX_GUARD(&directory->inode.lock);
    return find_inode(&walk, name, found);
}

static int diskfs_lookup(struct inode *inode, const char *name, struct inode **found)
{
    struct disk_inode *directory = disk_inode_of(inode), *target;
    int error = strcmp(name, "..") == 0 ? lookup_parent(directory, &target)
                                        : lookup_name(directory, name, &target);

    if (!error)
        *found = &target->inode;
    return error;
}

static void report(const struct diskfs_entry *from, struct frank_dirent *to)
{
    to->inode = from->inode;
    to->mode = from->is_directory ? INODE_DIRECTORY : INODE_REGULAR;
    memcpy(to->name, from->name, from->name_bytes);
    to->name[from->name_bytes] = '\0';
}

static int diskfs_read_entry(struct inode *inode, u64 *cursor, struct frank_dirent *entry)
{
    struct walk walk WALK_REF = {
        .directory = disk_inode_of(inode),
        .next = ALIGN_DOWN(*cursor, DISKFS_BLOCK_BYTES),
    };
    int found;

    MUTEX_GUARD(&inode->lock);
    do {
        found = walk_next(&walk);
    } while (found == 1 && (walk.offset < *cursor || walk.entry->inode == 0));
    if (found == 1) {
        report(walk.entry, entry);
        *cursor = walk.next;
    }
    return found;
}

/* ---- making names ------------------------------------------------------------------------------
 */

static bool is_directory(const struct disk_inode *inode)
{
    return inode->inode.type == INODE_DIRECTORY;
}

/* In a handle. */
static int create_in_handle(struct disk_inode *directory, const char *name, enum inode_type type,
                            u32 permissions, struct disk_inode **created)
{
    u32 parent = type == INODE_DIRECTORY ? (u32)directory->inode.number : 0;
    struct room room;
    int error = room_make(&room, directory, name);

    if (error)
        return error;
    error = disk_inode_create(directory->fs, type, permissions, parent, created);
    if (error) {
        room_leave(&room);
        return error;
    }
    room_fill(&room, directory, name, &(*created)->inode);
    if (parent)
        disk_inode_count_child(directory, 1);
    return 0;
}

static int diskfs_create(struct inode *inode, const char *name, enum inode_type type,
                         u32 permissions, struct inode **created)
{
    struct disk_inode *directory = disk_inode_of(inode), *fresh;
    int error;

    MUTEX_GUARD(&inode->lock);
    if (is_removed(inode))
        return -ENOENT;
    if (type == INODE_DIRECTORY && inode->links >= DISKFS_LINKS_MAX)
        return -EMLINK;
    error = journal_begin(directory->fs);
    if (error)
        return error;
    error = create_in_handle(directory, name, type, permissions, &fresh);
    journal_end(directory->fs);
    if (!error)
        *created = &fresh->inode;
    return error;
}

/* In a handle: one more name for what is no directory. */
static int add_name(struct disk_inode *directory, const char *name, struct disk_inode *target)
{
    struct room room;
    int error = room_make(&room, directory, name);

    if (error)
        return error;
    error = disk_inode_link(target, 1);
    if (error)
        room_leave(&room);
    else
        room_fill(&room, directory, name, &target->inode);
    return error;
}

static int diskfs_link(struct inode *inode, const char *name, struct inode *target)
{
    struct disk_inode *directory = disk_inode_of(inode);
    int error;

    if (target->ops != &diskfs_file_ops || disk_inode_of(target)->fs != directory->fs)
        return -EXDEV;
    MUTEX_GUARD(&inode->lock);
    if (is_removed(inode) || is_removed(target))
        return -ENOENT;
    error = journal_begin(directory->fs);
    if (error)
        return error;
    error = add_name(directory, name, disk_inode_of(target));
    journal_end(directory->fs);
    return error;
}

/* ---- taking names away -------------------------------------------------------------------------
 */

/* Whether a directory, which is locked, has no names: 0, or -ENOTEMPTY, -EIO, -ENOMEM. */
static int check_empty(struct disk_inode *directory)
{
    struct walk walk WALK_REF = {.directory = directory};
    int found;

    do {
        found = walk_next(&walk);
    } while (found == 1 && walk.entry->inode == 0);
    return found == 1 ? -ENOTEMPTY : found;
}

/* Lock what is to lose its name if it is a directory, and say whether it may. An error leaves it
   unlocked. Its directory is locked. */
static int lock_for_removal(struct disk_inode *inode, bool as_directory)
{
    int error;

    if (!is_directory(inode))
        return as_directory ? -ENOTDIR : 0;
    if (!as_directory)
        return -EISDIR;
    mutex_lock(&inode->inode.lock);
    error = check_empty(inode);
    if (error)
        mutex_unlock(&inode->inode.lock);
    return error;
}

static void unlock_after_removal(struct disk_inode *inode)
{
    if (is_directory(inode))
        mutex_unlock(&inode->inode.lock);
}

/* In a handle: `inode` loses its name in `directory`, or for a directory all that it has. */
static int drop_name(struct disk_inode *directory, struct disk_inode *inode)
{
    int error = disk_inode_link(inode, is_directory(inode) ? -2 : -1);

    if (!error && is_directory(inode))
        disk_inode_count_child(directory, -1);
    return error;
}

/* The directory is locked, and `inode` by lock_for_removal(). */
static int remove_entry(struct disk_inode *directory, struct walk *walk, struct disk_inode *inode)
{
    int error = journal_begin(directory->fs);

    if (error)
        return error;
    error = drop_name(directory, inode);
    if (!error)
        walk_clear(walk);
    journal_end(directory->fs);
    return error;
}

static int unlink_locked(struct disk_inode *directory, const char *name, bool as_directory,
                         struct disk_inode **removed)
{
    struct walk walk WALK_REF = {.directory = directory};
    int error = find_inode(&walk, name, removed);

    if (!error)
        error = lock_for_removal(*removed, as_directory);
    if (error)
        return error;
    error = remove_entry(directory, &walk, *removed);
    unlock_after_removal(*removed);
    return error;
}

static int diskfs_unlink(struct inode *inode, const char *name, bool as_directory)
{
    struct disk_inode *directory = disk_inode_of(inode), *removed = NULL;
    int error;

    if (as_directory)
        mutex_lock(&directory->fs->rename_lock);
    mutex_lock(&inode->lock);
    error = unlink_locked(directory, name, as_directory, &removed);
    mutex_unlock(&inode->lock);
    if (as_directory)
        mutex_unlock(&directory->fs->rename_lock);
    if (removed)
        inode_put(&removed->inode);
    return error;
}

/* ---- renaming ----------------------------------------------------------------------------------
 */

/* Two names, the old and the new one, and what they name. Held under rename_lock. */
struct rename {
    struct disk_inode *from, *to;
    const char *name, *new_name;
    struct walk walk, new_walk;
    struct disk_inode *moved, *old; /* with references; `old` NULL: the new name is not there */
};

/* Whether a directory is `above` or lies below it: 1, 0, or -EIO, -ENOMEM. rename_lock is held. */
static int is_within(struct disk_inode *inode, const struct disk_inode *above)
{
    struct diskfs *fs = inode->fs;
    u32 number = (u32)inode->inode.number;
    u32 steps = fs->super.inode_blocks * DISKFS_INODES_PER_BLOCK; /* there are no more */

    while (number != above->inode.number && number != DISKFS_ROOT) {
        struct disk_inode *here;
        int error = steps-- > 0 ? disk_inode_get(fs, number, &here) : -EIO;

        if (error)
            return error;
        number = here->disk.parent;
        inode_put(&here->inode);
    }
    return number == above->inode.number;
}

/* Find both names. Both directories are locked. */
static int rename_find(struct rename *rename)
{
    int error = find_inode(&rename->walk, rename->name, &rename->moved);

    if (error)
        return error;
    error = find_inode(&rename->new_walk, rename->new_name, &rename->old);
    return error == -ENOENT ? 0 : error;
}

/* Whether it may be done at all. An old directory is locked then. */
static int rename_check(struct rename *rename)
{
    int within;

    if (is_removed(&rename->to->inode))
        return -ENOENT;
    if (is_directory(rename->moved)) {
        within = is_within(rename->to, rename->moved);
        if (within != 0)
            return within < 0 ? within : -EINVAL;
        if (rename->to->disk.links >= DISKFS_LINKS_MAX && rename->to != rename->from)
            return -EMLINK;
    }
    if (!rename->old)
        return 0;
    if (is_directory(rename->moved) && is_directory(rename->old)) {
        within = is_within(rename->from, rename->old);
        if (within != 0)
            return within < 0 ? within : -ENOTEMPTY;
    }
    return lock_for_removal(rename->old, is_directory(rename->moved));
}

/* In a handle: the new name names what is moved. */
static int rename_set(struct rename *rename)
{
    int error;

    if (!rename->old) {
        struct room room;

        error = room_make(&room, rename->to, rename->new_name);
        if (!error)
            room_fill(&room, rename->to, rename->new_name, &rename->moved->inode);
        return error;
    }
    error = drop_name(rename->to, rename->old);
    if (error)
        return error;
    journal_add(rename->to->fs, rename->new_walk.buffer);
    rename->new_walk.entry->inode = (u32)rename->moved->inode.number;
    WRITE_ONCE(rename->to->inode.modified_ns, timer_wall_ns());
    return 0;
}

/* In a handle: a directory has come from one parent to another. */
static void change_parent(struct disk_inode *moved, struct disk_inode *from, struct disk_inode *to)
{
    mutex_lock(&moved->map_lock);
    moved->disk.parent = (u32)to->inode.number;
    disk_inode_store_locked(moved);
    mutex_unlock(&moved->map_lock);
    disk_inode_count_child(from, -1);
    disk_inode_count_child(to, 1);
}

static int rename_in_handle(struct rename *rename)
{
    int error = journal_begin(rename->from->fs);

    if (error)
        return error;
    error = rename_set(rename);
    if (!error) {
        walk_clear(&rename->walk);
        if (is_directory(rename->moved) && rename->from != rename->to)
            change_parent(rename->moved, rename->from, rename->to);
    }
    journal_end(rename->from->fs);
    return error;
}

static int rename_locked(struct rename *rename)
{
    int error = rename_find(rename);

    if (!error && rename->moved != rename->old) {
        error = rename_check(rename);
        if (!error) {
            error = rename_in_handle(rename);
            if (rename->old)
                unlock_after_removal(rename->old);
        }
    }
    walk_end(&rename->walk);
    walk_end(&rename->new_walk);
    return error;
}

/* Who locks two directories holds rename_lock, so that their order does not matter. */
static int diskfs_rename(struct inode *from, const char *name, struct inode *to,
                         const char *new_name)
{
    struct rename rename = {
        .from = disk_inode_of(from),
        .to = disk_inode_of(to),
        .name = name,
        .new_name = new_name,
        .walk.directory = disk_inode_of(from),
        .new_walk.directory = disk_inode_of(to),
    };
    int error;

    if (rename.from->fs != rename.to->fs)
        return -EXDEV;
    mutex_lock(&rename.from->fs->rename_lock);
    mutex_lock(&from->lock);
    if (from != to)
        mutex_lock(&to->lock);
    error = rename_locked(&rename);
    if (from != to)
        mutex_unlock(&to->lock);
    mutex_unlock(&from->lock);
    mutex_unlock(&rename.from->fs->rename_lock);
    if (rename.moved)
        inode_put(&rename.moved->inode);
    if (rename.old)
        inode_put(&rename.old->inode);
    return error;
}

const struct inode_ops diskfs_directory_inode_ops = {
    .sync = disk_inode_sync,
    .release = disk_inode_release,
};

const struct directory_ops diskfs_directory_ops = {
    .lookup = diskfs_lookup,
    .create = diskfs_create,
    .link = diskfs_link,
    .rename = diskfs_rename,
    .unlink = diskfs_unlink,
    .read_entry = diskfs_read_entry,
};
