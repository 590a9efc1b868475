/* SPDX-License-Identifier: MIT */
/*
 * Device inodes. They are permanent: their first reference is never given back. A device with a
 * file of its own (the terminal) brings its operations from there and is one row of the table.
 */
#include "kernel/fs/device.h"

#include "frank/errno.h"
#include "kernel/fs/ramfs.h"
#include "kernel/tty.h"

enum device_number {
    DEVICE_NULL = 0x103,
    DEVICE_ZERO = 0x105,
    DEVICE_CONSOLE = 0x501,
};

static ssize_t null_read(struct inode *inode, struct uio *uio, u64 *offset)
{
    (void)inode, (void)uio, (void)offset;
    return 0;
}

static ssize_t null_write(struct inode *inode, struct uio *uio, u64 *offset)
{
    (void)inode, (void)offset;
    return (ssize_t)uio->left_bytes;
}

static int null_truncate(struct inode *inode, u64 size)
{
    (void)inode, (void)size;
    return 0;
}

static ssize_t zero_read(struct inode *inode, struct uio *uio, u64 *offset)
{
    ssize_t done = 0;

    (void)inode, (void)offset;
    while (uio->left_bytes > 0) {
        size_t chunk = min(uio->left_bytes, (size_t)PAGE_SIZE);
        int error = uio_put_zeros(uio, chunk);

        if (error)
            return done ? done : error;
        done += (ssize_t)chunk;
    }
    return done;
}

static const struct inode_ops null_ops = {
    .read = null_read,
    .write = null_write,
    .truncate = null_truncate,
};

static const struct inode_ops zero_ops = {
    .read = zero_read,
    .write = null_write,
    .truncate = null_truncate,
};

struct device {
    const char *name;
    enum device_number number;
    u32 permissions;
    const struct inode_ops *ops;
    struct inode inode;
};

static struct device devices[] = {
    {.name = "console", .number = DEVICE_CONSOLE, .permissions = 0600, .ops = &tty_inode_ops},
    {.name = "null", .number = DEVICE_NULL, .permissions = 0666, .ops = &null_ops},
    {.name = "zero", .number = DEVICE_ZERO, .permissions = 0666, .ops = &zero_ops},
};

int device_add_names(struct inode *directory)
{
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        struct device *device = &devices[i];
        int error;

        inode_init(&device->inode, INODE_DEVICE, device->permissions, device->ops, NULL);
        device->inode.device = device->number;
        error = ramfs_link(directory, device->name, &device->inode);
        if (error)
            return error;
    }
    return 0;
}
