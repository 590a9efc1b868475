/* SPDX-License-Identifier: MIT */
/* Setting up the file system while the kernel starts. */
#include "kernel/fs/fs.h"

#include "frank/errno.h"
#include "kernel/fs/device.h"
#include "kernel/fs/path.h"
#include "kernel/fs/ramfs.h"

int fs_init(void)
{
    struct inode *root = ramfs_create_root();
    struct inode *dev;
    int error;

    if (!root)
        return -ENOMEM;
    path_set_root(root);
    error = root->directory->create(root, "dev", INODE_DIRECTORY, 0755, &dev);
    if (error)
        return -ENOMEM;
    error = device_add_names(dev);
    inode_put(dev);
    return error;
}
