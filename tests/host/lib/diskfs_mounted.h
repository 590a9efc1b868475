/* SPDX-License-Identifier: MIT */
/* One small disk with Frank's file system, mounted, and what tests do with its files. */
#pragma once

#include "frank_disk.h"
#include "kernel/diskfs/diskfs.h"
#include "kernel/fs/inode.h"

enum mounted_shape { MOUNTED_BLOCKS = 1024 };

extern struct frank_disk disk;
extern struct diskfs *fs;
extern struct inode *root;
extern struct frank_statvfs empty; /* as it was when nothing was on it */

/* cmocka's: a new disk for each test, and at its end all memory is free again. */
int mounted_set_up(void **state);
int mounted_tear_down(void **state);
#define MOUNTED_TEST(name) cmocka_unit_test_setup_teardown(name, mounted_set_up, mounted_tear_down)

/* Each asserts that it works. */
void mount_disk(void);
void unmount_disk(void);
void remount(void);
struct inode *create(struct inode *directory, const char *name, enum inode_type type);
struct inode *find(struct inode *directory, const char *name);
void assert_content(struct inode *inode, u64 offset, const void *bytes, size_t size);

/* As the operations of the same kind. */
int look(struct inode *directory, const char *name);
ssize_t write_at(struct inode *inode, u64 offset, const void *bytes, size_t size);
int remove_name(struct inode *directory, const char *name, bool is_directory);

/* Everything that was made is gone: no block or inode is lost, but the root's own. */
void assert_nothing_lost(void);
