/* SPDX-License-Identifier: MIT */
/*
 * Device inodes and the directory of their names, which is what the table says. They are permanent:
 * their first reference is never given back. A device with a file of its own (the terminal) brings
 * its operations from there and is one row of the table.
 */
#include "kernel/fs/device.h"

#include "kernel/fs/path.h"
#include "kernel/tty.h"
#include "kernel/uaccess.h"
#include "string.h"

enum device_number {
    DEVICE_NULL = 0x103,
    DEVICE_ZERO = 0x105,
    DEVICE_CONSOLE = 0x501,
};

static ssize_t null_read(struct inode *inode, uva_t to, size_t size, u64 *offset)
{
    (void)inode, (void)to, (void)size, (void)offset;
    return 0;
}

static ssize_t null_write(struct inode *inode, uva_t from, size_t size, u64 *offset)
{
    (void)inode, (void)from, (void)offset;
    return (ssize_t)size;
}

static ssize_t zero_read(struct inode *inode, uva_t to, size_t size, u64 *offset)
{
    int error = zero_user(to, size);

    (void)inode, (void)offset;
    return error ? error : (ssize_t)size;
}

static const struct inode_ops null_ops = {
    .read = null_read,
    .write = null_write,
};

static const struct inode_ops zero_ops = {
    .read = zero_read,
    .write = null_write,
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
    if (strcmp(name, "..") == 0) {
        *found = path_root();
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        if (strcmp(devices[i].name, name) == 0) {
            *found = inode_get(&devices[i].inode);
            return 0;
        }
    }
    return -ENOENT;
}

static int device_read_entry(struct inode *inode, u64 *cursor, struct frank_dirent *entry)
{
    const struct device *device = &devices[*cursor];

    (void)inode;
    if (*cursor >= ARRAY_SIZE(devices))
        return 0;
    entry->inode = device->inode.number;
    entry->mode = INODE_DEVICE;
    strlcpy(entry->name, device->name, sizeof(entry->name));
    *cursor += 1;
    return 1;
}

static const struct directory_ops directory_ops = {
    .lookup = device_lookup,
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
