/* SPDX-License-Identifier: MIT */
/* Device inodes: /dev/console, /dev/null, /dev/zero. */
#ifndef FRANK_KERNEL_FS_DEVICE_H
#define FRANK_KERNEL_FS_DEVICE_H

#include "kernel/fs/inode.h"

/* Make the devices and the directory that has them, which is returned; nothing in it can be
   changed. Once. */
struct inode *device_directory(void);

#endif
