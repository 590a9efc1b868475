/* SPDX-License-Identifier: MIT */
/*
 * fsck and what a disk can be like: with a journal to be replayed, with a device that fails after
 * any of the repair's writes, with no file system on it; and what mkfs fills one with.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "fsck_image.h"
#include "mkfs/format.h"
#include "mkfs/populate.h"
#include "types.h"
#include "volume/directory.h"
#include "volume/io.h"
#include "volume/map.h"

enum {
    OLD_BYTES = 111, /* of /file, by transactions */
    NEW_BYTES = 222,
    NEWEST = 6,
    IMAGE_BYTES = IMAGE_BLOCKS * DISKFS_BLOCK_BYTES,
    STOPS_MAX = 100,
};

/* ---- a device that fails -----------------------------------------------------------------------
 */

static long writes_left = -1; /* until all of them fail; negative: none does */

int __real_io_write_block(int descriptor, uint32_t block, const void *content);
int __wrap_io_write_block(int descriptor, uint32_t block, const void *content);

int __wrap_io_write_block(int descriptor, uint32_t block, const void *content)
{
    if (writes_left == 0) {
        errno = EIO;
        return -1;
    }
    writes_left -= writes_left > 0;
    return __real_io_write_block(descriptor, block, content);
}

/* ---- the journal -------------------------------------------------------------------------------
 */

/* The block of inodes with /file in it, which has so many bytes. */
static void make_inodes(struct volume *volume, uint64_t size, uint8_t image[DISKFS_BLOCK_BYTES])
{
    struct diskfs_inode inode;

    memcpy(image, volume_look(volume, volume->super.inode_start), DISKFS_BLOCK_BYTES);
    memcpy(&inode, image + IMAGE_FILE * sizeof(inode), sizeof(inode));
    inode.size_bytes = size;
    memcpy(image + IMAGE_FILE * sizeof(inode), &inode, sizeof(inode));
}

/* A transaction that sets /file's size. */
static void put_size(struct volume *volume, unsigned half, uint64_t sequence, uint64_t size)
{
    uint8_t images[1][DISKFS_BLOCK_BYTES];

    make_inodes(volume, size, images[0]);
    image_journal(volume, half, sequence, 1, &volume->super.inode_start, (const void *)images);
}

static uint64_t file_size(int descriptor)
{
    struct volume *volume = image_begin(descriptor);
    uint64_t size = volume_load_inode(volume, IMAGE_FILE).size_bytes;

    image_end(volume);
    return size;
}

static void newest_transaction_is_replayed(void **state)
{
    static struct image_check check;
    int descriptor = image_open();
    struct volume *volume;
    uint8_t *before, *after;

    (void)state;
    image_make(descriptor);
    volume = image_begin(descriptor);
    put_size(volume, 1, NEWEST - 1, OLD_BYTES);
    put_size(volume, 0, NEWEST, NEW_BYTES);
    image_end(volume);
    before = image_save(descriptor);
    image_check(descriptor, false, &check);
    after = image_save(descriptor);
    assert_int_equal(check.result.state, FSCK_CLEAN);
    assert_memory_equal(before, after, IMAGE_BYTES);
    image_check(descriptor, true, &check);
    assert_int_equal(check.result.state, FSCK_CLEAN);
    assert_int_equal(file_size(descriptor), NEW_BYTES);
    free(before);
    free(after);
    close(descriptor);
}

/* The disk is bad and its transaction makes it good: a check sees the good one. */
static void check_sees_what_replay_makes(void **state)
{
    static struct image_check check;
    int descriptor = image_open();
    struct diskfs_inode inode;
    struct volume *volume;

    (void)state;
    image_make(descriptor);
    volume = image_begin(descriptor);
    put_size(volume, 0, NEWEST, NEW_BYTES);
    inode = volume_load_inode(volume, IMAGE_FILE);
    inode.links = 9;
    volume_store_inode(volume, IMAGE_FILE, &inode);
    image_end(volume);
    image_check(descriptor, false, &check);
    assert_string_equal(check.lines, "");
    image_check(descriptor, true, &check);
    assert_string_equal(check.lines, "");
    assert_int_equal(file_size(descriptor), NEW_BYTES);
    close(descriptor);
}

