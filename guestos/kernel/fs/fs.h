/* SPDX-License-Identifier: MIT */
/* The one file system that all files are in, the root's. */
#ifndef FRANK_KERNEL_FS_FS_H
#define FRANK_KERNEL_FS_FS_H

#include "types.h"

/*
 * Make a disk's file system the root, with the devices in place of its "dev". Once, in a thread.
 * The error is the mount's; -ENOENT: there is no such disk, or no "dev" on it.
 */
int MUST_CHECK fs_init(const char *disk);

/* Everything that was done survives the machine when this returns 0. -EIO. */
int MUST_CHECK fs_sync(void);

#endif
