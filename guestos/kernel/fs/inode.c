/* SPDX-License-Identifier: MIT */
/* Inodes and their references. See inode.h. */
#include "kernel/fs/inode.h"

#include "kernel/timer.h"

static u64 last_number; /* atomic: the number of the newest inode */

void inode_init(struct inode *inode, enum inode_type type, u32 permissions,
                const struct inode_ops *ops, const struct directory_ops *directory)
{
    inode->ops = ops;
    inode->directory = directory;
    inode->type = type;
    inode->permissions = permissions;
    inode->number = __atomic_add_fetch(&last_number, 1, __ATOMIC_RELAXED);
    inode->device = 0;
    inode->is_read_only = false;
    inode->refs = 1;
    inode->links = 0;
    mutex_init(&inode->lock, "inode");
    inode->size = 0;
    inode->modified_ns = (i64)timer_wall_ns();
}

struct inode *inode_get(struct inode *inode)
{
    __atomic_add_fetch(&inode->refs, 1, __ATOMIC_RELAXED);
    return inode;
}

void inode_put(struct inode *inode)
{
    if (!inode)
        return;
    if (__atomic_sub_fetch(&inode->refs, 1, __ATOMIC_ACQ_REL) == 0 && inode->ops->release)
        inode->ops->release(inode);
}
