/* SPDX-License-Identifier: MIT */
/*
 * Device inodes and the directory of their names, which is what the table says. They are permanent:
 * their first reference is never given back. A device with a file of its own (the terminal) brings
 * its operations from there and is one row of the table.
 */
#include "kernel/fs/device.h"

#include "frank/errno.h"
#include "kernel/tty.h"
#include "string.h"

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

static const struct inode_ops directory_inode_ops;
static struct inode directory;

static int device_lookup(struct inode *inode, const char *name, struct inode **found)
{
    (void)inode;
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        if (strcmp(devices[i].name, name) == 0) {
            *found = inode_get(&devices[i].inode);
            return 0;
        }
    }
    return -ENOENT;
}

static int device_create(struct inode *inode, const char *name, enum inode_type type,
                         u32 permissions, struct inode **created)
{
    (void)inode, (void)name, (void)type, (void)permissions, (void)created;
    return -EPERM;
}

static int device_link(struct inode *inode, const char *name, struct inode *target)
{
    (void)inode, (void)name, (void)target;
    return -EPERM;
}

static int device_unlink(struct inode *inode, const char *name, bool is_directory)
{
    (void)inode, (void)name, (void)is_directory;
    return -EPERM;
}

static int device_read_entry(struct inode *inode, u64 *cursor, struct directory_entry *entry)
{
    const struct device *device = &devices[*cursor];

    (void)inode;
    if (*cursor >= ARRAY_SIZE(devices))
        return 0;
    entry->number = device->inode.number;
    entry->type = INODE_DEVICE;
    strlcpy(entry->name, device->name, sizeof(entry->name));
    *cursor += 1;
    return 1;
}

static const struct directory_ops directory_ops = {
    .lookup = device_lookup,
    .create = device_create,
    .link = device_link,
    .unlink = device_unlink,
    .read_entry = device_read_entry,
};

struct inode *device_directory(void)
{
    inode_init(&directory, INODE_DIRECTORY, 0755, &directory_inode_ops, &directory_ops);
    directory.links = 2; /* its name, and its own "." */
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        struct device *device = &devices[i];

        inode_init(&device->inode, INODE_DEVICE, device->permissions, device->ops, NULL);
        device->inode.device = device->number;
        device->inode.links = 1;
    }
    return &directory;
}
