/* SPDX-License-Identifier: MIT */
/*
 * A disk that is damaged anywhere: it is refused, or mounted and used, with errors where the damage
 * is. It never stops the kernel, is followed out of the disk, or costs memory.
 *
 * As many disks as DISKS says, from SEED on, or for DAMAGE_SECONDS (make soak).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "diskfs_mounted.h"
#include "fnv.h"
#include "frank/diskfs.h"
#include "frank_kernel.h"
#include "kernel/page.h"
#include "printf.h"
#include "string.h"

enum {
    DISKS = 300,
    CHANGES_MAX = 12,
    FILES = 6,
    FILE_BYTES = 70000, /* so that each has a block of numbers */
    LOOKS_MAX = 400,    /* at names, of one disk */
    DEPTH_MAX = 6,
};

static u64 seed;
static u8 bytes[FILE_BYTES];
static u32 looks_left;

static u32 random_below(u32 limit)
{
    seed = seed * 6364136223846793005UL + 1442695040888963407UL;
    return (u32)(seed >> 33) % limit;
}

static u64 number_of(const char *variable, u64 otherwise)
{
    const char *text = getenv(variable);

    return text ? strtoul(text, NULL, 10) : otherwise;
}

/* ---- a disk with something on it ---------------------------------------------------------------
 */

static void fill(void)
{
    struct inode *folder = create(root, "folder", INODE_DIRECTORY);
    struct inode *inner = create(folder, "inner", INODE_DIRECTORY);
    struct inode *const places[] = {root, folder, inner};

    for (unsigned i = 0; i < FILES; i++) {
        struct inode *place = places[i % ARRAY_SIZE(places)], *file;
        char name[16];

        snprintf(name, sizeof(name), "file%u", i);
        file = create(place, name, INODE_REGULAR);
        assert_int_equal(write_at(file, i * 1000, bytes, FILE_BYTES - i * 9000),
                         FILE_BYTES - i * 9000);
        if (i == 0)
            assert_int_equal(inner->directory->link(inner, "link", file), 0);
        inode_put(file);
    }
    inode_put(inner);
    inode_put(folder);
    assert_int_equal(diskfs_sync(fs), 0);
}

/* Numbers as they may stand there, so that some meet, and any. */
static u32 some_number(const struct diskfs_superblock *super)
{
    switch (random_below(5)) {
    case 0:
        return super->data_start + random_below(64);
    case 1:
        return random_below(16);
    case 2:
        return random_below(super->block_count + 4);
    case 3:
        return 1U << random_below(32);
    default:
        return random_below(UINT32_MAX);
    }
}

/* Mostly where what leads to content is. */
static u32 some_block(const struct diskfs_superblock *super)
{
    switch (random_below(8)) {
    case 0:
        return random_below(super->block_count);
    case 1:
        return super->journal_start + random_below(2) * (super->journal_blocks / 2);
    case 2:
        return random_below(2) ? DISKFS_SUPERBLOCK : DISKFS_ORPHANS;
    case 3:
        return super->bitmap_start;
    case 4:
    case 5:
        return super->inode_start;
    default:
        return super->data_start + random_below(24);
    }
}

static void damage(u8 *content)
{
    const struct diskfs_superblock good = *(const struct diskfs_superblock *)content;
    struct diskfs_superblock *super = (struct diskfs_superblock *)content;

    for (u32 i = random_below(CHANGES_MAX) + 1; i > 0; i--) {
        u8 *block = content + (u64)some_block(&good) * PAGE_SIZE;
        u32 number = some_number(&good);
        u32 at = random_below(random_below(2) ? 512 : PAGE_SIZE - 4);

        at = random_below(4) ? ALIGN_DOWN(at, 4) : at;
        memcpy(block + at, &number, random_below(3) ? sizeof(number) : 1);
    }
    if (random_below(2)) /* else nobody believes it */
        super->checksum = fnv64_update(FNV64_START, super,
                                       offsetof(struct diskfs_superblock, checksum));
}

/* ---- using it ----------------------------------------------------------------------------------
 */

