/* SPDX-License-Identifier: MIT */
/*
 * Paths: from a string to an inode.
 *
 * A path that begins with a slash starts at the root, any other at the working directory of the
 * running process. All functions may sleep, and return 0 or a negative errno: -ENOENT, -ENOTDIR,
 * -ENAMETOOLONG, besides those named.
 */
#ifndef FRANK_KERNEL_FS_PATH_H
#define FRANK_KERNEL_FS_PATH_H

#include "kernel/fs/inode.h"

/* Say which directory "/" is, and which one "/dev", whatever the disk has there; takes over the
   caller's references. Once, while booting. */
void path_set_root(struct inode *root, struct inode *devices);

/* The root directory, with a new reference. */
struct inode *path_root(void);

/* Whether a name in a directory is "/dev": it must stay. */
bool path_is_devices(const struct inode *directory, const char *name);

/* The inode that `path` names, with a new reference in *inode; NULL on an error. */
int MUST_CHECK path_lookup(const char *path, struct inode **inode);

/*
 * The directory that holds the last component of `path` and is to be changed, with a new reference
 * (NULL on an error), and that component in `name` (FRANK_NAME_SIZE bytes), which need not exist.
 * Trailing slashes are dropped and *must_be_directory says whether there were any. A path of
 * nothing but slashes: -EBUSY; one that ends in "." or "..": -EINVAL; a directory that cannot be
 * changed: -EPERM.
 */
int MUST_CHECK path_lookup_parent(const char *path, struct inode **directory, char *name,
                                  bool *must_be_directory);

#endif
