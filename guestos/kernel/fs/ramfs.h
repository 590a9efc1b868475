/* SPDX-License-Identifier: MIT */
/*
 * The RAM file system: regular files in pages of memory, directories as lists of names.
 *
 * Content is page-aligned, so that exec and page faults map a file's own pages (get_page) instead
 * of copying them. Any inode, a device for one, can be given a name in it.
 */
#ifndef FRANK_KERNEL_FS_RAMFS_H
#define FRANK_KERNEL_FS_RAMFS_H

#include "kernel/fs/inode.h"

/* A new empty root directory with one reference, or NULL when there is no memory. */
struct inode *ramfs_create_root(void);

/*
 * Give any inode a name in a ramfs directory; the name takes a reference of its own.
 * 0, -EEXIST, -ENOSPC, -ENOENT.
 */
int MUST_CHECK ramfs_link(struct inode *directory, const char *name, struct inode *inode);

#endif
