/* SPDX-License-Identifier: MIT */
/*
 * Directories of the RAM file system.
 *
 * A directory is a list of names in the order of their making; each name holds a reference to its
 * inode and a sequence number, which is the cursor of read_entry: it never changes, so a reader
 * misses nothing and sees nothing twice while other names come and go. The inode's mutex guards
 * the list. `parent` is a plain pointer: a directory with a name is kept by its parent's entry, and
 * its parent cannot go away while that entry exists; removing the name clears the pointer. It
 * changes under tree_lock and the directory's own lock.
 */
#include "frank/errno.h"
#include "kernel/fs/ramfs.h"
#include "kernel/fs/ramfs_internal.h"
#include "kernel/kmalloc.h"
#include "list.h"
#include "platform.h"
#include "string.h"

struct ramfs_name {
    struct list_node node;
    struct inode *inode; /* holds a reference */
    u64 sequence;
    char text[]; /* with its NUL */
};

struct ramfs_directory {
    struct inode inode;
    /* Under inode.lock: */
    struct list_node names; /* of struct ramfs_name, by rising sequence */
    u64 last_sequence;
    struct inode *parent; /* itself for the root; NULL once the directory is removed */
};

/* Held by whatever moves or removes a directory: while it is, no directory's parent changes. */
static struct mutex tree_lock;

static const struct inode_ops ramfs_directory_inode_ops;
static const struct directory_ops ramfs_directory_ops;

static struct ramfs_directory *directory_of(struct inode *inode)
{
    return container_of(inode, struct ramfs_directory, inode);
}

static struct ramfs_name *find_name(struct ramfs_directory *directory, const char *text)
{
    struct ramfs_name *name;

    list_for_each (name, &directory->names, node) {
        if (strcmp(name->text, text) == 0)
            return name;
    }
    return NULL;
}

static int ramfs_lookup(struct inode *inode, const char *text, struct inode **found)
{
    struct ramfs_directory *directory = directory_of(inode);
    struct inode *target;

    mutex_lock(&inode->lock);
    if (strcmp(text, "..") == 0) {
        target = directory->parent;
    } else {
        struct ramfs_name *name = find_name(directory, text);
        target = name ? name->inode : NULL;
    }
    if (target)
        *found = inode_get(target);
    mutex_unlock(&inode->lock);
    return target ? 0 : -ENOENT;
}

/* Add a name with a reference of its own. The lock is held. */
static int add_name_locked(struct ramfs_directory *directory, const char *text, struct inode *inode)
{
    size_t size = strlen(text) + 1;
    struct ramfs_name *name;

    if (!directory->parent)
        return -ENOENT;
    if (find_name(directory, text))
        return -EEXIST;
    name = kmalloc(sizeof(*name) + size);
    if (!name)
        return -ENOSPC;
    memcpy(name->text, text, size);
    name->inode = inode_get(inode);
    name->sequence = ++directory->last_sequence;
    list_push_back(&directory->names, &name->node);
    __atomic_add_fetch(&inode->links, 1, __ATOMIC_RELAXED);
    directory->inode.modified_ticks = plat_time_now();
    return 0;
}

int ramfs_link(struct inode *inode, const char *name, struct inode *target)
{
    int error;

    mutex_lock(&inode->lock);
    error = add_name_locked(directory_of(inode), name, target);
    mutex_unlock(&inode->lock);
    return error;
}

static struct inode *create_directory(struct inode *parent, u32 permissions)
{
    struct ramfs_directory *directory = kzalloc(sizeof(*directory));

    if (!directory)
        return NULL;
    inode_init(&directory->inode, INODE_DIRECTORY, permissions, &ramfs_directory_inode_ops,
               &ramfs_directory_ops);
    list_init(&directory->names);
    directory->parent = parent ? parent : &directory->inode;
    directory->inode.links = 1; /* its own "." */
    directory->inode.modified_ticks = plat_time_now();
    return &directory->inode;
}