/* Whatever answer is right. */
static void use_file(struct inode *file)
{
    pa_t page;

    (void)file->ops->read(file, (uva_t)bytes, sizeof(bytes),
                          &(u64){random_below(2) ? 0 : file->size / 2});
    if (file->ops->get_page(file, random_below(20), false, &page) == 0)
        page_put(page);
    if (random_below(3) == 0 && file->ops->get_page(file, random_below(20), true, &page) == 0)
        page_put(page);
    if (random_below(3) == 0)
        (void)write_at(file, random_below(2 * FILE_BYTES), bytes, random_below(9000));
    if (random_below(4) == 0)
        (void)file->ops->truncate(file, random_below(2 * FILE_BYTES));
    if (random_below(8) == 0)
        (void)file->ops->truncate(
            file, (u64)some_number(&(struct diskfs_superblock){.block_count = 9}) << 12);
}

static void use_names(struct inode *directory, const struct frank_dirent *entry)
{
    struct inode *made;

    if (random_below(4) == 0 &&
        directory->directory->create(directory, "new", INODE_REGULAR, 0644, &made) == 0)
        inode_put(made);
    if (random_below(6) == 0 &&
        directory->directory->create(directory, "newer", INODE_DIRECTORY, 0755, &made) == 0)
        inode_put(made);
    if (random_below(4) == 0)
        (void)directory->directory->unlink(directory, entry->name, random_below(2));
    if (random_below(4) == 0)
        (void)directory->directory->rename(directory, entry->name,
                                           random_below(2) ? root : directory, "moved");
    if (random_below(4) == 0)
        (void)directory->directory->rename(root, "folder", directory,
                                           random_below(2) ? entry->name : "folded");
}

static void use_directory(struct inode *directory, unsigned depth)
{
    struct frank_dirent entry;
    struct inode *inode;
    u64 cursor = 0;

    while (looks_left > 0 && directory->directory->read_entry(directory, &cursor, &entry) == 1) {
        looks_left--;
        if (directory->directory->lookup(directory, entry.name, &inode) == 0) {
            if (inode->type == INODE_REGULAR)
                use_file(inode);
            else if (depth < DEPTH_MAX)
                use_directory(inode, depth + 1);
            inode_put(inode);
        }
        use_names(directory, &entry);
    }
    if (directory->directory->lookup(directory, "..", &inode) == 0)
        inode_put(inode);
}

static bool use_disk(const u8 *good)
{
    struct frank_disk damaged = disk;
    bool is_mounted;

    damaged.content = malloc((size_t)MOUNTED_BLOCKS * PAGE_SIZE);
    memcpy(damaged.content, good, (size_t)MOUNTED_BLOCKS * PAGE_SIZE);
    damage(damaged.content);
    is_mounted = diskfs_mount(&damaged.device, &fs, &root) == 0;
    if (is_mounted) {
        looks_left = LOOKS_MAX;
        use_directory(root, 0);
        (void)!diskfs_unmount(fs);
    }
    free(damaged.content);
    assert_int_equal(frank_pages_in_use, 0);
    assert_int_equal(frank_pieces_in_use, 0);
    return is_mounted;
}

static void a_damaged_disk_is_refused_or_used_with_errors(void **state)
{
    u64 first = number_of("SEED", 0), count = number_of("DISKS", DISKS), mounted = 0, i;
    time_t end = time(NULL) + (time_t)number_of("DAMAGE_SECONDS", 0);
    u8 *good;

    (void)state;
    unmount_disk();
    good = malloc((size_t)MOUNTED_BLOCKS * PAGE_SIZE);
    mount_disk();
    fill();
    unmount_disk();
    memcpy(good, disk.content, (size_t)MOUNTED_BLOCKS * PAGE_SIZE);
    for (i = 0; i < count || time(NULL) < end; i++) {
        seed = (first + i) * 2654435761U;
        if (getenv("VERBOSE"))
            print_message("disk %lu\n", first + i);
        mounted += use_disk(good);
    }
    print_message("%lu disks, %lu of them mounted\n", i, mounted);
    free(good);
    mount_disk();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        MOUNTED_TEST(a_damaged_disk_is_refused_or_used_with_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
