/* SPDX-License-Identifier: MIT */
/*
 * Frank's disk file system as a Linux program under sanitizers: what files and directories are,
 * what is there after the next mount, and nothing lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "diskfs_mounted.h"
#include "frank_kernel.h"
#include "kernel/block/buffer.h"
#include "kernel/page.h"
#include "printf.h"
#include "string.h"

#include "frank/diskfs.h"
#include "frank/errno.h"

enum {
    MODEL_BYTES = 300 * 1024,
    MODEL_ROUNDS = 3000,
    MANY_NAMES = 200,
};

/* ---- files -------------------------------------------------------------------------------------
 */

static void a_file_is_there_after_the_next_mount(void **state)
{
    struct inode *file = create(root, "file", INODE_REGULAR);

    (void)state;
    assert_int_equal(write_at(file, 0, "to be kept", 10), 10);
    inode_put(file);
    remount();
    file = find(root, "file");
    assert_int_equal(file->size, 10);
    assert_int_equal(file->permissions, 0644);
    assert_int_equal(file->links, 1);
    assert_content(file, 0, "to be kept", 10);
    inode_put(file);
    assert_int_equal(remove_name(root, "file", false), 0);
    assert_nothing_lost();
}

static u32 random_below(u32 limit)
{
    static u64 seed = 1;

    seed = seed * 6364136223846793005UL + 1442695040888963407UL;
    return (u32)(seed >> 33) % limit;
}

/* A random write or cut, of the file and of its model alike. */
static void change(struct inode *file, u8 *model, u64 *size)
{
    static u8 bytes[20000];
    u32 length = random_below(sizeof(bytes)) + 1, at = random_below(MODEL_BYTES - sizeof(bytes));

    if (random_below(8) == 0) {
        u64 cut = random_below(2) ? 0 : at;

        assert_int_equal(file->ops->truncate(file, cut), 0);
        if (cut < *size)
            memset(model + cut, 0, *size - cut);
        *size = cut;
        return;
    }
    for (u32 i = 0; i < length; i++)
        bytes[i] = (u8)random_below(256);
    assert_int_equal(write_at(file, at, bytes, length), length);
    memcpy(model + at, bytes, length);
    *size = max(*size, (u64)at + length);
}

static void a_file_behaves_as_an_array_of_bytes(void **state)
{
    static u8 model[MODEL_BYTES];
    struct inode *file = create(root, "array", INODE_REGULAR);
    u64 size = 0;

    (void)state;
    for (unsigned round = 0; round < MODEL_ROUNDS / 10; round++) {
        change(file, model, &size);
        assert_int_equal(file->size, size);
        assert_content(file, 0, model, size);
        if (random_below(20) == 0) {
            inode_put(file);
            remount();
            file = find(root, "array");
        }
    }
    inode_put(file);
    assert_int_equal(remove_name(root, "array", false), 0);
    assert_nothing_lost();
}

static void holes_are_zeros_and_cost_nothing(void **state)
{
    struct inode *file = create(root, "sparse", INODE_REGULAR);
    u64 far = 3UL << 30, free_before = diskfs_usage(fs).free_blocks;
    static const u8 zeros[PAGE_SIZE];

    (void)state;
    assert_int_equal(write_at(file, far, "end", 3), 3);
    assert_int_equal(file->size, far + 3);
    assert_content(file, far - PAGE_SIZE, zeros, PAGE_SIZE);
    assert_content(file, 1UL << 30, zeros, PAGE_SIZE);
    assert_content(file, far, "end", 3);
    assert_int_equal(diskfs_usage(fs).free_blocks, free_before - 3); /* two of numbers */
    assert_int_equal(write_at(file, DISKFS_FILE_BYTES, "x", 1), -EFBIG);
    assert_int_equal(file->ops->truncate(file, DISKFS_FILE_BYTES + 1), -EFBIG);
    inode_put(file);
    assert_int_equal(remove_name(root, "sparse", false), 0);
    assert_nothing_lost();
}

static void what_is_cut_does_not_come_back(void **state)
{
    struct inode *file = create(root, "cut", INODE_REGULAR);
    static const u8 zeros[100];
    pa_t page;

    (void)state;
    assert_int_equal(write_at(file, 0, "abcdefghij", 10), 10);
    assert_int_equal(file->ops->truncate(file, 3), 0);
    assert_int_equal(file->ops->get_page(file, 0, false, &page), 0);
    assert_memory_equal(pa_to_kva(page), "abc\0\0\0\0\0\0\0", 10);
    page_put(page);
    assert_int_equal(file->ops->truncate(file, 20), 0);
    assert_content(file, 3, zeros, 17);
    assert_int_equal(file->ops->truncate(file, 2), 0);
    assert_int_equal(write_at(file, 50, "z", 1), 1);
    assert_content(file, 0, "ab", 2);
    assert_content(file, 2, zeros, 48);
    inode_put(file);
}