static void spoil(struct diskfs_journal_head *head, unsigned how)
{
    if (how == 0)
        head->magic++;
    else if (how == 1)
        head->checksum++;
    else
        head->image_count = UINT32_MAX;
}

static void unsound_head_is_no_transaction(void **state)
{
    static struct image_check check;
    int descriptor = image_open();
    struct volume *volume;

    (void)state;
    for (unsigned how = 0; how < 3; how++) {
        image_make(descriptor);
        volume = image_begin(descriptor);
        put_size(volume, 1, NEWEST - 1, NEW_BYTES);
        put_size(volume, 0, NEWEST, OLD_BYTES);
        spoil(volume_change(volume, volume->super.journal_start), how);
        image_end(volume);
        image_check(descriptor, true, &check);
        assert_int_equal(check.result.state, FSCK_CLEAN);
        assert_int_equal(file_size(descriptor), NEW_BYTES);
    }
    close(descriptor);
}

static void transaction_for_no_place_is_none(void **state)
{
    static const uint32_t targets[] = {DISKFS_SUPERBLOCK, DISKFS_JOURNAL_START, IMAGE_BLOCKS};
    static uint8_t images[1][DISKFS_BLOCK_BYTES];
    static struct image_check check;
    int descriptor = image_open();
    struct volume *volume;

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(targets); i++) {
        image_make(descriptor);
        volume = image_begin(descriptor);
        image_journal(volume, 0, NEWEST, 1, &targets[i], (const void *)images);
        image_end(volume);
        image_check(descriptor, true, &check);
        assert_int_equal(check.result.state, FSCK_CLEAN);
    }
    close(descriptor);
}

/* A disk with two transactions, the newest of them replayed, and damage in all that it changed. */
static void make_damaged(int descriptor)
{
    struct diskfs_inode inode;
    struct volume *volume;

    image_make(descriptor);
    volume = image_begin(descriptor);
    inode = volume_load_inode(volume, IMAGE_DIR);
    inode.links = 9;
    volume_store_inode(volume, IMAGE_DIR, &inode);
    image_entry(volume, DISKFS_ROOT, "big")->inode = 0;
    put_size(volume, 1, NEWEST - 1, OLD_BYTES);
    put_size(volume, 0, NEWEST, NEW_BYTES);
    image_end(volume);
}

static void repaired_disk_is_not_replayed_over(void **state)
{
    static struct image_check check;
    int descriptor = image_open();

    (void)state;
    make_damaged(descriptor);
    image_check(descriptor, true, &check);
    assert_int_equal(check.result.state, FSCK_REPAIRED);
    image_check(descriptor, false, &check);
    assert_string_equal(check.lines, "");
    assert_int_equal(file_size(descriptor), NEW_BYTES);
    close(descriptor);
}

/* Wherever a repair is stopped, the next one repairs the rest, and no transaction is undone. */
static void stopped_repair_is_repaired(void **state)
{
    static struct image_check check;
    int descriptor = image_open();
    long stop = 0;

    (void)state;
    for (;; stop++) {
        assert_true(stop < STOPS_MAX);
        make_damaged(descriptor);
        writes_left = stop;
        image_check(descriptor, true, &check);
        writes_left = -1;
        if (check.result.state == FSCK_REPAIRED)
            break;
        assert_int_equal(check.result.state, FSCK_FAILED);
        assert_non_null(strstr(check.result.problem, strerror(EIO)));
        image_check(descriptor, true, &check);
        assert_true(check.result.state == FSCK_REPAIRED || check.result.state == FSCK_CLEAN);
        image_check(descriptor, false, &check);
        assert_string_equal(check.lines, "");
        assert_int_equal(file_size(descriptor), NEW_BYTES);
    }
    assert_true(stop > 4); /* it was stopped between the two heads, too */
    close(descriptor);
}

