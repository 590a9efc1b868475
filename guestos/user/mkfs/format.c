/* SPDX-License-Identifier: MIT */
/* Laying out a disk and writing what an empty file system consists of. */
#include "format.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fnv.h"
#include "frank/diskfs.h"
#include "volume/io.h"

enum format_defaults {
    BLOCKS_PER_INODE = 4,
    BLOCKS_PER_JOURNAL_BLOCK = 64,
    DATA_BLOCKS_MIN = 8,
    HANDLE_IMAGES = 64, /* what a half of the journal holds besides the whole bitmap, at least */
};

static uint32_t blocks_for(uint64_t things, uint32_t per_block)
{
    return (uint32_t)((things + per_block - 1) / per_block);
}

static uint32_t clamp(uint32_t value, uint32_t low, uint32_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* How many blocks the journal has; 0: none, or that many are too few or too many. */
static uint32_t journal_blocks(const struct format_plan *plan, uint32_t bitmap_blocks)
{
    uint32_t least = 2 * (bitmap_blocks + HANDLE_IMAGES), blocks = plan->journal_blocks;

    if (plan->without_journal)
        return 0;
    if (blocks == 0)
        blocks = clamp(plan->block_count / BLOCKS_PER_JOURNAL_BLOCK, least,
                       DISKFS_JOURNAL_BLOCKS_MAX);
    return blocks >= least && blocks <= DISKFS_JOURNAL_BLOCKS_MAX ? blocks : 0;
}

/* 0, or -1: it does not fit. */
static int lay_out(const struct format_plan *plan, struct diskfs_superblock *super)
{
    uint32_t bitmap = blocks_for(plan->block_count, DISKFS_BITS_PER_BLOCK);
    uint64_t inodes = plan->inode_count ? (uint64_t)plan->inode_count + DISKFS_ROOT
                                        : plan->block_count / BLOCKS_PER_INODE;
    uint32_t journal = journal_blocks(plan, bitmap);
    uint64_t data_start;

    *super = (struct diskfs_superblock){
        .magic = DISKFS_MAGIC,
        .version = 1,
        .block_bytes = DISKFS_BLOCK_BYTES,
        .block_count = plan->block_count,
        .journal_start = DISKFS_JOURNAL_START,
        .journal_blocks = journal,
        .bitmap_start = DISKFS_JOURNAL_START + journal,
        .bitmap_blocks = bitmap,
        .inode_start = DISKFS_JOURNAL_START + journal + bitmap,
        .inode_blocks = blocks_for(inodes, DISKFS_INODES_PER_BLOCK),
    };
    data_start = (uint64_t)super->inode_start + super->inode_blocks;
    if (super->inode_blocks == 0 || (journal == 0 && !plan->without_journal) ||
        data_start + DATA_BLOCKS_MIN > plan->block_count)
        return -1;
    super->data_start = (uint32_t)data_start;
    super->checksum = fnv64_update(FNV64_START, super,
                                   offsetof(struct diskfs_superblock, checksum));
    return 0;
}

static int write_zeros(int descriptor, uint32_t start, uint32_t count)
{
    static const char zeros[DISKFS_BLOCK_BYTES];

    for (uint32_t i = 0; i < count; i++) {
        if (io_write_block(descriptor, start + i, zeros) != 0)
            return -1;
    }
    return 0;
}

/* What lies before the data is in use, and so is what lies behind the disk's end. */
static int write_bitmap(int descriptor, const struct diskfs_superblock *super)
{
    for (uint32_t i = 0; i < super->bitmap_blocks; i++) {
        uint8_t bits[DISKFS_BLOCK_BYTES] = {0};

        for (uint32_t j = 0; j < DISKFS_BITS_PER_BLOCK; j++) {
            uint64_t block = (uint64_t)i * DISKFS_BITS_PER_BLOCK + j;

            if (block < super->data_start || block >= super->block_count)
                bits[j / 8] |= (uint8_t)(1U << j % 8);
        }
        if (io_write_block(descriptor, super->bitmap_start + i, bits) != 0)
            return -1;
    }
    return 0;
}

static int write_inodes(int descriptor, const struct diskfs_superblock *super)
{
    struct diskfs_inode inodes[DISKFS_INODES_PER_BLOCK] = {
        [DISKFS_ROOT] = {.mode = S_IFDIR | 0755, .links = 2, .parent = DISKFS_ROOT},
    };

    if (io_write_block(descriptor, super->inode_start, inodes) != 0)
        return -1;
    return write_zeros(descriptor, super->inode_start + 1, super->inode_blocks - 1);
}

/* The superblock comes last: a disk that is half made has none. */
int format_disk(int descriptor, const struct format_plan *plan)
{
    union {
        struct diskfs_superblock super;
        char block[DISKFS_BLOCK_BYTES];
    } first = {.block = {0}};

    if (lay_out(plan, &first.super) != 0) {
        errno = EINVAL;
        return -1;
    }
    if (write_zeros(descriptor, DISKFS_SUPERBLOCK, DISKFS_JOURNAL_START) != 0 ||
        write_zeros(descriptor, first.super.journal_start, first.super.journal_blocks) != 0 ||
        write_bitmap(descriptor, &first.super) != 0 ||
        write_inodes(descriptor, &first.super) != 0 || fsync(descriptor) != 0 ||
        io_write_block(descriptor, DISKFS_SUPERBLOCK, first.block) != 0 || fsync(descriptor) != 0)
        return -1;
    return 0;
}