static void a_mapped_page_outlives_its_file(void **state)
{
    struct inode *file = create(root, "mapped", INODE_REGULAR), *other;
    pa_t page;

    (void)state;
    assert_int_equal(write_at(file, 0, "mine", 4), 4);
    assert_int_equal(file->ops->get_page(file, 0, false, &page), 0);
    assert_int_equal(file->ops->get_page(file, 1, false, &page), -EINVAL);
    inode_put(file);
    assert_int_equal(remove_name(root, "mapped", false), 0);
    assert_int_equal(diskfs_sync(fs), 0);
    for (unsigned i = 0; i < 4; i++) { /* until the block is another's */
        char name[8];

        snprintf(name, sizeof(name), "n%u", i);
        other = create(root, name, INODE_REGULAR);
        assert_int_equal(write_at(other, 0, "theirs", 6), 6);
        inode_put(other);
    }
    assert_memory_equal(pa_to_kva(page), "mine", 4);
    page_put(page);
}

static void what_is_written_through_a_mapping_is_the_files(void **state)
{
    struct inode *file = create(root, "mapped", INODE_REGULAR);
    pa_t page, again;

    (void)state;
    assert_int_equal(file->ops->truncate(file, 3 * PAGE_SIZE + 5), 0);
    assert_int_equal(file->ops->get_page(file, 4, true, &page), -EINVAL);
    assert_int_equal(file->ops->get_page(file, 2, true, &page), 0); /* a hole until now */
    assert_int_equal(*(char *)pa_to_kva(page), 0);
    memcpy(pa_to_kva(page), "first", 5);
    assert_content(file, 2 * PAGE_SIZE, "first", 5);

    /* It stays the file's page while somebody has it, however short of memory the cache is. */
    assert_int_equal(diskfs_sync(fs), 0);
    (void)buffer_reclaim(MOUNTED_BLOCKS);
    memcpy(pa_to_kva(page), "again", 5);
    assert_int_equal(file->ops->get_page(file, 2, true, &again), 0);
    assert_int_equal(again, page);
    page_put(again);
    assert_content(file, 2 * PAGE_SIZE, "again", 5);

    assert_int_equal(file->ops->page_written(file, 2), 0);
    page_put(page);
    inode_put(file);
    remount();
    file = find(root, "mapped");
    assert_content(file, 2 * PAGE_SIZE, "again", 5);
    inode_put(file);
    assert_int_equal(remove_name(root, "mapped", false), 0);
    assert_nothing_lost();
}

static void a_copy_that_fails_leaves_the_size(void **state)
{
    struct inode *file = create(root, "failed", INODE_REGULAR);
    u64 offset = 0;

    (void)state;
    assert_int_equal(file->ops->write(file, 0, 10, &offset), -EFAULT);
    assert_int_equal(file->size, 0);
    inode_put(file);
    remount();
    file = find(root, "failed");
    assert_int_equal(file->size, 0);
    inode_put(file);
}

static void an_unlinked_file_lives_until_it_is_closed(void **state)
{
    struct inode *file = create(root, "open", INODE_REGULAR);
    u64 free_blocks = diskfs_usage(fs).free_blocks;

    (void)state;
    assert_int_equal(write_at(file, 0, "still here", 10), 10);
    assert_int_equal(remove_name(root, "open", false), 0);
    assert_int_equal(look(root, "open"), -ENOENT);
    assert_int_equal(file->links, 0);
    assert_int_equal(diskfs_sync(fs), 0);
    assert_content(file, 0, "still here", 10);
    inode_put(file);
    assert_int_equal(diskfs_sync(fs), 0);
    assert_int_equal(diskfs_usage(fs).free_blocks, free_blocks);
    assert_nothing_lost();
}