/* ---- no file system ----------------------------------------------------------------------------
 */

static void set_superblock(int descriptor, unsigned how)
{
    uint8_t block[DISKFS_BLOCK_BYTES];
    struct diskfs_superblock super;

    assert_int_equal(io_read_block(descriptor, DISKFS_SUPERBLOCK, block), 0);
    memcpy(&super, block, sizeof(super));
    if (how == 0)
        super.magic = 0;
    else if (how == 1)
        super.inode_start++;
    else
        super.checksum++;
    memcpy(block, &super, sizeof(super));
    assert_int_equal(io_write_block(descriptor, DISKFS_SUPERBLOCK, block), 0);
}

static void what_is_no_file_system_is_refused(void **state)
{
    static struct image_check check;
    int descriptor = image_open();

    (void)state;
    for (unsigned how = 0; how < 3; how++) {
        image_make(descriptor);
        set_superblock(descriptor, how);
        image_check(descriptor, true, &check);
        assert_int_equal(check.result.state, FSCK_FAILED);
        assert_non_null(
            strstr(check.result.problem, how == 0 ? "no file system" : "superblock is damaged"));
    }
    image_make(descriptor);
    assert_int_equal(ftruncate(descriptor, IMAGE_BYTES - 1), 0);
    image_check(descriptor, true, &check);
    assert_non_null(strstr(check.result.problem, "larger than the device"));
    assert_int_equal(ftruncate(descriptor, DISKFS_BLOCK_BYTES - 1), 0);
    image_check(descriptor, true, &check);
    assert_non_null(strstr(check.result.problem, "too small"));
    close(descriptor);
}

/* ---- filling a disk ----------------------------------------------------------------------------
 */

enum {
    LARGE_PARTS = DISKFS_DIRECT + DISKFS_NUMBERS_PER_BLOCK + 3,
    CROWD = 60, /* files in one directory: more than a block of names */
};

static void write_file(const char *folder, const char *name, off_t hole, size_t bytes, int mode)
{
    char path[256], content[7 * 512];
    int descriptor;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    descriptor = open(path, O_CREAT | O_WRONLY | O_EXCL, 0600);
    assert_true(descriptor >= 0);
    assert_int_equal(fchmod(descriptor, (mode_t)mode), 0);
    assert_int_equal(lseek(descriptor, hole, SEEK_SET), hole);
    for (size_t i = 0; i < sizeof(content); i++)
        content[i] = "content"[i % 7];
    for (size_t done = 0; done < bytes; done += sizeof(content)) {
        size_t count = min(bytes - done, sizeof(content));

        assert_int_equal(write(descriptor, content, count), count);
    }
    close(descriptor);
}

