/* SPDX-License-Identifier: MIT */
/* What the kernel's start does with the file system. */
#ifndef FRANK_KERNEL_FS_FS_H
#define FRANK_KERNEL_FS_FS_H

#include "types.h"

/*
 * Make the disk's file system the root, with /dev (a RAM file system) mounted on its "dev". Once,
 * in a thread. The error is the mount's; -ENOENT: there is no such disk, or no "dev" on it.
 */
int MUST_CHECK fs_init_disk(const char *device);

/*
 * Make the RAM file system the root, with /dev and its devices in it. Once, after the page and
 * kernel allocators work and before any process runs. 0 or -ENOMEM.
 */
int MUST_CHECK fs_init(void);

/*
 * Unpack a cpio archive (newc) into the root. The bytes are copied, so that the archive's memory
 * can be given back. 0, -EINVAL for a damaged archive, -ENOSPC; what came before stays.
 */
int MUST_CHECK initrd_unpack(const void *archive, size_t bytes);

#endif