struct inode *ramfs_create_root(void)
{
    mutex_init(&tree_lock, "ramfs tree");
    return create_directory(NULL, 0755);
}

static int ramfs_create(struct inode *inode, const char *name, enum inode_type type,
                        u32 permissions, struct inode **created)
{
    struct inode *fresh = type == INODE_DIRECTORY ? create_directory(inode, permissions)
                                                  : ramfs_create_file(permissions);
    int error;

    if (!fresh)
        return -ENOSPC;
    mutex_lock(&inode->lock);
    error = add_name_locked(directory_of(inode), name, fresh);
    if (!error && type == INODE_DIRECTORY)
        __atomic_add_fetch(&inode->links, 1, __ATOMIC_RELAXED); /* the child's ".." */
    mutex_unlock(&inode->lock);
    if (error) {
        inode_put(fresh);
        return error;
    }
    *created = fresh;
    return 0;
}

/* Cut an empty directory off from its parent, whose lock is held: no name can be added from now. */
static int detach_directory(struct inode *inode)
{
    struct ramfs_directory *directory = directory_of(inode);
    bool empty;

    mutex_lock(&inode->lock);
    empty = list_empty(&directory->names);
    if (empty)
        directory->parent = NULL;
    mutex_unlock(&inode->lock);
    return empty ? 0 : -ENOTEMPTY;
}

/* May the inode lose its name, by unlink or by rmdir? Its directory's lock is held. */
static int prepare_unlink(struct inode *parent, struct inode *inode, bool is_directory)
{
    int error;

    if (inode->type != INODE_DIRECTORY)
        return is_directory ? -ENOTDIR : 0;
    if (!is_directory)
        return -EISDIR;
    /* A directory of another kind that was linked here is a mount point. */
    if (inode->directory != &ramfs_directory_ops)
        return -EBUSY;
    error = detach_directory(inode);
    if (!error) {
        __atomic_sub_fetch(&inode->links, 1, __ATOMIC_RELAXED);
        __atomic_sub_fetch(&parent->links, 1, __ATOMIC_RELAXED);
    }
    return error;
}

/* Take a name off its directory, whose lock is held; free_name() is to follow without it. */
static void remove_name_locked(struct inode *inode, struct ramfs_name *name)
{
    list_remove(&name->node);
    __atomic_sub_fetch(&name->inode->links, 1, __ATOMIC_RELAXED);
    inode->modified_ticks = plat_time_now();
}

static void free_name(struct ramfs_name *name)
{
    inode_put(name->inode);
    kfree(name);
}

static int ramfs_unlink(struct inode *inode, const char *text, bool is_directory)
{
    struct ramfs_name *name;
    int error = -ENOENT;

    if (is_directory)
        mutex_lock(&tree_lock);
    mutex_lock(&inode->lock);
    name = find_name(directory_of(inode), text);
    if (name)
        error = prepare_unlink(inode, name->inode, is_directory);
    if (!error)
        remove_name_locked(inode, name);
    mutex_unlock(&inode->lock);
    if (is_directory)
        mutex_unlock(&tree_lock);
    if (!error)
        free_name(name);
    return error;
}

/* Whether a directory is `above` or lies below it. tree_lock is held. */
static bool is_within(struct inode *inode, const struct inode *above)
{
    while (inode && inode != above) {
        struct inode *parent = directory_of(inode)->parent;

        inode = parent != inode ? parent : NULL;
    }
    return inode != NULL;
}

/* Parents before children; unrelated directories by address. tree_lock is held. */
static void lock_both(struct inode *one, struct inode *other)
{
    bool one_first = is_within(other, one) || (!is_within(one, other) && one < other);

    mutex_lock(one_first ? &one->lock : &other->lock);
    if (one != other)
        mutex_lock(one_first ? &other->lock : &one->lock);
}

