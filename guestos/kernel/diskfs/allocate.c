/* SPDX-License-Identifier: MIT */
/*
 * Which blocks and inodes are free, and the table of orphans.
 *
 * A block is free if its bit in the bitmap is clear; a freed one keeps its bit until the
 * transaction that frees it holds (journal.c). An inode is free if its mode is zero.
 */
#include "frank/errno.h"
#include "kernel/diskfs/internal.h"
#include "kernel/printk.h"
#include "string.h"

enum bitmap_shape {
    BITS_PER_WORD = 64,
    WORDS_PER_BLOCK = DISKFS_BITS_PER_BLOCK / BITS_PER_WORD,
};

/* ---- blocks ------------------------------------------------------------------------------------
 */

int block_bitmap(struct diskfs *fs, u32 block, struct buffer **buffer)
{
    return buffer_read(fs->cache, fs->super.bitmap_start + block / DISKFS_BITS_PER_BLOCK, buffer);
}

static u64 bit_of(u32 block)
{
    return 1UL << block % BITS_PER_WORD;
}

static u64 *word_of(const struct buffer *bitmap, u32 block)
{
    return (u64 *)buffer_data(bitmap) + block % DISKFS_BITS_PER_BLOCK / BITS_PER_WORD;
}

/* The first free block in [from, end), which one bitmap block covers; 0: there is none. */
static u32 find_free(const struct buffer *bitmap, u32 from, u32 end)
{
    u32 block = from;

    while (block < end) {
        u64 free_bits = ~*word_of(bitmap, block) & ~(bit_of(block) - 1);

        if (free_bits == 0) {
            block += BITS_PER_WORD - block % BITS_PER_WORD;
            continue;
        }
        while ((free_bits & bit_of(block)) == 0)
            block++;
        return block < end ? block : 0;
    }
    return 0;
}

/* Take the first free block in [from, end). 0 with *block 0: there is none. */
static int take_between(struct diskfs *fs, u32 from, u32 end, u32 *block)
{
    *block = 0;
    while (from < end && *block == 0) {
        u32 stop = min(end, (u32)ALIGN_UP(from + 1, DISKFS_BITS_PER_BLOCK));
        struct buffer *bitmap;
        int error = block_bitmap(fs, from, &bitmap);

        if (error)
            return error;
        *block = find_free(bitmap, from, stop);
        if (*block) {
            journal_add(fs, bitmap);
            *word_of(bitmap, *block) |= bit_of(*block);
            fs->free_block_count--;
        }
        buffer_put(bitmap);
        from = stop;
    }
    return 0;
}

int block_allocate(struct diskfs *fs, u32 goal, u32 *block)
{
    u32 start;
    int error = 0;

    mutex_lock(&fs->allocate_lock);
    start = block_is_data(fs, goal) ? goal : fs->next_block;
    *block = 0;
    if (fs->free_block_count > 0) {
        error = take_between(fs, start, fs->super.block_count, block);
        if (!error && *block == 0)
            error = take_between(fs, fs->super.data_start, start, block);
    }
    if (*block)
        fs->next_block = *block;
    mutex_unlock(&fs->allocate_lock);
    if (!error && *block == 0)
        error = -ENOSPC;
    return error;
}

int block_release(struct diskfs *fs, struct freed_blocks freed)
{
    for (u32 i = 0; i < freed.count; i++) {
        u32 block = freed.start + i;
        struct buffer *bitmap;
        int error = block_bitmap(fs, block, &bitmap);

        if (error)
            return error;
        if (*word_of(bitmap, block) & bit_of(block)) {
            *word_of(bitmap, block) &= ~bit_of(block);
            fs->free_block_count++;
        } else {
            printk("%s: block %u was free already: run fsck\n",
                   buffer_cache_device(fs->cache)->name, block);
        }
        buffer_put(bitmap);
    }
    return 0;
}

static int count_free_blocks(struct diskfs *fs)
{
    for (u32 start = 0; start < fs->super.block_count; start += DISKFS_BITS_PER_BLOCK) {
        u32 end = min(fs->super.block_count - start, (u32)DISKFS_BITS_PER_BLOCK);
        struct buffer *bitmap;
        int error = block_bitmap(fs, start, &bitmap);

        if (error)
            return error;
        for (u32 i = 0; i < end; i++)
            fs->free_block_count += (*word_of(bitmap, i) & bit_of(i)) == 0;
        buffer_put(bitmap);
    }
    return 0;
}

/* ---- inodes ------------------------------------------------------------------------------------
 */

static u32 inode_limit(const struct diskfs *fs)
{
    return fs->super.inode_blocks * DISKFS_INODES_PER_BLOCK;
}

