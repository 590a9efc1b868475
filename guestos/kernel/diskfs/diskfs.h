/* SPDX-License-Identifier: MIT */
/* The disk file system, as the rest of the kernel sees it: mounted, it is inodes (kernel/fs). */
#ifndef FRANK_KERNEL_DISKFS_DISKFS_H
#define FRANK_KERNEL_DISKFS_DISKFS_H

#include "kernel/block/block.h"
#include "kernel/fs/inode.h"

struct diskfs;

/*
 * Mount a device, after what a stop of the machine left half done is undone or finished. The root
 * directory comes with a reference, which is the file system's until diskfs_unmount(). -EINVAL:
 * there is no such file system on it, or one that makes no sense; -EROFS, -EIO, -ENOMEM.
 */
MUST_CHECK int diskfs_mount(struct block_device *device, struct diskfs **fs, struct inode **root);

/* Bring everything to the disk and let go of it. Nobody has a reference to one of its inodes. */
MUST_CHECK int diskfs_unmount(struct diskfs *fs);

/* All that was done until now survives the machine when this returns 0. -EIO. */
MUST_CHECK int diskfs_sync(struct diskfs *fs);

struct diskfs_usage {
    u64 block_count; /* of the disk */
    u64 first_data_block;
    u64 free_blocks;
    u64 inode_count;
    u64 free_inodes;
};
struct diskfs_usage diskfs_usage(struct diskfs *fs);

#endif
