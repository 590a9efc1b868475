/* SPDX-License-Identifier: MIT */
/*
 * Directories of the RAM file system.
 *
 * A directory is a list of names in the order of their making; each name holds a reference to its
 * inode and a sequence number, which is the cursor of read_entry: it never changes, so a reader
 * misses nothing and sees nothing twice while other names come and go. The inode's mutex guards
 * the list. `parent` is a plain pointer: a directory with a name is kept by its parent's entry, and
 * its parent cannot go away while that entry exists; removing the name clears the pointer.
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

static int ramfs_unlink(struct inode *inode, const char *text, bool is_directory)
{
    struct ramfs_directory *directory = directory_of(inode);
    struct ramfs_name *name;
    int error = -ENOENT;

    mutex_lock(&inode->lock);
    name = find_name(directory, text);
    if (name)
        error = prepare_unlink(inode, name->inode, is_directory);
    if (!error) {
        list_remove(&name->node);
        __atomic_sub_fetch(&name->inode->links, 1, __ATOMIC_RELAXED);
        inode->modified_ticks = plat_time_now();
    }
    mutex_unlock(&inode->lock);
    if (error)
        return error;
    inode_put(name->inode);
    kfree(name);
    return 0;
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
    .unlink = ramfs_unlink,
    .read_entry = ramfs_read_entry,
};
