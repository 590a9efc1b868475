/* SPDX-License-Identifier: MIT */
/*
 * A small disk with one of everything, in memory, to be damaged and checked:
 *
 *   /file      inode 2, three blocks; also /dir/second
 *   /big       inode 3, needs a block of numbers
 *   /dir       inode 4;  /dir/sub  inode 5;  /dir/sub/deep  inode 6, one block
 *   /empty     inode 7; also each name of /wide
 *   /wide      inode 8, a directory of three blocks
 *   (no name)  inode 9, one block: removed while open
 *   /cut       inode 10: three blocks, of which all but the first are to be cut
 *   /huge      inode 11: one block at its beginning, one that takes two blocks of numbers
 *   /nothing   inode 12: an empty file
 *   /hollow    inode 13: a directory with a block and no names
 */
#pragma once

#include "fsck/check.h"
#include "volume/volume.h"

enum image_shape {
    IMAGE_BLOCKS = 512,
    IMAGE_INODES = 100,
    IMAGE_BIG_BLOCKS = 20,
    IMAGE_WIDE_NAMES = 45,
    IMAGE_CUT_BLOCKS = 3,
    IMAGE_FILE_BLOCKS = 3,
    IMAGE_HUGE_PART = DISKFS_DIRECT + DISKFS_NUMBERS_PER_BLOCK + 5,
};

enum image_inode {
    IMAGE_FILE = 2,
    IMAGE_BIG,
    IMAGE_DIR,
    IMAGE_SUB,
    IMAGE_DEEP,
    IMAGE_EMPTY,
    IMAGE_WIDE,
    IMAGE_REMOVED,
    IMAGE_CUT,
    IMAGE_HUGE,
    IMAGE_NOTHING,
    IMAGE_HOLLOW,
    IMAGE_UNUSED = 100,
};

/* A file in memory, to be closed by the caller. */
int image_open(void);

/* Make the disk there. */
void image_make(int descriptor);

/* All of a file in memory; to be freed. And make the file this. */
uint8_t *image_save(int descriptor);
void image_restore(int descriptor, const uint8_t *bytes);

/* What a check said. */
struct image_check {
    struct fsck_result result;
    char lines[64 * 1024];
};
void image_check(int descriptor, bool repair, struct image_check *check);

/* The volume there, with what the bitmap says in use; and the end, with what was changed written.
 */
struct volume *image_begin(int descriptor);
void image_end(struct volume *volume);

/* Where the name stands in a directory, to be changed; NULL: nowhere. */
struct diskfs_entry *image_entry(struct volume *volume, uint32_t directory, const char *name);

/* Put a transaction into a half of the journal: for each target its image. */
void image_journal(struct volume *volume, unsigned half, uint64_t sequence, uint32_t count,
                   const uint32_t *targets, const uint8_t (*images)[DISKFS_BLOCK_BYTES]);
