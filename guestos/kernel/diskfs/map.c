/* SPDX-License-Identifier: MIT */
/*
 * Which block holds which part of a file: direct numbers in the inode, then a block of numbers,
 * then a block of blocks of numbers. A number 0 is a hole.
 *
 * Numbers come from the disk: each is checked before it is used.
 */
#include "frank/errno.h"
#include "kernel/diskfs/internal.h"
#include "string.h"

enum {
    PER_BLOCK = DISKFS_NUMBERS_PER_BLOCK,
};

/* Where a part's number stands: in the inode, or `depth` blocks of numbers below one there. */
struct place {
    u32 *root;
    unsigned depth;
    unsigned slots[2]; /* on the way down, the outermost first */
};

static int find_place(struct diskfs_inode *disk, u64 index, struct place *place)
{
    if (index < DISKFS_DIRECT) {
        *place = (struct place){&disk->direct[index], 0, {0}};
        return 0;
    }
    index -= DISKFS_DIRECT;
    if (index < PER_BLOCK) {
        *place = (struct place){&disk->indirect, 1, {(unsigned)index}};
        return 0;
    }
    index -= PER_BLOCK;
    if (index < (u64)PER_BLOCK * PER_BLOCK) {
        *place = (struct place){&disk->double_indirect,
                                2,
                                {(unsigned)(index / PER_BLOCK), (unsigned)(index % PER_BLOCK)}};
        return 0;
    }
    return -EFBIG;
}

/* A block of numbers; -EIO if it cannot be one. */
static int read_numbers(struct diskfs *fs, u32 block, struct buffer **buffer)
{
    return block_is_data(fs, block) ? buffer_read(fs->cache, block, buffer) : -EIO;
}

int map_find(struct disk_inode *inode, u64 index, u32 *block)
{
    struct place place;
    u32 number;
    int error = find_place(&inode->disk, index, &place);

    if (error)
        return error;
    number = *place.root;
    for (unsigned i = 0; number != 0 && i < place.depth; i++) {
        struct buffer *buffer;

        error = read_numbers(inode->fs, number, &buffer);
        if (error)
            return error;
        number = ((u32 *)buffer_data(buffer))[place.slots[i]];
        buffer_put(buffer);
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
        journal_free(inode->fs, number);
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

/* One number of a block of numbers; if it is a hole, it is about to be changed. */
static u32 *slot_to_fill(struct diskfs *fs, struct buffer *holder, unsigned index)
{
    u32 *slot = (u32 *)buffer_data(holder) + index;

    if (*slot == 0)
        journal_add(fs, holder);
    return slot;
}

int map_make(struct disk_inode *inode, u64 index, struct buffer **fresh)
{
    struct buffer *holder = NULL, *next;
    struct place place;
    u32 before = 0, *slot;
    int error = find_place(&inode->disk, index, &place);

    *fresh = NULL;
    if (!error && index > 0)
        error = map_find(inode, index - 1, &before);
    if (error)
        return error;
    slot = place.root;
    for (unsigned i = 0; !error && i < place.depth; i++) {
        error = make_numbers(inode, slot, &next);
        if (error)
            break;
        if (holder)
            buffer_put(holder);
        holder = next;
        slot = slot_to_fill(inode->fs, holder, place.slots[i]);
    }
    if (!error && *slot == 0)
        error = add_block(inode, before + 1, slot, fresh);
    if (holder)
        buffer_put(holder);
    return error;
}

/* ---- cutting -----------------------------------------------------------------------------------
 */

/* Free what a number names and make it a hole. A number that cannot be one is only forgotten. */
static void free_number(struct disk_inode *inode, u32 *number)
{
    if (*number == 0)
        return;
    if (block_is_data(inode->fs, *number))
        journal_free(inode->fs, *number);
    *number = 0;
    if (inode->disk.block_count > 0)
        inode->disk.block_count--;
}

/* Free what numbers [first, PER_BLOCK) of a block of numbers name, and with first 0 the block. */
static int cut_numbers(struct disk_inode *inode, u32 *block, u64 first)
{
    struct buffer *buffer;
    u32 *numbers;
    int error;

    if (*block == 0 || first >= PER_BLOCK)
        return 0;
    error = read_numbers(inode->fs, *block, &buffer);
    if (error)
        return error;
    numbers = buffer_data(buffer);
    journal_add(inode->fs, buffer);
    for (u64 i = first; i < PER_BLOCK; i++)
        free_number(inode, &numbers[i]);
    buffer_put(buffer);
    if (first == 0)
        free_number(inode, block);
    return 0;
}

/* Cut the last block of numbers below the double one. *done: nothing is left there to be cut. */
static int cut_double(struct disk_inode *inode, u64 first, bool *done)
{
    u32 *block = &inode->disk.double_indirect;
    u64 last = PER_BLOCK;
    struct buffer *buffer;
    u32 *numbers;
    int error;

    *done = true;
    if (*block == 0)
        return 0;
    error = read_numbers(inode->fs, *block, &buffer);
    if (error)
        return error;
    numbers = buffer_data(buffer);
    while (last > 0 && numbers[last - 1] == 0)
        last--;
    if (last > 0 && last * PER_BLOCK > first) {
        u64 start = (last - 1) * PER_BLOCK;

        journal_add(inode->fs, buffer);
        error = cut_numbers(inode, &numbers[last - 1], first > start ? first - start : 0);
        *done = start <= first;
    }
    buffer_put(buffer);
    if (!error && *done && first == 0)
        free_number(inode, block);
    return error;
}

/* Cut what is not below the double block of numbers. */
static int cut_rest(struct disk_inode *inode, u64 first)
{
    int error = cut_numbers(inode, &inode->disk.indirect,
                            first > DISKFS_DIRECT ? first - DISKFS_DIRECT : 0);

    for (u64 i = first; !error && i < DISKFS_DIRECT; i++)
        free_number(inode, &inode->disk.direct[i]);
    return error;
}

/* From the end, one block of numbers a handle. */
int map_cut(struct disk_inode *inode, u64 first)
{
    u64 below = DISKFS_DIRECT + PER_BLOCK;
    bool in_double = inode->disk.double_indirect != 0, done = false;

    while (!done) {
        int error = journal_begin(inode->fs, HANDLE_FREES);

        if (error)
            return error;
        mutex_lock(&inode->map_lock);
        if (in_double) {
            bool double_done;

            error = cut_double(inode, first > below ? first - below : 0, &double_done);
            in_double = !double_done;
        } else {
            error = cut_rest(inode, first);
            done = true;
        }
        disk_inode_store_locked(inode);
        mutex_unlock(&inode->map_lock);
        journal_end(inode->fs, HANDLE_FREES);
        if (error)
            return error;
    }
    return 0;
}
