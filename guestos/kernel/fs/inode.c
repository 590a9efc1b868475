/* SPDX-License-Identifier: MIT */
/* Inodes: references, and the operations with their errors for those that an inode lacks. */
#include "kernel/fs/inode.h"

#include "frank/errno.h"

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
    inode->refs = 1;
    inode->links = 0;
    mutex_init(&inode->lock, "inode");
    inode->size = 0;
    inode->modified_ticks = 0;
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

ssize_t inode_read(struct inode *inode, struct uio *uio, u64 *offset)
{
    if (inode->type == INODE_DIRECTORY)
        return -EISDIR;
    if (!inode->ops->read)
        return -EINVAL;
    return inode->ops->read(inode, uio, offset);
}

ssize_t inode_write(struct inode *inode, struct uio *uio, u64 *offset)
{
    if (!inode->ops->write)
        return -EINVAL;
    return inode->ops->write(inode, uio, offset);
}

int inode_get_page(struct inode *inode, u64 index, pa_t *page)
{
    if (!inode->ops->get_page)
        return -ENODEV;
    return inode->ops->get_page(inode, index, page);
}

int inode_get_shared_page(struct inode *inode, u64 index, pa_t *page)
{
    if (!inode->ops->get_shared_page)
        return -ENODEV;
    return inode->ops->get_shared_page(inode, index, page);
}

int inode_truncate(struct inode *inode, u64 size)
{
    if (inode->type == INODE_DIRECTORY)
        return -EISDIR;
    if (!inode->ops->truncate)
        return -EINVAL;
    return inode->ops->truncate(inode, size);
}

int inode_sync(struct inode *inode)
{
    return inode->ops->sync ? inode->ops->sync(inode) : 0;
}

int inode_control(struct inode *inode, u64 request, u64 argument)
{
    if (!inode->ops->control)
        return -ENOTTY;
    return inode->ops->control(inode, request, argument);
}

ssize_t inode_read_kernel(struct inode *inode, void *buffer, size_t size, u64 offset)
{
    struct uio uio;

    uio_init_kernel(&uio, buffer, size);
    return inode_read(inode, &uio, &offset);
}

bool inode_is_seekable(const struct inode *inode)
{
    return inode->type == INODE_REGULAR || inode->type == INODE_DIRECTORY;
}