static void a_full_disk_says_so_and_has_room_again(void **state)
{
    static u8 piece[64 * 1024];
    struct inode *file = create(root, "large", INODE_REGULAR);
    u64 at = 0;
    ssize_t done;

    (void)state;
    memset(piece, 0x5a, sizeof(piece));
    while ((done = write_at(file, at, piece, sizeof(piece))) > 0)
        at += (u64)done;
    assert_int_equal(done, -ENOSPC);
    assert_true(at > MOUNTED_BLOCKS / 2 * PAGE_SIZE);
    assert_int_equal(file->size, at);
    assert_content(file, at - sizeof(piece), piece, sizeof(piece));
    /* What is freed can be used at once, though no sync was asked for. */
    assert_int_equal(file->ops->truncate(file, 0), 0);
    assert_int_equal(write_at(file, 0, piece, sizeof(piece)), sizeof(piece));
    inode_put(file);
    assert_int_equal(remove_name(root, "large", false), 0);
    assert_nothing_lost();
}

static void a_hole_is_filled_for_a_mapping_with_what_was_just_freed(void **state)
{
    static const u8 block[PAGE_SIZE];
    struct inode *file = create(root, "mapped", INODE_REGULAR);
    struct inode *filler = create(root, "filler", INODE_REGULAR);
    pa_t page;

    (void)state;
    assert_int_equal(file->ops->truncate(file, 3 * PAGE_SIZE), 0);
    while (write_at(filler, filler->size, block, sizeof(block)) > 0) {
    }
    assert_int_equal(file->ops->get_page(file, 1, true, &page), -ENOSPC);
    inode_put(filler);
    assert_int_equal(remove_name(root, "filler", false), 0);
    assert_int_equal(file->ops->get_page(file, 1, true, &page), 0);
    page_put(page);
    inode_put(file);
    assert_int_equal(remove_name(root, "mapped", false), 0);
    assert_nothing_lost();
}

static void inodes_run_out_and_come_back(void **state)
{
    struct inode *made;
    unsigned count = 0;
    char name[16];
    int error;

    (void)state;
    do {
        snprintf(name, sizeof(name), "i%u", count);
        error = root->directory->create(root, name, INODE_REGULAR, 0600, &made);
        if (!error) {
            inode_put(made);
            count++;
        }
    } while (!error);
    assert_int_equal(error, -ENOSPC);
    assert_int_equal(count, empty.free_inodes);
    while (count-- > 0) {
        snprintf(name, sizeof(name), "i%u", count);
        assert_int_equal(remove_name(root, name, false), 0);
    }
    assert_nothing_lost();
}

/* ---- directories -------------------------------------------------------------------------------
 */

static void names_are_as_their_errors_say(void **state)
{
    struct inode *directory = create(root, "d", INODE_DIRECTORY), *made;
    struct inode *file = create(directory, "f", INODE_REGULAR);

    (void)state;
    assert_int_equal(root->links, 3);
    assert_int_equal(directory->links, 2);
    assert_int_equal(root->directory->create(root, "d", INODE_REGULAR, 0, &made), -EEXIST);
    assert_int_equal(remove_name(root, "d", false), -EISDIR);
    assert_int_equal(remove_name(root, "d", true), -ENOTEMPTY);
    assert_int_equal(remove_name(directory, "f", true), -ENOTDIR);
    assert_int_equal(remove_name(directory, "g", false), -ENOENT);
    assert_int_equal(root->directory->link(root, "f2", file), 0);
    assert_int_equal(root->directory->link(root, "f2", file), -EEXIST);
    assert_int_equal(file->links, 2);
    assert_int_equal(remove_name(directory, "f", false), 0);
    assert_int_equal(file->links, 1);
    assert_int_equal(look(directory, ".."), 0);
    assert_int_equal(remove_name(root, "d", true), 0);
    assert_int_equal(root->links, 2);
    assert_int_equal(directory->directory->create(directory, "x", INODE_REGULAR, 0, &made),
                     -ENOENT);
    assert_int_equal(look(directory, ".."), -ENOENT);
    inode_put(file);
    inode_put(directory);
    assert_int_equal(remove_name(root, "f2", false), 0);
    assert_nothing_lost();
}

static int rename_in(struct inode *from, const char *name, struct inode *to, const char *new_name)
{
    return from->directory->rename(from, name, to, new_name);
}

