/* SPDX-License-Identifier: MIT */
/* What the kernel's start does with the file system. */
#ifndef FRANK_KERNEL_FS_FS_H
#define FRANK_KERNEL_FS_FS_H

#include "types.h"

/*
 * Make a disk's file system the root, with the devices mounted on its "dev". Once, in a thread. The
 * error is the mount's; -ENOENT: there is no such disk, or no "dev" on it.
 */
int MUST_CHECK fs_init(const char *disk);

#endif
