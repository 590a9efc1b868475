/* SPDX-License-Identifier: MIT */
/* The disk file system, as the rest of the kernel sees it: mounted, it is inodes (kernel/fs). */
#pragma once

#include "frank/statvfs.h"
#include "kernel/block/block.h"
#include "kernel/fs/inode.h"

struct diskfs;

/*
 * Mount a device, after what a stop of the machine left half done is undone or finished. The root
 * directory comes with a reference, which is the file system's until diskfs_unmount(). -EINVAL:
 * there is no such file system on it, or one that makes no sense; -EIO, -ENOMEM.
 */
MUST_CHECK int diskfs_mount(struct block_device *device, struct diskfs **fs, struct inode **root);

/* Bring everything to the disk and let go of it. Nobody has a reference to one of its inodes. */
MUST_CHECK int diskfs_unmount(struct diskfs *fs);

/* All that was done until now survives the machine when this returns 0. -EIO. */
MUST_CHECK int diskfs_sync(struct diskfs *fs);

/* How full it is. Blocks that are free at the next commit count as free. */
struct frank_statvfs diskfs_usage(const struct diskfs *fs);

/* The cache of its blocks. */
struct buffer_cache *diskfs_cache(const struct diskfs *fs);
