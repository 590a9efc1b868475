/* SPDX-License-Identifier: MIT */
/*
 * Which blocks and inodes are free, and the table of orphans.
 *
 * A block is free if its bit in the bitmap is clear; a freed one keeps its bit, and has another one
 * in `freed`, until the transaction that frees it is written (journal.c). An inode is free if its
 * mode is zero.
 */
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

static u64 bit_of(u32 block)
{
    return 1UL << block % BITS_PER_WORD;
}

static struct bitmap_block *bitmap_of(const struct diskfs *fs, u32 block)
{
    return &fs->bitmap[block / DISKFS_BITS_PER_BLOCK];
}

/* Where in a block of bits that of `block` is. */
static u64 *word_in(u64 *bits, u32 block)
{
    return bits + block % DISKFS_BITS_PER_BLOCK / BITS_PER_WORD;
}

static u64 *word_of(const struct diskfs *fs, u32 block)
{
    return word_in(buffer_data(bitmap_of(fs, block)->buffer), block);
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
    u32 start, found;

    MUTEX_GUARD(&fs->allocate_lock);
    if (fs->free_block_count == 0)
        return -ENOSPC;
    start = block_is_data(fs, goal) ? goal : fs->next_block;
    found = find_free(fs, start, fs->super.block_count);
    if (found == 0)
        found = find_free(fs, fs->super.data_start, start);
    if (found == 0)
        return -ENOSPC;
    journal_add(fs, bitmap_of(fs, found)->buffer);
    *word_of(fs, found) |= bit_of(found);
    fs->free_block_count--;
    fs->next_block = found;
    *block = found;
    return 0;
}

void block_free(struct diskfs *fs, u32 block)
{
    u64 *used = word_of(fs, block), *freed = word_in(bitmap_of(fs, block)->freed, block);

    buffer_forget(fs->cache, block); /* the transaction may still write it, to no harm */
    MUTEX_GUARD(&fs->allocate_lock);
    if ((*used & ~*freed & bit_of(block)) == 0) {
        printk("%s: block %u was free already: run fsck\n", fs->device->name, block);
    } else if (fs->journal.is_needless) {
        *used &= ~bit_of(block);
        fs->free_block_count++;
        if (fs->device->discard)
            fs->device->discard(fs->device, block);
    } else {
        *freed |= bit_of(block);
        fs->freed_block_count++;
    }
}

void blocks_release(struct diskfs *fs)
{
    if (fs->freed_block_count == 0)
        return;
    for (u32 i = 0; i < fs->super.bitmap_blocks; i++) {
        struct bitmap_block *block = &fs->bitmap[i];
        u64 *used = buffer_data(block->buffer);

        for (u32 word = 0; word < WORDS_PER_BLOCK; word++) {
            if (block->freed[word] == 0)
                continue;
            journal_add(fs, block->buffer);
            used[word] &= ~block->freed[word];
            block->freed[word] = 0;
        }
    }
    fs->free_block_count += fs->freed_block_count;
    fs->freed_block_count = 0;
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
    int error;

    MUTEX_GUARD(&fs->allocate_lock);
    *number = 0;
    if (fs->free_inode_count == 0)
        return -ENOSPC;
    error = take_inode(fs, inode, fs->next_inode, inode_limit(fs), number, buffer);
    if (!error && *number == 0)
        error = take_inode(fs, inode, DISKFS_ROOT, fs->next_inode, number, buffer);
    if (*number == 0)
        return error ? error : -ENOSPC;
    fs->next_inode = *number;
    fs->free_inode_count--;
    return 0;
}

void inode_free(struct diskfs *fs, u32 number, struct buffer *buffer)
{
    MUTEX_GUARD(&fs->allocate_lock);
    journal_add(fs, buffer);
    memset(inode_in(buffer, number), 0, sizeof(struct diskfs_inode));
    fs->free_inode_count++;
    fs->next_inode = min(fs->next_inode, number);
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

/* Put `to` where `from` stands in the table. False: it stands nowhere. allocate_lock is held. */
static bool replace_orphan(struct diskfs *fs, u32 from, u32 to)
{
    struct diskfs_orphans *orphans = buffer_data(fs->orphans);

    for (u32 i = 0; i < ARRAY_SIZE(orphans->inodes); i++) {
        if (orphans->inodes[i] != from)
            continue;
        journal_add(fs, fs->orphans);
        orphans->inodes[i] = to;
        return true;
    }
    return false;
}

int orphan_add(struct diskfs *fs, u32 number)
{
    MUTEX_GUARD(&fs->allocate_lock);
    return replace_orphan(fs, number, number) || replace_orphan(fs, 0, number) ? 0 : -ENOSPC;
}

void orphan_remove(struct diskfs *fs, u32 number)
{
    MUTEX_GUARD(&fs->allocate_lock);
    (void)replace_orphan(fs, number, 0);
}

/* ---- the mount ---------------------------------------------------------------------------------
 */

static int hold_bitmap_block(struct diskfs *fs, u32 index)
{
    struct bitmap_block *block = &fs->bitmap[index];
    pa_t page = page_alloc_zeroed();

    if (page == 0)
        return -ENOMEM;
    block->freed = pa_to_kva(page);
    return buffer_read(fs->cache, fs->super.bitmap_start + index, &block->buffer);
}

static int hold_blocks(struct diskfs *fs)
{
    int error = buffer_read(fs->cache, DISKFS_ORPHANS, &fs->orphans);

    for (u32 i = 0; !error && i < fs->super.bitmap_blocks; i++)
        error = hold_bitmap_block(fs, i);
    return error;
}

int allocate_open(struct diskfs *fs)
{
    int error;

    mutex_init(&fs->allocate_lock, "disk's free blocks");
    fs->next_block = fs->super.data_start;
    fs->next_inode = DISKFS_ROOT;
    fs->bitmap = kzalloc(fs->super.bitmap_blocks * sizeof(*fs->bitmap));
    error = fs->bitmap ? hold_blocks(fs) : -ENOMEM;
    if (!error)
        error = count_free_inodes(fs);
    if (!error)
        fs->free_block_count = count_free_blocks(fs);
    return error;
}

void allocate_close(struct diskfs *fs)
{
    for (u32 i = 0; fs->bitmap && i < fs->super.bitmap_blocks; i++) {
        buffer_put(fs->bitmap[i].buffer);
        if (fs->bitmap[i].freed)
            page_put(kva_to_pa(fs->bitmap[i].freed));
    }
    buffer_put(fs->orphans);
    kfree(fs->bitmap);
}
