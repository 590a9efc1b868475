/* SPDX-License-Identifier: MIT */
/* Setting up the file systems while the kernel starts. */
#include "kernel/fs/fs.h"

#include "frank/errno.h"
#include "kernel/diskfs/diskfs.h"
#include "kernel/fs/device.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/path.h"

static int sync_disk(void *fs)
{
    return diskfs_sync(fs);
}

int fs_init(const char *name)
{
    struct block_device *device = block_find(name);
    struct inode *root, *covered;
    struct diskfs *fs;
    int error = device ? diskfs_mount(device, &fs, &root) : -ENOENT;

    if (!error)
        error = mount_add(NULL, root, (struct mount_sync){sync_disk, fs});
    if (error)
        return error;
    path_set_root(root);
    error = root->directory->lookup(root, "dev", &covered);
    return error ? error : mount_add(covered, device_directory(), (struct mount_sync){NULL, NULL});
}
