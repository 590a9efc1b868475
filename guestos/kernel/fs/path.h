/* SPDX-License-Identifier: MIT */
/*
 * Paths: from a string to an inode.
 *
 * A path that begins with a slash starts at the root, any other at the working directory of the
 * running process. All functions may sleep, and return 0 or a negative errno: -ENOENT, -ENOTDIR,
 * -ENAMETOOLONG, besides those named.
 */
#pragma once

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

/* A name, which need not exist, in a directory that is to be changed. */
struct path_end {
    struct inode *directory; /* with a reference, or NULL */
    char name[FRANK_NAME_SIZE];
    bool has_slash; /* and one behind it: it must be a directory's */
};

/* Of a local path_end, which begins as {NULL}: the reference goes at the block's end. */
#define PATH_END_REF CLEANUP(path_end_put)

static inline void path_end_put(struct path_end *end)
{
    inode_put(end->directory);
}

/*
 * The last component of `path`, and the directory that holds it. A path of nothing but slashes:
 * -EBUSY; one that ends in "." or "..": -EINVAL; a directory that cannot be changed: -EPERM.
 */
int MUST_CHECK path_lookup_end(const char *path, struct path_end *end);
