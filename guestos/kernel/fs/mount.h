/* SPDX-License-Identifier: MIT */
/*
 * Where file systems hang together: a directory of one is covered by the root of another. Mounts
 * are made while the kernel starts and stay.
 */
#ifndef FRANK_KERNEL_FS_MOUNT_H
#define FRANK_KERNEL_FS_MOUNT_H

#include "kernel/fs/inode.h"

/* What stands behind a file system: to bring to its disk what was done. */
struct mount_sync {
    int (*sync)(void *context); /* NULL: there is no disk */
    void *context;
};

/* Cover a directory (NULL: nothing, it is the root of all) by a root; takes over both references.
   0 or -ENOSPC: too many. */
int MUST_CHECK mount_add(struct inode *covered, struct inode *root, struct mount_sync sync);

/* A directory's lookup that goes down into what covers the name's inode, and up (name "..") out of
   what a root covers. */
int MUST_CHECK mount_lookup(struct inode *directory, const char *name, struct inode **inode);

/* What a root covers, in exchange for it, references too; any other inode, and the root of all,
   stays. */
struct inode *mount_leave(struct inode *inode);

/* Whether a name in a directory is covered: it must stay then. */
bool mount_covers(struct inode *directory, const char *name);

/* Everything that was done survives the machine when this returns 0. The first error of any. */
int MUST_CHECK mount_sync_all(void);

#endif
