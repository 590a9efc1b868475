/* SPDX-License-Identifier: MIT */
/*
 * Frank's disk file system as it lies on the disk: for the kernel, for mkfs and for fsck.
 *
 *   block 0   superblock: where everything is; written by mkfs and never again
 *   block 1   orphans: inodes to free at the next mount (removed while open)
 *   journal   two halves of the same size: a head, then images of blocks
 *   bitmap    one bit a block of the disk, set: in use (all before data_start is)
 *   inodes    DISKFS_INODES_PER_BLOCK a block; number 0 is no inode, 1 is the root
 *   data      content of files and directories, and blocks of block numbers
 *
 * Numbers are little-endian. A block number 0 where data is expected is a hole.
 *
 * The journal. A transaction is a set of blocks that change together. Its images are written into
 * one half, then, after a flush, the half's head, which lists where they belong: from then on,
 * after another flush, the transaction holds, and its blocks are written to their places. The next
 * transaction uses the other half; its first flush is also the one for these places. So of the two
 * heads the one with the higher sequence is the last transaction that holds, and copying its images
 * to their places again is always right: that is all there is to recovery. It needs one rule: a
 * block that a transaction frees is not used again before that transaction holds.
 * A head whose checksum is wrong was being written when the machine stopped.
 */
#pragma once

#include <stdint.h>

#define DISKFS_MAGIC 0x3153464b4e415246UL         /* "FRANKFS1" */
#define DISKFS_JOURNAL_MAGIC 0x4c4e524a4b4e5246UL /* "FRNKJRNL" */

enum diskfs_shape {
    DISKFS_BLOCK_BYTES = 4096,
    DISKFS_SUPERBLOCK = 0,
    DISKFS_ORPHANS = 1,
    DISKFS_JOURNAL_START = 2,

    DISKFS_ROOT = 1, /* the root's inode number */
    DISKFS_DIRECT = 12,
    DISKFS_INODES_PER_BLOCK = 32,
    DISKFS_NUMBERS_PER_BLOCK = DISKFS_BLOCK_BYTES / 4,
    DISKFS_BITS_PER_BLOCK = DISKFS_BLOCK_BYTES * 8,
    DISKFS_JOURNAL_BLOCKS_MIN = 2 * 64,
    DISKFS_JOURNAL_BLOCKS_MAX = 2 * 1000,
    DISKFS_IMAGES_MAX = 1016, /* block numbers that fit a journal's head */
    DISKFS_NAME_MAX = 255,
    DISKFS_LINKS_MAX = 65000,
};

/* Blocks of a file that direct numbers, one block of numbers, and a block of such blocks reach. */
#define DISKFS_FILE_BLOCKS                                \
    ((uint64_t)DISKFS_DIRECT + DISKFS_NUMBERS_PER_BLOCK + \
     (uint64_t)DISKFS_NUMBERS_PER_BLOCK * DISKFS_NUMBERS_PER_BLOCK)
#define DISKFS_FILE_BYTES (DISKFS_FILE_BLOCKS * DISKFS_BLOCK_BYTES)

struct diskfs_superblock {
    uint64_t magic;
    uint32_t version; /* 1 */
    uint32_t block_bytes;
    uint32_t block_count; /* of the whole file system, this one included */
    uint32_t journal_start;
    uint32_t journal_blocks; /* both halves; 0: none, for a disk in memory */
    uint32_t bitmap_start;
    uint32_t bitmap_blocks;
    uint32_t inode_start;
    uint32_t inode_blocks;
    uint32_t data_start;
    uint64_t checksum; /* FNV-1a 64 of the fields above */
};

struct diskfs_orphans {
    uint32_t inodes[DISKFS_NUMBERS_PER_BLOCK]; /* 0: no orphan here */
};

/* The head of a half of the journal. */
struct diskfs_journal_head {
    uint64_t magic;
    uint64_t checksum; /* FNV-1a 64 of all that follows, to the last target in use */
    uint64_t sequence; /* from 1 on */
    uint32_t image_count;
    uint32_t reserved;
    uint32_t targets[DISKFS_IMAGES_MAX]; /* image i, i + 1 blocks behind the head, belongs there */
};

/* The type in the high bits of the mode, as frank/mode.h has it: regular file or directory. */
struct diskfs_inode {
    uint32_t mode; /* 0: a free inode */
    uint32_t links;
    uint64_t size_bytes; /* of a directory: whole blocks, without holes */
    int64_t modified_ns;
    uint32_t block_count; /* data blocks and blocks of numbers */
    uint32_t parent;      /* of a directory: the inode of its ".."; else 0 */
    uint32_t direct[DISKFS_DIRECT];
    uint32_t indirect;        /* a block of numbers */
    uint32_t double_indirect; /* a block of numbers of such blocks */
    uint32_t reserved[10];
};

/*
 * A directory's blocks are filled with entries, one behind the other, none over a block's end.
 * Inode 0 is free room. After the last name removed, its room joins the free room beside it only
 * when room is looked for: so an entry's offset stays its own while it has a name.
 */
struct diskfs_entry {
    uint32_t inode;
    uint16_t entry_bytes; /* to the next entry; a multiple of DISKFS_ENTRY_ALIGN */
    uint8_t name_bytes;   /* 1 to 255, no zero, no slash; not "." or ".." */
    uint8_t is_directory; /* 1 or 0 */
    char name[];          /* without a zero at the end */
};

enum diskfs_entry_shape {
    DISKFS_ENTRY_ALIGN = 8,
    DISKFS_ENTRY_HEAD_BYTES = 8,
};

_Static_assert(sizeof(struct diskfs_inode) * DISKFS_INODES_PER_BLOCK == DISKFS_BLOCK_BYTES,
               "inode");
_Static_assert(sizeof(struct diskfs_journal_head) == DISKFS_BLOCK_BYTES, "journal's head");
_Static_assert(sizeof(struct diskfs_entry) == DISKFS_ENTRY_HEAD_BYTES, "entry");

/* The room that an entry with a name of this length takes at least. */
static inline uint32_t diskfs_entry_bytes(uint32_t name_bytes)
{
    uint32_t bytes = DISKFS_ENTRY_HEAD_BYTES + name_bytes;

    return (bytes + DISKFS_ENTRY_ALIGN - 1) / DISKFS_ENTRY_ALIGN * DISKFS_ENTRY_ALIGN;
}