static void make_folder(const char *folder, const char *name, char path[256])
{
    (void)snprintf(path, 256, "%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0750), 0);
}

static void make_tree(char *top)
{
    char path[256], below[256], name[220];

    assert_non_null(mkdtemp(top));
    write_file(top, "small", 0, 100, 0640);
    write_file(top, "nothing", 0, 0, 0600);
    write_file(top, "large", (off_t)(LARGE_PARTS - 1) * DISKFS_BLOCK_BYTES, 10, 0444);
    make_folder(top, "crowd", path);
    memset(name, 'n', sizeof(name));
    for (unsigned i = 0; i < CROWD; i++) {
        (void)snprintf(name + 200, 20, "%u", i);
        write_file(path, name, 0, 1, 0600);
    }
    make_folder(path, "below", below);
    write_file(below, "deep", 0, DISKFS_BLOCK_BYTES + 1, 0600);
}

static void remove_tree(const char *top)
{
    char command[300];

    (void)snprintf(command, sizeof(command), "rm -rf %s", top);
    assert_int_equal(system(command), 0); // NOLINT: a name that mkdtemp made
}

static int fill(int descriptor, const char *top, uint32_t inodes)
{
    struct format_plan plan = {.block_count = IMAGE_BLOCKS, .inode_count = inodes};
    struct volume volume;
    int result;

    assert_int_equal(format_disk(descriptor, &plan), 0);
    assert_null(volume_open(&volume, descriptor));
    result = populate(&volume, top);
    volume_close(&volume);
    return result;
}

static struct diskfs_inode find(struct volume *volume, const struct diskfs_inode *directory,
                                const char *name)
{
    bool is_directory;
    uint32_t number = volume_find_name(volume, directory, name, &is_directory);

    assert_int_not_equal(number, 0);
    return volume_load_inode(volume, number);
}

static void check_tree(struct volume *volume)
{
    struct diskfs_inode root = volume_load_inode(volume, DISKFS_ROOT);
    struct diskfs_inode small = find(volume, &root, "small"), large = find(volume, &root, "large");
    struct diskfs_inode crowd = find(volume, &root, "crowd");
    struct diskfs_inode below = find(volume, &crowd, "below"), deep = find(volume, &below, "deep");

    assert_int_equal(small.mode, S_IFREG | 0640);
    assert_int_equal(small.size_bytes, 100);
    assert_memory_equal(volume_look(volume, small.direct[0]), "contentcontent", 14);
    assert_int_equal(find(volume, &root, "nothing").block_count, 0);
    assert_int_equal(large.size_bytes, (LARGE_PARTS - 1UL) * DISKFS_BLOCK_BYTES + 10);
    assert_int_equal(large.block_count, 3); /* two of numbers */
    assert_memory_equal(volume_look(volume, volume_find_part(volume, &large, LARGE_PARTS - 1)),
                        "contentcon", 11);
    assert_int_equal(crowd.mode, S_IFDIR | 0750);
    assert_int_equal(crowd.links, 3);
    assert_true(crowd.size_bytes > DISKFS_BLOCK_BYTES);
    assert_int_equal(deep.size_bytes, DISKFS_BLOCK_BYTES + 1);
    assert_memory_equal(volume_look(volume, deep.direct[1]), "o\0", 2); /* 4096 is 7 n + 1 */
}

static void tree_is_on_the_disk(void **state)
{
    char top[] = "/tmp/frank-tree-XXXXXX";
    static struct image_check check;
    int descriptor = image_open();
    struct volume *volume;

    (void)state;
    make_tree(top);
    assert_int_equal(fill(descriptor, top, IMAGE_INODES), 0);
    remove_tree(top);
    image_check(descriptor, false, &check);
    assert_string_equal(check.lines, "");
    assert_int_equal(check.result.file_count, CROWD + 4);
    assert_int_equal(check.result.directory_count, 3);
    volume = image_begin(descriptor);
    check_tree(volume);
    image_end(volume);
    close(descriptor);
}

static void tree_that_does_not_fit_is_refused(void **state)
{
    char top[] = "/tmp/frank-tree-XXXXXX";
    int descriptor = image_open();

    (void)state;
    make_tree(top);
    assert_int_equal(fill(descriptor, top, 20), -1); /* inodes */
    write_file(top, "too-large", 0, (size_t)IMAGE_BYTES, 0600);
    assert_int_equal(fill(descriptor, top, IMAGE_INODES), -1);
    remove_tree(top);
    close(descriptor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newest_transaction_is_replayed),
        cmocka_unit_test(check_sees_what_replay_makes),
        cmocka_unit_test(unsound_head_is_no_transaction),
        cmocka_unit_test(transaction_for_no_place_is_none),
        cmocka_unit_test(repaired_disk_is_not_replayed_over),
        cmocka_unit_test(stopped_repair_is_repaired),
        cmocka_unit_test(what_is_no_file_system_is_refused),
        cmocka_unit_test(tree_is_on_the_disk),
        cmocka_unit_test(tree_that_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
