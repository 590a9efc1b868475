/* SPDX-License-Identifier: MIT */
/* What the two halves of the RAM file system, files and directories, know of each other. */
#ifndef FRANK_KERNEL_FS_RAMFS_INTERNAL_H
#define FRANK_KERNEL_FS_RAMFS_INTERNAL_H

#include "kernel/fs/inode.h"

/* A new empty regular file with one reference, or NULL when there is no memory. */
struct inode *ramfs_create_file(u32 permissions);

#endif
