/* SPDX-License-Identifier: MIT */
/*
 * fsck under any damage: a small disk (fsck_image.h) is changed in a few places, checked, repaired,
 * checked again. A check writes nothing and says what the repair says; after a repair nothing is
 * found, but for what there was no room to keep, or there is no file system on the disk at all.
 *
 * The input is cut into records of 8 bytes: what is changed, where, and to what.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fnv.h"
#include "fsck_image.h"
#include "volume/map.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

enum {
    RECORD_BYTES = 8,
    RECORDS_MAX = 24,
    IMAGE_BYTES = IMAGE_BLOCKS * DISKFS_BLOCK_BYTES,
    INODES_USED = IMAGE_HOLLOW + 3,
    WORDS_PER_INODE = sizeof(struct diskfs_inode) / sizeof(u32),
};

struct record {
    u8 kind, place;
    u16 offset;
    u32 value;
};

static struct image_check before, repair, after;
static int disk = -1;
static u8 *good;
static u8 damaged[IMAGE_BYTES], seen[IMAGE_BYTES];

static void expect(bool holds)
{
    if (!holds)
        abort();
}

/* Numbers as they stand in files, and others: few values, so that some meet. */
static u32 likely_number(const struct volume *volume, u32 value)
{
    switch (value >> 24 & 3) {
    case 0:
        return volume->super.data_start + (value & 63);
    case 1:
        return value & 1023;
    case 2:
        return value & 15;
    default:
        return value;
    }
}

static void change_inode(struct volume *volume, const struct record *record)
{
    u32 number = record->place % INODES_USED;
    u32 *slots = volume_change(volume, volume->super.inode_start);

    slots[number * WORDS_PER_INODE + record->offset % 22] = likely_number(volume, record->value);
}

static void change_entry(struct volume *volume, const struct record *record)
{
    static const u32 directories[] = {DISKFS_ROOT, IMAGE_DIR, IMAGE_SUB, IMAGE_WIDE, IMAGE_HOLLOW};
    u32 directory = directories[record->place % ARRAY_SIZE(directories)];
    struct diskfs_inode inode = volume_load_inode(volume, directory);
    u32 block = volume_find_part(volume, &inode, record->place / 64);

    if (block < volume->super.data_start || block >= volume->super.block_count)
        return;
    if (record->offset & 0x8000)
        ((u8 *)volume_change(volume, block))[record->offset % 512] = (u8)record->value;
    else
        ((u32 *)volume_change(volume, block))[record->offset % 64] = record->value & 31;
}

static void change_block(struct volume *volume, const struct record *record)
{
    u32 block = volume->super.bitmap_start + record->place % 64;
    u32 *words = volume_change(volume, block);

    words[record->offset % DISKFS_NUMBERS_PER_BLOCK] = likely_number(volume, record->value);
}

/* A good superblock of another shape, or a bad one. */
static void change_superblock(struct volume *volume, const struct record *record)
{
    struct diskfs_superblock *super = volume_change(volume, DISKFS_SUPERBLOCK);

    if (record->offset & 0x100)
        ((u32 *)super)[record->offset % (sizeof(*super) / sizeof(u32))] = record->value % 600;
    else
        super->block_count -= record->value % 200;
    if (record->place & 1)
        super->checksum = fnv64_update(FNV64_START, super,
                                       offsetof(struct diskfs_superblock, checksum));
}

/* A transaction with images of other blocks. */
static void add_transaction(struct volume *volume, const struct record *record)
{
    u8 images[2][DISKFS_BLOCK_BYTES];
    u32 targets[2] = {
        DISKFS_ORPHANS + (record->place & 2 ? volume->super.bitmap_start - 1 : 0),
        volume->super.inode_start + (record->offset & 63),
    };

    memcpy(images[0], volume_look(volume, targets[0]), DISKFS_BLOCK_BYTES);
    memcpy(images[1], volume_look(volume, targets[1]), DISKFS_BLOCK_BYTES);
    images[0][record->offset % 256] ^= (u8)record->value;
    images[1][record->offset % DISKFS_BLOCK_BYTES] ^= (u8)(record->value >> 8);
    image_journal(volume, record->place & 1, 1 + (record->value >> 16), 2, targets,
                  (const void *)images);
}

static void change_orphans(struct volume *volume, const struct record *record)
{
    struct diskfs_orphans *orphans = volume_change(volume, DISKFS_ORPHANS);

    orphans->inodes[record->offset % 16] = record->place & 1 ? record->value : record->value & 15;
}

static void apply(struct volume *volume, const struct record *record)
{
    static void (*const changes[])(struct volume *, const struct record *) = {
        change_inode, change_inode, change_inode,   change_entry,
        change_entry, change_block, change_orphans, add_transaction,
    };

    if (record->kind == UINT8_MAX)
        change_superblock(volume, record);
    else
        changes[record->kind % ARRAY_SIZE(changes)](volume, record);
}

static void damage(const u8 *data, size_t bytes)
{
    struct volume *volume = image_begin(disk);

    for (unsigned i = 0; i < RECORDS_MAX && bytes >= RECORD_BYTES; i++) {
        struct record record;

        memcpy(&record, data, sizeof(record));
        apply(volume, &record);
        data += RECORD_BYTES;
        bytes -= RECORD_BYTES;
    }
    image_end(volume);
}

static void check_all(void)
{
    expect(pread(disk, damaged, IMAGE_BYTES, 0) == IMAGE_BYTES);
    image_check(disk, false, &before);
    expect(pread(disk, seen, IMAGE_BYTES, 0) == IMAGE_BYTES);
    expect(memcmp(damaged, seen, IMAGE_BYTES) == 0);

    image_check(disk, true, &repair);
    expect(strcmp(before.lines, repair.lines) == 0);
    expect((before.result.state == FSCK_FAILED) == (repair.result.state == FSCK_FAILED));
    expect(repair.result.state != FSCK_DAMAGED || repair.result.left_count > 0);
    if (repair.result.state == FSCK_FAILED)
        return;
    image_check(disk, false, &after);
    expect(after.result.finding_count == repair.result.left_count);
    expect(after.result.free_blocks == repair.result.free_blocks);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
    if (disk < 0) {
        disk = image_open();
        image_make(disk);
        good = image_save(disk);
    }
    image_restore(disk, good);
    damage(data, bytes);
    check_all();
    return 0;
}
