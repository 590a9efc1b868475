/* SPDX-License-Identifier: MIT */
/*
 * Which block holds which part of a file: direct numbers in the inode, then a block of numbers,
 * then a block of blocks of numbers. A number 0 is a hole.
 *
 * Numbers come from the disk: each is checked before it is used.
 */
#include "kernel/diskfs/internal.h"

enum {
    PER_BLOCK = DISKFS_NUMBERS_PER_BLOCK,
};

/* Where the way to a part's number begins: in the inode, `depth` blocks of numbers above the part;
   `index` becomes its index among those that are reached from there. NULL: behind all of them. */
static u32 *find_root(struct diskfs_inode *disk, u64 *index, unsigned *depth)
{
    if (*index < DISKFS_DIRECT) {
        *depth = 0;
        return &disk->direct[*index];
    }
    *index -= DISKFS_DIRECT;
    if (*index < PER_BLOCK) {
        *depth = 1;
        return &disk->indirect;
    }
    *index -= PER_BLOCK;
    *depth = 2;
    return *index < (u64)PER_BLOCK * PER_BLOCK ? &disk->double_indirect : NULL;
}

/* In a block of numbers `depth` above the parts: that on the way to part `index`. */
static u32 *number_in(const struct buffer *buffer, u64 index, unsigned depth)
{
    return (u32 *)buffer_data(buffer) + (depth == 2 ? index / PER_BLOCK : index % PER_BLOCK);
}

/* A block of numbers; -EIO if it cannot be one. */
static int read_numbers(struct diskfs *fs, u32 block, struct buffer **buffer)
{
    return block_is_data(fs, block) ? buffer_read(fs->cache, block, buffer) : -EIO;
}

int map_find(struct disk_inode *inode, u64 index, u32 *block)
{
    unsigned depth;
    u32 *root = find_root(&inode->disk, &index, &depth), number;

    if (!root)
        return -EFBIG;
    for (number = *root; number != 0 && depth > 0; depth--) {
        struct buffer *buffer BUFFER_REF = NULL;
        int error = read_numbers(inode->fs, number, &buffer);

        if (error)
            return error;
        number = *number_in(buffer, index, depth);
    }
    if (number != 0 && !block_is_data(inode->fs, number))
        return -EIO;
    *block = number;
    return 0;
}

int map_buffer(struct disk_inode *inode, u64 index, struct buffer **buffer)
{
    u32 block;
    int error = map_find(inode, index, &block);

    *buffer = NULL;
    if (!error && block != 0)
        error = buffer_read(inode->fs->cache, block, buffer);
    return error;
}

/* A new block for the inode, near `goal` if it can be had: zeros in memory. */
static int add_block(struct disk_inode *inode, u32 goal, u32 *block, struct buffer **buffer)
{
    u32 number;
    int error = block_allocate(inode->fs, goal, &number);

    if (error)
        return error;
    error = buffer_new(inode->fs->cache, number, buffer);
    if (error) {
        block_free(inode->fs, number);
        return error;
    }
    inode->disk.block_count++;
    *block = number;
    return 0;
}

/* The block of numbers that *slot names, made if it is a hole. */
static int make_numbers(struct disk_inode *inode, u32 *slot, struct buffer **buffer)
{
    int error;

    if (*slot != 0)
        return read_numbers(inode->fs, *slot, buffer);
    error = add_block(inode, 0, slot, buffer);
    if (!error)
        journal_add(inode->fs, *buffer);
    return error;
}

int map_make(struct disk_inode *inode, u64 index, struct buffer **fresh)
{
    struct buffer *holder BUFFER_REF = NULL, *next;
    u32 before = 0, *slot;
    unsigned depth;
    int error = index > 0 ? map_find(inode, index - 1, &before) : 0;

    *fresh = NULL;
    slot = find_root(&inode->disk, &index, &depth);
    if (error || !slot)
        return error ? error : -EFBIG;
    for (; depth > 0; depth--) {
        error = make_numbers(inode, slot, &next);
        if (error)
            return error;
        buffer_put(holder);
        holder = next;
        slot = number_in(holder, index, depth);
        if (*slot == 0) /* it is about to be filled */
            journal_add(inode->fs, holder);
    }
    return *slot == 0 ? add_block(inode, before + 1, slot, fresh) : 0;
}

/* ---- cutting -----------------------------------------------------------------------------------
 */

/* Free what a number names and make it a hole. A number that cannot be one is only forgotten. */
static void free_number(struct disk_inode *inode, u32 *number)
{
    if (block_is_data(inode->fs, *number))
        block_free(inode->fs, *number);
    *number = 0;
    if (inode->disk.block_count > 0)
        inode->disk.block_count--;
}

/* Free what is reached from a number `depth` above the parts, from part `first` of those on, and
   with all of them what it names itself. From the end, so that after an error the rest is whole. */
static int cut(struct disk_inode *inode, u32 *number, unsigned depth, u64 first)
{
    u64 span = depth == 2 ? PER_BLOCK : 1; /* parts below each number of a block of them */
    struct buffer *buffer BUFFER_REF = NULL;
    int error;

    if (*number == 0 || (depth > 0 && first >= span * PER_BLOCK))
        return 0;
    if (depth > 0) {
        error = read_numbers(inode->fs, *number, &buffer);
        if (error)
            return error;
        for (u64 i = PER_BLOCK; !error && i-- > first / span;)
            error = cut(inode, (u32 *)buffer_data(buffer) + i, depth - 1,
                        first > i * span ? first - i * span : 0);
        if (error || first > 0) {
            journal_add(inode->fs, buffer); /* it stays; one that goes need not be written */
            return error;
        }
    }
    free_number(inode, number);
    return 0;
}

int map_cut(struct disk_inode *inode, u64 first)
{
    u64 below = DISKFS_DIRECT + PER_BLOCK;
    int error = cut(inode, &inode->disk.double_indirect, 2, first > below ? first - below : 0);

    if (!error)
        error = cut(inode, &inode->disk.indirect, 1,
                    first > DISKFS_DIRECT ? first - DISKFS_DIRECT : 0);
    for (u64 i = DISKFS_DIRECT; !error && i-- > first;)
        error = cut(inode, &inode->disk.direct[i], 0, 0);
    return error;
}
