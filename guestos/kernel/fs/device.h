/* SPDX-License-Identifier: MIT */
/* Device inodes: /dev/console, /dev/null, /dev/zero. */
#pragma once

#include "kernel/fs/inode.h"

/* Make the devices and the directory that has them, which is returned; nothing in it can be
   changed. Once. */
struct inode *device_directory(void);
