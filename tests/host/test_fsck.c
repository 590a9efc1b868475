/* SPDX-License-Identifier: MIT */
/*
 * What fsck finds: a good disk is damaged in one place; a check says so and writes nothing, a
 * repair says the same, and after it nothing is found.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "fsck_image.h"
#include "types.h"
#include "volume/directory.h"
#include "volume/map.h"

struct damage {
    const char *name;
    void (*make)(struct volume *volume);
    const char *line;                    /* a part of what is said */
    void (*look)(struct volume *volume); /* at the repaired disk, or NULL */
};

static void change_inode(struct volume *volume, uint32_t number,
                         void (*change)(struct volume *, struct diskfs_inode *))
{
    struct diskfs_inode inode = volume_load_inode(volume, number);

    change(volume, &inode);
    volume_store_inode(volume, number, &inode);
}

/* A damage that is a change of one inode: its name is the function's that makes it. */
#define INODE_DAMAGE(damage, number, statement)                                   \
    static void damage##_there(struct volume *volume, struct diskfs_inode *inode) \
    {                                                                             \
        (void)volume;                                                             \
        statement;                                                                \
    }                                                                             \
    static void damage(struct volume *volume)                                     \
    {                                                                             \
        change_inode(volume, number, damage##_there);                             \
    }

/* And of one entry. */
#define ENTRY_DAMAGE(damage, directory, name_of_it, statement)                   \
    static void damage(struct volume *volume)                                    \
    {                                                                            \
        struct diskfs_entry *entry = image_entry(volume, directory, name_of_it); \
                                                                                 \
        statement;                                                               \
    }

/* ---- inodes ------------------------------------------------------------------------------------
 */

INODE_DAMAGE(mode_of_nothing, IMAGE_DEEP, inode->mode = S_IFLNK | 0777)
INODE_DAMAGE(mode_with_bits, IMAGE_FILE, inode->mode |= 0x10000000)
INODE_DAMAGE(root_is_file, DISKFS_ROOT, inode->mode = S_IFREG | 0644)
INODE_DAMAGE(root_is_free, DISKFS_ROOT, memset(inode, 0, sizeof(*inode)))
INODE_DAMAGE(inode_zero, 0, inode->mode = S_IFREG | 0644)
INODE_DAMAGE(size_too_large, IMAGE_FILE, inode->size_bytes = DISKFS_FILE_BYTES + 1)
INODE_DAMAGE(wrong_count, IMAGE_BIG, inode->block_count--)
INODE_DAMAGE(parent_of_file, IMAGE_FILE, inode->parent = 1)
INODE_DAMAGE(block_of_inodes, IMAGE_FILE, inode->direct[1] = volume->super.inode_start)
INODE_DAMAGE(block_behind_end, IMAGE_FILE, inode->direct[1] = IMAGE_BLOCKS)
INODE_DAMAGE(numbers_outside, IMAGE_BIG, inode->indirect = UINT32_MAX)
INODE_DAMAGE(directory_short, IMAGE_WIDE, inode->size_bytes = DISKFS_BLOCK_BYTES)
INODE_DAMAGE(directory_long, IMAGE_WIDE, inode->size_bytes = DISKFS_FILE_BYTES)
INODE_DAMAGE(directory_uneven, IMAGE_WIDE, inode->size_bytes--)
INODE_DAMAGE(directory_hole, IMAGE_WIDE, inode->direct[1] = 0)
INODE_DAMAGE(few_links, IMAGE_FILE, inode->links = 1)
INODE_DAMAGE(many_links_of_directory, IMAGE_DIR, inode->links = 7)
INODE_DAMAGE(wrong_parent, IMAGE_SUB, inode->parent = IMAGE_WIDE)
INODE_DAMAGE(wrong_parent_of_root, DISKFS_ROOT, inode->parent = IMAGE_DIR)
INODE_DAMAGE(orphan_without_links, IMAGE_CUT, inode->links = 0)

static void number_in_numbers(struct volume *volume)
{
    struct diskfs_inode inode = volume_load_inode(volume, IMAGE_BIG);

    ((uint32_t *)volume_change(volume, inode.indirect))[2] = DISKFS_SUPERBLOCK + 1;
}

static void share(struct volume *volume)
{
    struct diskfs_inode inode = volume_load_inode(volume, IMAGE_DEEP);

    inode.direct[0] = volume_load_inode(volume, IMAGE_FILE).direct[0];
    volume_store_inode(volume, IMAGE_DEEP, &inode);
}

static void is_copied(struct volume *volume)
{
    struct diskfs_inode one = volume_load_inode(volume, IMAGE_FILE);
    struct diskfs_inode other = volume_load_inode(volume, IMAGE_DEEP);
    const uint8_t *copy;

    assert_int_not_equal(one.direct[0], other.direct[0]);
    copy = volume_look(volume, other.direct[0]);
    assert_int_equal(copy[0], IMAGE_FILE);
    assert_int_equal(copy[DISKFS_BLOCK_BYTES - 1], IMAGE_FILE);
}

static void share_on_full_disk(struct volume *volume)
{
    struct diskfs_inode inode = volume_load_inode(volume, IMAGE_HUGE);
    uint32_t block;

    volume_set_used(volume, volume_load_inode(volume, IMAGE_DEEP).direct[0], false);
    share(volume);
    for (uint64_t i = 1; (block = volume_take_block(volume)) != 0; i++) {
        if (volume_set_part(volume, &inode, i, block) != 0)
            volume_set_used(volume, block, false);
    }
    volume_store_inode(volume, IMAGE_HUGE, &inode);
    volume_store_bitmap(volume);
}

static void share_numbers(struct volume *volume)
{
    struct diskfs_inode inode = volume_load_inode(volume, IMAGE_HUGE);

    inode.indirect = volume_load_inode(volume, IMAGE_BIG).indirect;
    volume_store_inode(volume, IMAGE_HUGE, &inode);
}

/* All names that were in the blocks that are left. */
static void is_packed(struct volume *volume)
{
    struct diskfs_inode inode = volume_load_inode(volume, IMAGE_WIDE);

    assert_int_equal(inode.size_bytes, 2 * DISKFS_BLOCK_BYTES);
    assert_int_not_equal(inode.direct[1], 0);
    assert_int_equal(inode.direct[2], 0);
    assert_int_equal(volume_load_inode(volume, IMAGE_EMPTY).links, 1 + IMAGE_WIDE_NAMES - 19);
}

static void has_all_names(struct volume *volume)
{
    assert_int_equal(volume_load_inode(volume, IMAGE_WIDE).size_bytes, 3 * DISKFS_BLOCK_BYTES);
    assert_int_equal(volume_load_inode(volume, IMAGE_EMPTY).links, 1 + IMAGE_WIDE_NAMES);
}

/* ---- names -------------------------------------------------------------------------------------
 */

ENTRY_DAMAGE(entry_of_no_bytes, DISKFS_ROOT, "dir", entry->entry_bytes = 0)
ENTRY_DAMAGE(entry_too_long, DISKFS_ROOT, "dir", entry->entry_bytes = DISKFS_BLOCK_BYTES)
ENTRY_DAMAGE(entry_uneven, DISKFS_ROOT, "dir", entry->entry_bytes++)
ENTRY_DAMAGE(name_too_long, DISKFS_ROOT, "dir", entry->name_bytes = 200)
ENTRY_DAMAGE(name_with_slash, DISKFS_ROOT, "dir", entry->name[1] = '/')
ENTRY_DAMAGE(name_with_zero, DISKFS_ROOT, "dir", entry->name[1] = '\0')
ENTRY_DAMAGE(name_of_dots, IMAGE_SUB, "deep", (entry->name_bytes = 2, memcpy(entry->name, "..", 2)))
ENTRY_DAMAGE(name_of_large, IMAGE_SUB, "deep", entry->inode = 1000000)
ENTRY_DAMAGE(name_of_free, IMAGE_SUB, "deep", entry->inode = IMAGE_UNUSED)
ENTRY_DAMAGE(file_called_directory, IMAGE_SUB, "deep", entry->is_directory = 1)
ENTRY_DAMAGE(directory_called_file, IMAGE_DIR, "sub", entry->is_directory = 0)
ENTRY_DAMAGE(same_name, DISKFS_ROOT, "huge", memcpy(entry->name, "wide", 4))
ENTRY_DAMAGE(second_directory, DISKFS_ROOT, "empty",
             (entry->inode = IMAGE_SUB, entry->is_directory = 1))
ENTRY_DAMAGE(name_of_root, IMAGE_DIR, "second",
             (entry->inode = DISKFS_ROOT, entry->is_directory = 1))

/* The directory keeps the name where its parent is. */
static void is_where_it_was(struct volume *volume)
{
    struct diskfs_inode root = volume_load_inode(volume, DISKFS_ROOT);
    struct diskfs_inode directory = volume_load_inode(volume, IMAGE_DIR);
    bool is_directory;

    assert_int_equal(volume_find_name(volume, &root, "empty", &is_directory), 0);
    assert_int_equal(volume_find_name(volume, &directory, "sub", &is_directory), IMAGE_SUB);
}

/* ---- what is lost ------------------------------------------------------------------------------
 */

ENTRY_DAMAGE(lost_file, DISKFS_ROOT, "big", entry->inode = 0)
ENTRY_DAMAGE(lost_directory, DISKFS_ROOT, "dir", entry->inode = 0)
ENTRY_DAMAGE(lost_empty_file, DISKFS_ROOT, "nothing", entry->inode = 0)
ENTRY_DAMAGE(lost_empty_directory, DISKFS_ROOT, "hollow", entry->inode = 0)

static uint32_t lost(struct volume *volume, const char *folder, const char *name)
{
    struct diskfs_inode directory = volume_load_inode(volume, DISKFS_ROOT);
    bool is_directory = false;
    uint32_t number = volume_find_name(volume, &directory, folder, &is_directory);

    if (number == 0 || !is_directory)
        return 0;
    directory = volume_load_inode(volume, number);
    return volume_find_name(volume, &directory, name, &is_directory);
}

static void big_is_there(struct volume *volume)
{
    assert_int_equal(lost(volume, "lost+found", "3"), IMAGE_BIG);
    assert_int_equal(volume_load_inode(volume, IMAGE_BIG).block_count, IMAGE_BIG_BLOCKS + 1);
}

/* With what is below it. */
static void directory_is_there(struct volume *volume)
{
    struct diskfs_inode directory = volume_load_inode(volume, IMAGE_DIR);
    bool is_directory;

    assert_int_equal(lost(volume, "lost+found", "4"), IMAGE_DIR);
    assert_int_equal(volume_find_name(volume, &directory, "sub", &is_directory), IMAGE_SUB);
}

static void nothing_is_freed(struct volume *volume)
{
    assert_int_equal(lost(volume, "lost+found", "12"), 0);
    assert_int_equal(volume_load_inode(volume, IMAGE_NOTHING).mode, 0);
}

/* Two directories, each below the other. */
static void cycle(struct volume *volume)
{
    struct diskfs_entry *entry = image_entry(volume, DISKFS_ROOT, "dir");
    struct diskfs_inode inode = volume_load_inode(volume, IMAGE_DIR);

    entry->inode = 0;
    entry = image_entry(volume, IMAGE_SUB, "deep");
    entry->inode = IMAGE_DIR;
    entry->is_directory = 1;
    inode.parent = IMAGE_SUB;
    volume_store_inode(volume, IMAGE_DIR, &inode);
}

static void lost_beside_name(struct volume *volume)
{
    struct diskfs_entry *entry = image_entry(volume, DISKFS_ROOT, "big");
    struct diskfs_inode root = volume_load_inode(volume, DISKFS_ROOT);

    entry->inode = 0;
    assert_int_equal(volume_add_name(volume, &root, 0, "lost+found", IMAGE_DEEP, false), 0);
    volume_store_inode(volume, DISKFS_ROOT, &root);
}

static void big_is_elsewhere(struct volume *volume)
{
    assert_int_equal(lost(volume, "lost+found.1", "3"), IMAGE_BIG);
}

/* ---- orphans and the bitmap --------------------------------------------------------------------
 */

static void set_orphan(struct volume *volume, unsigned index, uint32_t number)
{
    ((struct diskfs_orphans *)volume_change(volume, DISKFS_ORPHANS))->inodes[index] = number;
}

static void orphan_of_nothing(struct volume *volume)
{
    set_orphan(volume, 9, 1000000);
}

static void orphan_that_is_free(struct volume *volume)
{
    set_orphan(volume, 9, IMAGE_UNUSED);
}

static void orphan_twice(struct volume *volume)
{
    set_orphan(volume, 9, IMAGE_REMOVED);
}

static void orphan_forgotten(struct volume *volume)
{
    set_orphan(volume, 0, 0);
}

static void set_bit(struct volume *volume, uint32_t block, bool used)
{
    volume_set_used(volume, block, used);
    memcpy(volume_change(volume, volume->super.bitmap_start), volume->in_use, DISKFS_BLOCK_BYTES);
}

static void used_block_free(struct volume *volume)
{
    set_bit(volume, volume_load_inode(volume, IMAGE_FILE).direct[2], false);
}

static void free_blocks_used(struct volume *volume)
{
    set_bit(volume, IMAGE_BLOCKS - 3, true);
    set_bit(volume, IMAGE_BLOCKS - 2, true);
}

static void superblock_free(struct volume *volume)
{
    set_bit(volume, DISKFS_SUPERBLOCK, false);
}

static void end_free(struct volume *volume)
{
    set_bit(volume, IMAGE_BLOCKS, false);
}

static const struct damage damages[] = {
    {"mode_of_nothing", mode_of_nothing, "inode 6: mode 0120777 is neither a file's nor", NULL},
    {"mode_with_bits", mode_with_bits, "inode 2: mode 02000100644 has bits that mean nothing",
     NULL},
    {"root_is_file", root_is_file, "inode 1: the root has mode 0100644 -> a directory", NULL},
    {"root_is_free", root_is_free, "inode 1: the root has mode 00 -> a directory", big_is_there},
    {"inode_zero", inode_zero, "inode 0: it is in use, but is no inode -> freed", NULL},
    {"size_too_large", size_too_large, "inode 2: nothing can have 4299210753 bytes", NULL},
    {"wrong_count", wrong_count, "inode 3: it has 21 blocks, and says 20 -> count set", NULL},
    {"parent_of_file", parent_of_file, "inode 2: a file has a parent, 1 -> cleared", NULL},
    {"block_of_inodes", block_of_inodes, "for part 1 is outside of the data -> a hole", NULL},
    {"block_behind_end", block_behind_end, "inode 2: block 512 for part 1 is outside", NULL},
    {"numbers_outside", numbers_outside, "inode 3: block of numbers 4294967295 for part 12", NULL},
    {"number_in_numbers", number_in_numbers, "inode 3: block 1 for part 14 is outside", NULL},
    {"share", share, "for part 0 is in use elsewhere, too -> a copy", is_copied},
    {"share_on_full_disk", share_on_full_disk, "is in use elsewhere, too -> a hole", NULL},
    {"share_numbers", share_numbers, "for part 12 is in use elsewhere, too -> a hole", NULL},
    {"directory_short", directory_short, "inode 8: a directory of 3 blocks has 4096",
     has_all_names},
    {"directory_long", directory_long, "inode 8: a directory of 3 blocks has 42992", has_all_names},
    {"directory_uneven", directory_uneven, "inode 8: a directory of 3 blocks has 12",
     has_all_names},
    {"directory_hole", directory_hole, "inode 8: a directory of 2 blocks has holes", is_packed},
    {"few_links", few_links, "inode 2: it has 1 links, and should have 2 -> set", NULL},
    {"many_links_of_directory", many_links_of_directory, "inode 4: it has 7 links, and should",
     NULL},
    {"wrong_parent", wrong_parent, "inode 5: its parent is 8, and should be 4 -> set", NULL},
    {"wrong_parent_of_root", wrong_parent_of_root, "inode 1: its parent is 4, and should", NULL},
    {"orphan_without_links", orphan_without_links, "inode 10: it has 0 links, and should have 1",
     NULL},
    {"entry_of_no_bytes", entry_of_no_bytes, "inode 1: at 32 of block 0 of the directory", NULL},
    {"entry_too_long", entry_too_long, "inode 1: at 32 of block 0 of the directory", NULL},
    {"entry_uneven", entry_uneven, "of block 0 of the directory is no entry -> free room", NULL},
    {"name_too_long", name_too_long, "of block 0 of the directory is no entry -> free", NULL},
    {"name_with_slash", name_with_slash, "inode 1: its name d/r for inode 4 is none", NULL},
    {"name_with_zero", name_with_zero, "inode 1: its name d?r for inode 4 is none", NULL},
    {"name_of_dots", name_of_dots, "inode 5: its name .. for inode 6 is none -> dropped", NULL},
    {"name_of_large", name_of_large, "its name deep for inode 1000000 leads nowhere", NULL},
    {"name_of_free", name_of_free, "its name deep for inode 100 leads nowhere", NULL},
    {"file_called_directory", file_called_directory, "calls inode 6 a directory -> set", NULL},
    {"directory_called_file", directory_called_file, "calls inode 5 a file -> set", NULL},
    {"same_name", same_name, "inode 1: its name wide for inode 11 is there twice", NULL},
    {"second_directory", second_directory, "its name empty for inode 5 is not its only one",
     is_where_it_was},
    {"name_of_root", name_of_root, "its name second for inode 1 is not its only one", NULL},
    {"lost_file", lost_file, "inode 3: a file without a name -> in /lost+found", big_is_there},
    {"lost_directory", lost_directory, "inode 4: a directory without a name -> in /lost",
     directory_is_there},
    {"lost_empty_file", lost_empty_file, "inode 12: an empty file without a name -> freed",
     nothing_is_freed},
    {"lost_empty_directory", lost_empty_directory, "inode 13: an empty directory without", NULL},
    {"cycle", cycle, "a directory without a name -> in /lost+found", NULL},
    {"lost_beside_name", lost_beside_name, "inode 3: a file without a name", big_is_elsewhere},
    {"orphan_of_nothing", orphan_of_nothing, "orphans: inode 1000000 does not exist", NULL},
    {"orphan_that_is_free", orphan_that_is_free, "orphans: inode 100 is free -> cleared", NULL},
    {"orphan_twice", orphan_twice, "orphans: inode 9 is there twice -> cleared", NULL},
    {"orphan_forgotten", orphan_forgotten, "inode 9: a file without a name -> in", NULL},
    {"used_block_free", used_block_free, "is in use, and free there -> set", NULL},
    {"free_blocks_used", free_blocks_used, "bitmap: blocks 509 to 510 are free, and in use", NULL},
    {"superblock_free", superblock_free, "bitmap: block 0 is in use, and free there", NULL},
    {"end_free", end_free, "bitmap: bits behind the disk's end are clear -> set", NULL},
};

static void damage_is_found_and_repaired(void **state)
{
    const struct damage *damage = *state;
    static struct image_check before, repair, after;
    int descriptor = image_open();
    struct volume *volume;
    uint8_t *damaged, *seen;

    image_make(descriptor);
    volume = image_begin(descriptor);
    damage->make(volume);
    image_end(volume);
    damaged = image_save(descriptor);

    image_check(descriptor, false, &before);
    seen = image_save(descriptor);
    assert_int_equal(before.result.state, FSCK_DAMAGED);
    if (!strstr(before.lines, damage->line))
        fail_msg("%s: not said: %s; but:\n%s", damage->name, damage->line, before.lines);
    assert_memory_equal(seen, damaged, (size_t)IMAGE_BLOCKS * DISKFS_BLOCK_BYTES);

    image_check(descriptor, true, &repair);
    assert_int_equal(repair.result.state, FSCK_REPAIRED);
    assert_string_equal(repair.lines, before.lines);
    image_check(descriptor, false, &after);
    assert_string_equal(after.lines, "");
    assert_int_equal(after.result.state, FSCK_CLEAN);
    if (damage->look) {
        volume = image_begin(descriptor);
        damage->look(volume);
        image_end(volume);
    }
    free(damaged);
    free(seen);
    close(descriptor);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_SIZE(damages)];

    for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
        tests[i] = (struct CMUnitTest){
            .name = damages[i].name,
            .test_func = damage_is_found_and_repaired,
            .initial_state = (void *)&damages[i],
        };
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
