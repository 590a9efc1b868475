/* SPDX-License-Identifier: MIT */
/* Device inodes: /dev/console, /dev/null, /dev/zero. */
#ifndef FRANK_KERNEL_FS_DEVICE_H
#define FRANK_KERNEL_FS_DEVICE_H

#include "kernel/fs/inode.h"

/* Give every device its name in `directory`. 0 or a negative errno. */
int MUST_CHECK device_add_names(struct inode *directory);

#endif
