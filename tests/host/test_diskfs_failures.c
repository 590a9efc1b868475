/* SPDX-License-Identifier: MIT */
/*
 * Frank's disk file system when memory or disk fail at any moment: nothing is lost, and nothing is
 * done by half.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "diskfs_mounted.h"
#include "frank_kernel.h"
#include "fsck_image.h"
#include "kernel/block/buffer.h"
#include "kernel/page.h"
#include "printf.h"
#include "string.h"

#include "frank/diskfs.h"
#include "frank/errno.h"

enum { DISK_BYTES = MOUNTED_BLOCKS * DISKFS_BLOCK_BYTES };

/* Inodes that are made from now on are in another block than the root's, and nothing stays in
   memory that nobody holds. */
static void make_it_hard(void)
{
    char name[16];

    for (unsigned i = 0; i < DISKFS_INODES_PER_BLOCK; i++) {
        snprintf(name, sizeof(name), "filler%u", i);
        inode_put(create(root, name, INODE_REGULAR));
    }
    assert_int_equal(diskfs_sync(fs), 0);
    empty = diskfs_usage(fs);
    empty.free_blocks += root->size / PAGE_SIZE;
    frank_free_pages = 0;
}

/* What comes next has to read all that it needs. */
static void forget(void)
{
    (void)!diskfs_sync(fs);
    buffer_reclaim(UINT64_MAX);
}

/* A bit of everything; whatever fails is left out. */
static void work(void)
{
    struct inode *directory, *file;
    u8 bytes[9000];

    forget();
    memset(bytes, 7, sizeof(bytes));
    if (root->directory->create(root, "work", INODE_DIRECTORY, 0755, &directory) != 0)
        return;
    if (directory->directory->create(directory, "one", INODE_REGULAR, 0644, &file) == 0) {
        (void)!write_at(file, 5000, bytes, sizeof(bytes));
        (void)!write_at(file, 60UL << 20, bytes, sizeof(bytes));
        forget();
        if (file->ops->truncate(file, 100) == 0)
            (void)!write_at(file, 200, bytes, 10);
        if (directory->directory->link(directory, "two", file) == 0 &&
            directory->directory->rename(directory, "two", root, "three") == 0)
            remove_name(directory, "one", false);
        inode_put(file);
    }
    inode_put(directory);
    forget();
    if (root->directory->create(root, "late", INODE_DIRECTORY, 0755, &directory) == 0)
        inode_put(directory);
}

static void clean_up(void)
{
    struct inode *directory;

    remove_name(root, "three", false);
    remove_name(root, "late", true);
    if (root->directory->lookup(root, "work", &directory) == 0) {
        remove_name(directory, "one", false);
        remove_name(directory, "two", false);
        inode_put(directory);
        assert_int_equal(remove_name(root, "work", true), 0);
    }
}

/* Nothing was done by half: fsck finds nothing on the disk, which nobody has mounted. */
static void assert_sound(void)
{
    static struct image_check check;
    int descriptor = image_open();

    assert_int_equal(pwrite(descriptor, disk.content, DISK_BYTES, 0), DISK_BYTES);
    image_check(descriptor, false, &check);
    close(descriptor);
    assert_string_equal(check.lines, "");
    assert_int_equal(check.result.state, FSCK_CLEAN);
}

static void memory_may_run_out_at_any_allocation(void **state)
{
    bool failed = true;

    (void)state;
    make_it_hard();
    for (long limit = 0; failed; limit++) {
        frank_allocations_left = limit;
        work();
        failed = frank_allocations_left < 0;
        frank_allocations_left = -1;
        unmount_disk();
        assert_sound();
        mount_disk();
        clean_up();
        assert_nothing_lost();
    }
}

static void memory_may_run_out_in_any_mount(void **state)
{
    bool failed = true;

    (void)state;
    unmount_disk();
    for (long limit = 0; failed; limit++) {
        int error;

        frank_allocations_left = limit;
        error = diskfs_mount(&disk.device, &fs, &root);
        failed = frank_allocations_left < 0;
        frank_allocations_left = -1;
        assert_int_equal(error, failed ? -ENOMEM : 0);
        if (error) {
            assert_int_equal(frank_pages_in_use, 0);
            assert_int_equal(frank_pieces_in_use, 0);
        }
    }
}

static void the_disk_may_fail_at_any_operation(void **state)
{
    bool failed = true;

    (void)state;
    make_it_hard();
    for (long limit = 0; failed; limit++) {
        int error;

        disk.operations_left = limit;
        work();
        error = diskfs_sync(fs);
        assert_true(error == 0 || (error == -EIO && disk.operations_left == 0));
        error = diskfs_unmount(fs);
        assert_true(error == 0 || (error == -EIO && disk.operations_left == 0));
        failed = disk.operations_left == 0;
        assert_int_equal(frank_pages_in_use, 0);
        assert_int_equal(frank_pieces_in_use, 0);
        disk.operations_left = -1;
        assert_sound();
        mount_disk();
        clean_up();
        assert_nothing_lost();
    }
}

/* The cache takes no more memory than there is: what is clean goes first. */
static void a_file_larger_than_memory_can_be_written_and_read(void **state)
{
    static u8 piece[PAGE_SIZE];
    struct inode *file = create(root, "large", INODE_REGULAR);

    (void)state;
    frank_free_pages = 0;
    for (unsigned i = 0; i < 400; i++) {
        memset(piece, (int)i, sizeof(piece));
        assert_int_equal(write_at(file, i * PAGE_SIZE, piece, sizeof(piece)), PAGE_SIZE);
        assert_true(frank_pages_in_use < 100);
    }
    for (unsigned i = 0; i < 400; i++) {
        memset(piece, (int)i, sizeof(piece));
        assert_content(file, i * PAGE_SIZE, piece, sizeof(piece));
    }
    inode_put(file);
    assert_int_equal(remove_name(root, "large", false), 0);
    assert_nothing_lost();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        MOUNTED_TEST(memory_may_run_out_at_any_allocation),
        MOUNTED_TEST(memory_may_run_out_in_any_mount),
        MOUNTED_TEST(the_disk_may_fail_at_any_operation),
        MOUNTED_TEST(a_file_larger_than_memory_can_be_written_and_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
