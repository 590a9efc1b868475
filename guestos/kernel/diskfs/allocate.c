/* SPDX-License-Identifier: MIT */
/*
 * Which blocks and inodes are free, and the table of orphans.
 *
 * A block is free if its bit in the bitmap is clear; a freed one keeps its bit until the
 * transaction that frees it holds (journal.c). An inode is free if its mode is zero.
 */
#include "frank/errno.h"
#include "kernel/diskfs/internal.h"
#include "kernel/kmalloc.h"
#include "kernel/printk.h"
#include "string.h"

enum bitmap_shape {
    BITS_PER_WORD = 64,
    WORDS_PER_BLOCK = DISKFS_BITS_PER_BLOCK / BITS_PER_WORD,
};

/* ---- blocks ------------------------------------------------------------------------------------
 */

struct buffer *block_bitmap(const struct diskfs *fs, u32 block)
{
    return fs->bitmap[block / DISKFS_BITS_PER_BLOCK];
}

static u64 bit_of(u32 block)
{
    return 1UL << block % BITS_PER_WORD;
}

static u64 *word_of(const struct diskfs *fs, u32 block)
{
    return (u64 *)buffer_data(block_bitmap(fs, block)) +
           block % DISKFS_BITS_PER_BLOCK / BITS_PER_WORD;
}

/* The first free block in [from, end); 0: there is none. */
static u32 find_free(const struct diskfs *fs, u32 from, u32 end)
{
    for (u32 block = from; block < end; block += BITS_PER_WORD - block % BITS_PER_WORD) {
        u64 free_bits = ~*word_of(fs, block) & ~(bit_of(block) - 1);

        if (free_bits != 0) {
            while ((free_bits & bit_of(block)) == 0)
                block++;
            return block < end ? block : 0;
        }
    }
    return 0;
}

int block_allocate(struct diskfs *fs, u32 goal, u32 *block)
{
    u32 start, found = 0;

    mutex_lock(&fs->allocate_lock);
    start = block_is_data(fs, goal) ? goal : fs->next_block;
    if (fs->free_block_count > 0) {
        found = find_free(fs, start, fs->super.block_count);
        if (found == 0)
            found = find_free(fs, fs->super.data_start, start);
    }
    if (found != 0) {
        journal_add(fs, block_bitmap(fs, found));
        *word_of(fs, found) |= bit_of(found);
        fs->free_block_count--;
        fs->next_block = found;
    }
    mutex_unlock(&fs->allocate_lock);
    *block = found;
    return found != 0 ? 0 : -ENOSPC;
}

void block_release(struct diskfs *fs, struct freed_blocks freed)
{
    mutex_lock(&fs->allocate_lock);
    for (u32 block = freed.start; block < freed.start + freed.count; block++) {
        u64 *word = word_of(fs, block);

        if ((*word & bit_of(block)) != 0) {
            *word &= ~bit_of(block);
            fs->free_block_count++;
            buffer_discard(fs->cache, block);
        } else {
            printk("%s: block %u was free already: run fsck\n",
                   buffer_cache_device(fs->cache)->name, block);
        }
    }
    mutex_unlock(&fs->allocate_lock);
}

static u32 count_free_blocks(const struct diskfs *fs)
{
    u32 count = 0;

    for (u32 block = 0; block < fs->super.block_count; block++)
        count += (*word_of(fs, block) & bit_of(block)) == 0;
    return count;
}

/* ---- inodes ------------------------------------------------------------------------------------
 */

static u32 inode_limit(const struct diskfs *fs)
{
    return fs->super.inode_blocks * DISKFS_INODES_PER_BLOCK;
}

int inode_buffer(struct diskfs *fs, u32 number, struct buffer **buffer)
{
    if (number == 0 || number >= inode_limit(fs))
        return -EIO;
    return buffer_read(fs->cache, fs->super.inode_start + number / DISKFS_INODES_PER_BLOCK, buffer);
}

/* Make the first free inode in [from, end) this one. *number 0: there is none. */
static int take_inode(struct diskfs *fs, const struct diskfs_inode *inode, u32 from, u32 end,
                      u32 *number, struct buffer **buffer)
{
    for (u32 i = from; i < end; i++) {
        int error = inode_buffer(fs, i, buffer);

        if (error)
            return error;
        if (inode_in(*buffer, i)->mode == 0) {
            journal_add(fs, *buffer);
            *inode_in(*buffer, i) = *inode;
            *number = i;
            return 0;
        }
        buffer_put(*buffer);
    }
    return 0;
}

