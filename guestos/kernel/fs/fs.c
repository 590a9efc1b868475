/* SPDX-License-Identifier: MIT */
/* Setting up the file systems while the kernel starts. */
#include "kernel/fs/fs.h"

#include "frank/errno.h"
#include "kernel/diskfs/diskfs.h"
#include "kernel/fs/device.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/path.h"
#include "kernel/fs/ramfs.h"

/* Cover the root's "dev" by the devices. */
static int mount_devices(struct inode *root)
{
    struct inode *covered, *devices;
    int error = root->directory->lookup(root, "dev", &covered);

    if (error)
        return error;
    devices = ramfs_create_root();
    error = devices ? device_add_names(devices) : -ENOMEM;
    return error ? error : mount_add(covered, devices, (struct mount_sync){NULL, NULL});
}

static int set_root(struct inode *root, struct mount_sync sync)
{
    int error = mount_add(NULL, root, sync);

    if (!error) {
        path_set_root(root);
        error = mount_devices(root);
    }
    return error;
}

int fs_init(void)
{
    struct inode *root = ramfs_create_root();
    struct inode *dev;
    int error;

    if (!root)
        return -ENOMEM;
    error = root->directory->create(root, "dev", INODE_DIRECTORY, 0755, &dev);
    if (error)
        return -ENOMEM;
    inode_put(dev);
    return set_root(root, (struct mount_sync){NULL, NULL});
}

static int sync_disk(void *fs)
{
    return diskfs_sync(fs);
}

int fs_init_disk(const char *name)
{
    struct block_device *device = block_find(name);
    struct diskfs *fs;
    struct inode *root;
    int error = device ? diskfs_mount(device, &fs, &root) : -ENOENT;

    return error ? error : set_root(root, (struct mount_sync){sync_disk, fs});
}
