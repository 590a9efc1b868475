/* SPDX-License-Identifier: MIT */
/*
 * A disk file system (frank/diskfs.h) in the hands of a program, while nobody has it mounted: for
 * mkfs, which fills it, and for fsck.
 *
 * Changes stay in memory until volume_flush(): who never calls that has only looked. So fsck works
 * in the same way whether it is to repair or not.
 *
 * What fails (the device, memory) is remembered in `error`, and the work goes on with zeros: all
 * loops end by themselves. Who is done asks once; a volume with an error writes nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "frank/diskfs.h"

#define VOLUME_NO_BLOCK UINT32_MAX

struct volume {
    int descriptor;
    struct diskfs_superblock super;
    uint32_t inode_limit; /* inode numbers are below */

    int error;            /* errno of the first failure, or 0 */
    uint32_t error_block; /* where, or VOLUME_NO_BLOCK */

    uint32_t changed_count;
    uint8_t **changed; /* for each block: what it is to be, or NULL: as it is on the disk */
    uint8_t *in_use;   /* a bit for each block, in the bitmap's order; set behind the end, too */
    uint32_t next_block, next_inode; /* where to look for a free one first */

    uint32_t cached_block; /* VOLUME_NO_BLOCK: none */
    _Alignas(uint64_t) uint8_t cached[DISKFS_BLOCK_BYTES];
    _Alignas(
        uint64_t) uint8_t scratch[DISKFS_BLOCK_BYTES]; /* what is changed when there is no memory */
};

/* Why a superblock is refused; NULL: it is sound, on a device of so many blocks. The kernel's mount
   has the same rules. */
const char *volume_refuse(const struct diskfs_superblock *super, uint64_t device_blocks);

/*
 * Open what `descriptor` names; it stays the caller's. Nothing is in use but what lies before the
 * data. NULL, or why not; `error` is set if that is errno's. To be closed only if it was opened.
 */
const char *volume_open(struct volume *volume, int descriptor);

/* Forget it, with what was not flushed. */
void volume_close(struct volume *volume);

/* A block as it is now, until the next call for this volume: zeros after an error. */
const void *volume_look(struct volume *volume, uint32_t block);

/* A block, to be changed; the place stays until the next flush. */
void *volume_change(struct volume *volume, uint32_t block);

/* The same for a block whose content does not matter any more: zeros. */
void *volume_renew(struct volume *volume, uint32_t block);

/* Write one block at once; it is not among the changed. For the content of files. */
void volume_write(struct volume *volume, uint32_t block, const void *content);

/* Write what was changed and make it last; 0, or -1 with `error`. Writes nothing after an error. */
int volume_flush(struct volume *volume);

/* Make last what was written; as volume_flush(). */
int volume_sync(struct volume *volume);

/* Remember that something failed, at a block or VOLUME_NO_BLOCK. */
void volume_fail(struct volume *volume, int error, uint32_t block);

/* ---- blocks and inodes -------------------------------------------------------------------------
 */

static inline bool volume_is_data(const struct volume *volume, uint32_t block)
{
    return block >= volume->super.data_start && block < volume->super.block_count;
}

static inline bool volume_is_used(const struct volume *volume, uint64_t block)
{
    return volume->in_use[block / 8] >> block % 8 & 1;
}

static inline void volume_set_used(struct volume *volume, uint64_t block, bool used)
{
    uint8_t bit = (uint8_t)(1U << block % 8);

    volume->in_use[block / 8] = (uint8_t)(used ? volume->in_use[block / 8] | bit
                                               : volume->in_use[block / 8] & ~bit);
}

/* A block that was free, in use now; its content is what it was. 0: there is none. */
uint32_t volume_take_block(struct volume *volume);

/* Free blocks; and the first block behind which all are free. */
uint32_t volume_count_free(const struct volume *volume);
uint32_t volume_used_end(const struct volume *volume);

/* Blocks of the bitmap that have a bit of a block of this file system. */
static inline uint32_t volume_bitmap_blocks(const struct volume *volume)
{
    return (uint32_t)(((uint64_t)volume->super.block_count + DISKFS_BITS_PER_BLOCK - 1) /
                      DISKFS_BITS_PER_BLOCK);
}

/* Bring `in_use` to the bitmap. */
void volume_store_bitmap(struct volume *volume);

struct diskfs_inode volume_load_inode(struct volume *volume, uint32_t number);
void volume_store_inode(struct volume *volume, uint32_t number, const struct diskfs_inode *inode);

/* The number of a free inode, which is free until one with a mode is stored there. 0: none is. */
uint32_t volume_find_free_inode(struct volume *volume);
