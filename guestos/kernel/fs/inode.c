/* SPDX-License-Identifier: MIT */
/* Inodes and their references. See inode.h. */
#include "kernel/fs/inode.h"

#include "kernel/timer.h"

static u64 last_number; /* atomic: the number of the newest inode */

void inode_init(struct inode *inode, enum inode_type type, u32 permissions,
                const struct inode_ops *ops, const struct directory_ops *directory)
{
    *inode = (struct inode){
        .ops = ops,
        .directory = directory,
        .type = type,
        .permissions = permissions,
        .number = __atomic_add_fetch(&last_number, 1, __ATOMIC_RELAXED),
        .refs = 1,
        .modified_ns = (i64)timer_wall_ns(),
    };
    mutex_init(&inode->lock, "inode");
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
