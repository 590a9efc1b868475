/* SPDX-License-Identifier: MIT */
/*
 * Paths: from a string to an inode, and back.
 *
 * A path that begins with a slash starts at the root, any other at the working directory of the
 * running process. All functions may sleep, and return 0 or a negative errno: -ENOENT, -ENOTDIR,
 * -ENAMETOOLONG, besides those named.
 */
#ifndef FRANK_KERNEL_FS_PATH_H
#define FRANK_KERNEL_FS_PATH_H

#include "kernel/fs/inode.h"

/* Say which directory "/" is; takes over the caller's reference. Once, while booting. */
void path_set_root(struct inode *root);

/* The root directory, with a new reference. */
struct inode *path_root(void);

/* The inode that `path` names, with a new reference in *inode. */
int MUST_CHECK path_lookup(const char *path, struct inode **inode);

/*
 * The directory that holds the last component of `path`, with a new reference, and that component
 * in `name` (FRANK_NAME_SIZE bytes), which need not exist. Trailing slashes are dropped and
 * *must_be_directory says whether there were any. A path of nothing but slashes: -EBUSY; one that
 * ends in "." or "..": -EINVAL.
 */
int MUST_CHECK path_lookup_parent(const char *path, struct inode **directory, char *name,
                                  bool *must_be_directory);

/*
 * The absolute path of `directory` in `buffer` of `size` bytes, with its NUL.
 * Returns its length without the NUL; -ERANGE if it does not fit, -ENOENT if it was removed.
 */
int MUST_CHECK path_of_directory(struct inode *directory, char *buffer, size_t size);

#endif
