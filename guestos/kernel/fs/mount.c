/* SPDX-License-Identifier: MIT */
/* The table of mounts, which only grows, while one thread runs. */
#include "kernel/fs/mount.h"

#include "frank/errno.h"
#include "string.h"

enum mount_limits {
    MOUNTS_MAX = 8,
};

struct mount {
    struct inode *covered; /* NULL: the root of all */
    struct inode *root;
    struct mount_sync sync;
};

static struct mount mounts[MOUNTS_MAX];
static u32 mount_count;

int mount_add(struct inode *covered, struct inode *root, struct mount_sync sync)
{
    if (mount_count == MOUNTS_MAX)
        return -ENOSPC;
    mounts[mount_count] = (struct mount){covered, root, sync};
    __atomic_store_n(&mount_count, mount_count + 1, __ATOMIC_RELEASE);
    return 0;
}

/* The root that covers an inode, or NULL. */
static struct inode *covering(const struct inode *inode)
{
    for (u32 i = 0; i < mount_count; i++) {
        if (mounts[i].covered == inode)
            return mounts[i].root;
    }
    return NULL;
}

struct inode *mount_leave(struct inode *inode)
{
    for (u32 i = 0; i < mount_count; i++) {
        struct inode *covered = mounts[i].root == inode ? mounts[i].covered : NULL;

        if (covered) {
            inode_get(covered);
            inode_put(inode);
            return covered;
        }
    }
    return inode;
}

int mount_lookup(struct inode *directory, const char *name, struct inode **inode)
{
    struct inode *from = inode_get(directory), *root;
    int error;

    if (strcmp(name, "..") == 0)
        from = mount_leave(from);
    error = from->directory->lookup(from, name, inode);
    inode_put(from);
    root = error ? NULL : covering(*inode);
    if (root) {
        inode_put(*inode);
        *inode = inode_get(root);
    }
    return error;
}

bool mount_covers(struct inode *directory, const char *name)
{
    struct inode *inode;
    bool covers;

    if (directory->directory->lookup(directory, name, &inode) != 0)
        return false;
    covers = covering(inode) != NULL;
    inode_put(inode);
    return covers;
}

int mount_sync_all(void)
{
    int result = 0;

    for (u32 i = 0; i < mount_count; i++) {
        const struct mount_sync *sync = &mounts[i].sync;
        int error = sync->sync ? sync->sync(sync->context) : 0;

        result = result ? result : error;
    }
    return result;
}
