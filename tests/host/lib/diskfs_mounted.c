/* SPDX-License-Identifier: MIT */
/* The mounted disk of the tests of Frank's disk file system. */
#include "diskfs_mounted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "frank_kernel.h"
#include "kernel/page.h"

struct frank_disk disk;
struct diskfs *fs;
struct inode *root;
struct frank_statvfs empty;

void mount_disk(void)
{
    assert_int_equal(diskfs_mount(&disk.device, &fs, &root), 0);
}

void unmount_disk(void)
{
    assert_int_equal(diskfs_unmount(fs), 0);
    assert_int_equal(frank_pages_in_use, 0);
    assert_int_equal(frank_pieces_in_use, 0);
}

void remount(void)
{
    unmount_disk();
    mount_disk();
}

int mounted_set_up(void **state)
{
    (void)state;
    frank_allocations_left = -1;
    frank_free_pages = 100000;
    frank_disk_create(&disk, MOUNTED_BLOCKS);
    mount_disk();
    empty = diskfs_usage(fs);
    return 0;
}

int mounted_tear_down(void **state)
{
    (void)state;
    unmount_disk();
    frank_disk_destroy(&disk);
    return 0;
}

struct inode *create(struct inode *directory, const char *name, enum inode_type type)
{
    struct inode *inode;

    assert_int_equal(directory->directory->create(directory, name, type, 0644, &inode), 0);
    return inode;
}

struct inode *find(struct inode *directory, const char *name)
{
    struct inode *inode;

    assert_int_equal(directory->directory->lookup(directory, name, &inode), 0);
    return inode;
}

int look(struct inode *directory, const char *name)
{
    struct inode *inode;
    int error = directory->directory->lookup(directory, name, &inode);

    if (!error)
        inode_put(inode);
    return error;
}

ssize_t write_at(struct inode *inode, u64 offset, const void *bytes, size_t size)
{

    return inode->ops->write(inode, (uva_t)bytes, size, &offset);
}

void assert_content(struct inode *inode, u64 offset, const void *bytes, size_t size)
{
    u8 *back = malloc(size + 1);

    assert_int_equal(inode->ops->read(inode, (uva_t)back, size, &offset), size);
    assert_memory_equal(back, bytes, size);
    free(back);
}

int remove_name(struct inode *directory, const char *name, bool is_directory)
{
    return directory->directory->unlink(directory, name, is_directory);
}

void assert_nothing_lost(void)
{
    struct frank_statvfs usage;

    assert_int_equal(diskfs_sync(fs), 0);
    usage = diskfs_usage(fs);
    assert_int_equal(usage.free_inodes, empty.free_inodes);
    assert_int_equal(usage.free_blocks, empty.free_blocks - root->size / PAGE_SIZE);
}