int inode_allocate(struct diskfs *fs, const struct diskfs_inode *inode, u32 *number,
                   struct buffer **buffer)
{
    int error = 0;

    mutex_lock(&fs->allocate_lock);
    *number = 0;
    if (fs->free_inode_count > 0) {
        error = take_inode(fs, inode, fs->next_inode, inode_limit(fs), number, buffer);
        if (!error && *number == 0)
            error = take_inode(fs, inode, DISKFS_ROOT, fs->next_inode, number, buffer);
    }
    if (*number) {
        fs->next_inode = *number;
        fs->free_inode_count--;
    }
    mutex_unlock(&fs->allocate_lock);
    return error == 0 && *number == 0 ? -ENOSPC : error;
}

void inode_free(struct diskfs *fs, u32 number, struct buffer *buffer)
{
    mutex_lock(&fs->allocate_lock);
    journal_add(fs, buffer);
    memset(inode_in(buffer, number), 0, sizeof(struct diskfs_inode));
    fs->free_inode_count++;
    fs->next_inode = min(fs->next_inode, number);
    mutex_unlock(&fs->allocate_lock);
}

static int count_free_inodes(struct diskfs *fs)
{
    for (u32 i = 0; i < fs->super.inode_blocks; i++) {
        struct buffer *buffer;
        int error = buffer_read(fs->cache, fs->super.inode_start + i, &buffer);

        if (error)
            return error;
        for (u32 j = i == 0 ? DISKFS_ROOT : 0; j < DISKFS_INODES_PER_BLOCK; j++)
            fs->free_inode_count += inode_in(buffer, j)->mode == 0;
        buffer_put(buffer);
    }
    return 0;
}

/* ---- orphans -----------------------------------------------------------------------------------
 */

/* Where a number stands in the table of orphans, or NULL. allocate_lock is held. */
static u32 *find_orphan(struct diskfs *fs, u32 number)
{
    struct diskfs_orphans *orphans = buffer_data(fs->orphans);

    for (u32 i = 0; i < ARRAY_SIZE(orphans->inodes); i++) {
        if (orphans->inodes[i] == number)
            return &orphans->inodes[i];
    }
    return NULL;
}

/* Put `to` where `from` stands. False: it stands nowhere. */
static bool replace_orphan(struct diskfs *fs, u32 from, u32 to)
{
    u32 *place = find_orphan(fs, from);

    if (place) {
        journal_add(fs, fs->orphans);
        *place = to;
    }
    return place;
}

int orphan_add(struct diskfs *fs, u32 number)
{
    bool is_there;

    mutex_lock(&fs->allocate_lock);
    is_there = find_orphan(fs, number) || replace_orphan(fs, 0, number);
    mutex_unlock(&fs->allocate_lock);
    return is_there ? 0 : -ENOSPC;
}

void orphan_remove(struct diskfs *fs, u32 number)
{
    mutex_lock(&fs->allocate_lock);
    (void)replace_orphan(fs, number, 0);
    mutex_unlock(&fs->allocate_lock);
}

/* ---- the mount ---------------------------------------------------------------------------------
 */

static int hold_blocks(struct diskfs *fs)
{
    int error = buffer_read(fs->cache, DISKFS_ORPHANS, &fs->orphans);

    for (u32 i = 0; !error && i < fs->super.bitmap_blocks; i++)
        error = buffer_read(fs->cache, fs->super.bitmap_start + i, &fs->bitmap[i]);
    return error;
}

int allocate_open(struct diskfs *fs)
{
    int error;

    mutex_init(&fs->allocate_lock, "disk's free blocks");
    fs->next_block = fs->super.data_start;
    fs->next_inode = DISKFS_ROOT;
    fs->bitmap = kzalloc(fs->super.bitmap_blocks * sizeof(struct buffer *));
    error = fs->bitmap ? hold_blocks(fs) : -ENOMEM;
    if (!error)
        error = count_free_inodes(fs);
    if (error) {
        allocate_close(fs);
        return error;
    }
    fs->free_block_count = count_free_blocks(fs);
    return 0;
}

void allocate_close(struct diskfs *fs)
{
    for (u32 i = 0; fs->bitmap && i < fs->super.bitmap_blocks; i++)
        if (fs->bitmap[i])
            buffer_put(fs->bitmap[i]);
    if (fs->orphans)
        buffer_put(fs->orphans);
    kfree(fs->bitmap);
}