static void unlock_both(struct inode *one, struct inode *other)
{
    mutex_unlock(&one->lock);
    if (one != other)
        mutex_unlock(&other->lock);
}

/* May the inode behind `moved`, a name in `from`, become what `old` names in `to` (NULL: nothing)?
   An old directory has been cut off then. Everything is locked. */
static int prepare_rename(struct inode *from, struct inode *to, struct inode *moved,
                          struct inode *old)
{
    bool is_directory = moved->type == INODE_DIRECTORY;

    if (is_directory && moved->directory != &ramfs_directory_ops)
        return -EBUSY;
    if (!directory_of(to)->parent)
        return -ENOENT;
    if (is_directory && is_within(to, moved))
        return -EINVAL;
    if (!old)
        return 0;
    if (is_directory && old->directory == &ramfs_directory_ops && is_within(from, old))
        return -ENOTEMPTY;
    return prepare_unlink(to, old, is_directory);
}

/* A directory has come from one parent to another: its "..". */
static void change_parent(struct inode *inode, struct inode *from, struct inode *to)
{
    mutex_lock(&inode->lock);
    directory_of(inode)->parent = to;
    mutex_unlock(&inode->lock);
    __atomic_sub_fetch(&from->links, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&to->links, 1, __ATOMIC_RELAXED);
}

/* Everything is locked. Gives the name that is left over, which names what nothing names any more
   or what has its new name; NULL if nothing was to be done. */
static int rename_locked(struct inode *from, const char *text, struct inode *to,
                         const char *new_text, struct ramfs_name **left_over)
{
    struct ramfs_name *name = find_name(directory_of(from), text);
    struct ramfs_name *old = find_name(directory_of(to), new_text);
    struct inode *moved = name ? name->inode : NULL;
    int error;

    if (!name)
        return -ENOENT;
    if (old && old->inode == moved)
        return 0;
    error = prepare_rename(from, to, moved, old ? old->inode : NULL);
    if (!error && !old)
        error = add_name_locked(directory_of(to), new_text, moved);
    if (error)
        return error;
    if (old) { /* the two names change places, and then the one in `from` goes */
        name->inode = old->inode;
        old->inode = moved;
        to->modified_ticks = plat_time_now();
    }
    remove_name_locked(from, name);
    if (moved->type == INODE_DIRECTORY && from != to)
        change_parent(moved, from, to);
    *left_over = name;
    return 0;
}

static int ramfs_rename(struct inode *from, const char *text, struct inode *to,
                        const char *new_text)
{
    struct ramfs_name *left_over = NULL;
    int error;

    mutex_lock(&tree_lock);
    lock_both(from, to);
    error = rename_locked(from, text, to, new_text, &left_over);
    unlock_both(from, to);
    mutex_unlock(&tree_lock);
    if (left_over)
        free_name(left_over);
    return error;
}

static int ramfs_read_entry(struct inode *inode, u64 *cursor, struct directory_entry *entry)
{
    struct ramfs_name *name;
    int found = 0;

    mutex_lock(&inode->lock);
    list_for_each (name, &directory_of(inode)->names, node) {
        if (name->sequence <= *cursor)
            continue;
        *cursor = name->sequence;
        entry->number = name->inode->number;
        entry->type = name->inode->type;
        strlcpy(entry->name, name->text, sizeof(entry->name));
        found = 1;
        break;
    }
    mutex_unlock(&inode->lock);
    return found;
}

/* Nobody can find the directory any more and it is empty: the last name went before. */
static void ramfs_directory_release(struct inode *inode)
{
    kfree(directory_of(inode));
}

static const struct inode_ops ramfs_directory_inode_ops = {
    .release = ramfs_directory_release,
};

static const struct directory_ops ramfs_directory_ops = {
    .lookup = ramfs_lookup,
    .create = ramfs_create,
    .link = ramfs_link,
    .rename = ramfs_rename,
    .unlink = ramfs_unlink,
    .read_entry = ramfs_read_entry,
};