static void a_rename_is_one_step_in_every_case(void **state)
{
    struct inode *a = create(root, "a", INODE_DIRECTORY), *b = create(root, "b", INODE_DIRECTORY);
    struct inode *inner = create(a, "inner", INODE_DIRECTORY);
    struct inode *file = create(a, "file", INODE_REGULAR), *old = create(b, "old", INODE_REGULAR);
    struct inode *parent;

    (void)state;
    assert_int_equal(rename_in(a, "file", b, "new"), 0);
    assert_int_equal(look(a, "file"), -ENOENT);
    assert_int_equal(look(b, "new"), 0);
    assert_int_equal(rename_in(b, "new", b, "old"), 0);
    assert_int_equal(old->links, 0);
    assert_int_equal(rename_in(root, "a", inner, "x"), -EINVAL);
    assert_int_equal(rename_in(root, "a", root, "a"), 0);
    assert_int_equal(rename_in(b, "old", root, "a"), -EISDIR);
    assert_int_equal(rename_in(root, "a", b, "old"), -ENOTDIR);
    assert_int_equal(rename_in(root, "b", root, "a"), -ENOTEMPTY);
    assert_int_equal(rename_in(a, "inner", root, "a"), -ENOTEMPTY);
    assert_int_equal(rename_in(a, "inner", b, "inner"), 0);
    assert_int_equal(a->links, 2);
    assert_int_equal(b->links, 3);
    assert_int_equal(inner->directory->lookup(inner, "..", &parent), 0);
    assert_ptr_equal(parent, b);
    inode_put(parent);
    assert_int_equal(rename_in(b, "inner", root, "a"), 0); /* over an empty one */
    assert_int_equal(a->links, 0);
    assert_int_equal(root->links, 4);
    assert_int_equal(rename_in(root, "b", a, "x"), -ENOENT);
    inode_put(a);
    inode_put(old);
    inode_put(inner);
    assert_int_equal(rename_in(b, "old", root, "file"), 0);
    inode_put(b);
    inode_put(file);
    remount();
    assert_int_equal(remove_name(root, "file", false), 0);
    assert_int_equal(remove_name(root, "a", true), 0);
    assert_int_equal(remove_name(root, "b", true), 0);
    assert_nothing_lost();
}

/* A name of a length of its own. */
static void long_name(char *name, unsigned number)
{
    unsigned length = (unsigned)snprintf(name, FRANK_NAME_SIZE, "%u-", number);

    memset(name + length, 'n', number % (DISKFS_NAME_MAX - length) + 1);
    name[length + number % (DISKFS_NAME_MAX - length) + 1] = '\0';
}

static void a_cursor_stays_good_while_names_come_and_go(void **state)
{
    static bool seen[MANY_NAMES];
    struct frank_dirent entry;
    char name[FRANK_NAME_SIZE];
    u64 cursor = 0;

    (void)state;
    memset(seen, 0, sizeof(seen));
    for (unsigned i = 0; i < MANY_NAMES; i++) {
        long_name(name, i);
        inode_put(create(root, name, INODE_REGULAR));
    }
    while (root->directory->read_entry(root, &cursor, &entry) == 1) {
        unsigned number = (unsigned)strtoul(entry.name, NULL, 10);

        if (entry.name[0] == 't')
            continue;
        long_name(name, number);
        assert_string_equal(entry.name, name);
        assert_false(seen[number]);
        seen[number] = true;
        assert_int_equal(remove_name(root, name, false), 0);
        snprintf(name, sizeof(name), "t%u", number);
        inode_put(create(root, name, INODE_REGULAR));
    }
    for (unsigned i = 0; i < MANY_NAMES; i++) {
        assert_true(seen[i]);
        snprintf(name, sizeof(name), "t%u", i);
        assert_int_equal(remove_name(root, name, false), 0);
    }
    assert_nothing_lost();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        MOUNTED_TEST(a_file_is_there_after_the_next_mount),
        MOUNTED_TEST(a_file_behaves_as_an_array_of_bytes),
        MOUNTED_TEST(holes_are_zeros_and_cost_nothing),
        MOUNTED_TEST(what_is_cut_does_not_come_back),
        MOUNTED_TEST(a_mapped_page_outlives_its_file),
        MOUNTED_TEST(what_is_written_through_a_mapping_is_the_files),
        MOUNTED_TEST(a_copy_that_fails_leaves_the_size),
        MOUNTED_TEST(an_unlinked_file_lives_until_it_is_closed),
        MOUNTED_TEST(a_full_disk_says_so_and_has_room_again),
        MOUNTED_TEST(a_hole_is_filled_for_a_mapping_with_what_was_just_freed),
        MOUNTED_TEST(inodes_run_out_and_come_back),
        MOUNTED_TEST(names_are_as_their_errors_say),
        MOUNTED_TEST(a_rename_is_one_step_in_every_case),
        MOUNTED_TEST(a_cursor_stays_good_while_names_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