int inode_slot(struct diskfs *fs, u32 number, struct buffer **buffer, struct diskfs_inode **slot)
{
    int error;

    if (number == 0 || number >= inode_limit(fs))
        return -EIO;
    error = buffer_read(fs->cache, fs->super.inode_start + number / DISKFS_INODES_PER_BLOCK,
                        buffer);
    if (!error)
        *slot = (struct diskfs_inode *)buffer_data(*buffer) + number % DISKFS_INODES_PER_BLOCK;
    return error;
}

/* Make the first free inode in [from, end) this one. *number 0: there is none. */
static int take_inode(struct diskfs *fs, const struct diskfs_inode *inode, u32 from, u32 end,
                      u32 *number)
{
    *number = 0;
    for (u32 i = from; i < end && *number == 0; i++) {
        struct diskfs_inode *slot;
        struct buffer *buffer;
        int error = inode_slot(fs, i, &buffer, &slot);

        if (error)
            return error;
        if (slot->mode == 0) {
            journal_add(fs, buffer);
            *slot = *inode;
            *number = i;
        }
        buffer_put(buffer);
    }
    return 0;
}

int inode_allocate(struct diskfs *fs, const struct diskfs_inode *inode, u32 *number)
{
    int error = 0;

    mutex_lock(&fs->allocate_lock);
    *number = 0;
    if (fs->free_inode_count > 0) {
        error = take_inode(fs, inode, fs->next_inode, inode_limit(fs), number);
        if (!error && *number == 0)
            error = take_inode(fs, inode, DISKFS_ROOT, fs->next_inode, number);
    }
    if (*number) {
        fs->next_inode = *number;
        fs->free_inode_count--;
    }
    mutex_unlock(&fs->allocate_lock);
    if (!error && *number == 0)
        error = -ENOSPC;
    return error;
}

int inode_free(struct diskfs *fs, u32 number)
{
    struct diskfs_inode *slot;
    struct buffer *buffer;
    int error = inode_slot(fs, number, &buffer, &slot);

    if (error)
        return error;
    mutex_lock(&fs->allocate_lock);
    journal_add(fs, buffer);
    memset(slot, 0, sizeof(*slot));
    fs->free_inode_count++;
    fs->next_inode = min(fs->next_inode, number);
    mutex_unlock(&fs->allocate_lock);
    buffer_put(buffer);
    return 0;
}

static int count_free_inodes(struct diskfs *fs)
{
    for (u32 i = DISKFS_ROOT; i < inode_limit(fs); i++) {
        struct diskfs_inode *slot;
        struct buffer *buffer;
        int error = inode_slot(fs, i, &buffer, &slot);

        if (error)
            return error;
        fs->free_inode_count += slot->mode == 0;
        buffer_put(buffer);
    }
    return 0;
}

int allocate_open(struct diskfs *fs)
{
    int error;

    mutex_init(&fs->allocate_lock, "disk's free blocks");
    fs->free_block_count = 0;
    fs->free_inode_count = 0;
    fs->next_block = fs->super.data_start;
    fs->next_inode = DISKFS_ROOT;
    error = count_free_blocks(fs);
    return error ? error : count_free_inodes(fs);
}

/* ---- orphans -----------------------------------------------------------------------------------
 */

/* Put `to` where `from` stands in the table of orphans. -ENOENT: it does not. allocate_lock held.
 */
static int replace_orphan(struct diskfs *fs, u32 from, u32 to)
{
    struct diskfs_orphans *orphans;
    struct buffer *buffer;
    int error = buffer_read(fs->cache, DISKFS_ORPHANS, &buffer);

    if (error)
        return error;
    orphans = buffer_data(buffer);
    error = -ENOENT;
    for (u32 i = 0; error && i < ARRAY_SIZE(orphans->inodes); i++) {
        if (orphans->inodes[i] != from)
            continue;
        if (from != to) {
            journal_add(fs, buffer);
            orphans->inodes[i] = to;
        }
        error = 0;
    }
    buffer_put(buffer);
    return error;
}

int orphan_add(struct diskfs *fs, u32 number)
{
    int error;

    mutex_lock(&fs->allocate_lock);
    error = replace_orphan(fs, number, number);
    if (error == -ENOENT)
        error = replace_orphan(fs, 0, number);
    mutex_unlock(&fs->allocate_lock);
    return error == -ENOENT ? -ENOSPC : error;
}

int orphan_remove(struct diskfs *fs, u32 number)
{
    int error;

    mutex_lock(&fs->allocate_lock);
    error = replace_orphan(fs, number, 0);
    mutex_unlock(&fs->allocate_lock);
    return error == -ENOENT ? 0 : error;
}
