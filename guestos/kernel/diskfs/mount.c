/* SPDX-License-Identifier: MIT */
/* The beginning and the end of a disk file system. */
#include "fnv.h"
#include "kernel/diskfs/diskfs.h"
#include "kernel/diskfs/internal.h"
#include "kernel/kmalloc.h"
#include "kernel/printk.h"
#include "kernel/wait.h"
#include "string.h"

/* Whether [start, start + count) follows what ends at `before` and ends where `after` begins. */
static bool is_next(u32 before, u32 start, u32 count, u32 after)
{
    return start >= before && after >= start && after - start >= count;
}

/* A disk in memory has none. */
static bool is_large_enough(u32 journal_blocks, u32 bitmap_blocks)
{
    return journal_blocks == 0 || (journal_blocks >= DISKFS_JOURNAL_BLOCKS_MIN &&
                                   journal_blocks / 2 >= HANDLE_IMAGES_MAX + 1 + bitmap_blocks);
}

static bool is_sound(const struct diskfs_superblock *super, u32 device_blocks)
{
    u64 checksum = fnv64_update(FNV64_START, super, offsetof(struct diskfs_superblock, checksum));
    u64 bits = (u64)super->bitmap_blocks * DISKFS_BITS_PER_BLOCK;

    return super->magic == DISKFS_MAGIC && super->version == 1 &&
           super->block_bytes == DISKFS_BLOCK_BYTES && super->checksum == checksum &&
           super->block_count <= device_blocks && super->data_start < super->block_count &&
           is_next(DISKFS_JOURNAL_START, super->journal_start, super->journal_blocks,
                   super->bitmap_start) &&
           is_large_enough(super->journal_blocks, super->bitmap_blocks) &&
           is_next(super->bitmap_start, super->bitmap_start, super->bitmap_blocks,
                   super->inode_start) &&
           bits >= super->block_count &&
           is_next(super->inode_start, super->inode_start, super->inode_blocks,
                   super->data_start) &&
           super->inode_blocks > 0 && super->inode_blocks <= UINT32_MAX / DISKFS_INODES_PER_BLOCK;
}

static int read_superblock(struct diskfs *fs)
{
    struct buffer *buffer BUFFER_REF = NULL;
    int error = -EINVAL;

    if (fs->device->block_count > DISKFS_SUPERBLOCK)
        error = buffer_read(fs->cache, DISKFS_SUPERBLOCK, &buffer);
    if (error)
        return error;
    memcpy(&fs->super, buffer_data(buffer), sizeof(fs->super));
    return is_sound(&fs->super, fs->device->block_count) ? 0 : -EINVAL;
}

/* Finish each orphan. What is damaged is left to fsck. */
static void finish_orphans(struct diskfs *fs)
{
    struct diskfs_orphans *orphans = buffer_data(fs->orphans);

    for (u32 i = 0; i < ARRAY_SIZE(orphans->inodes); i++) {
        u32 number = orphans->inodes[i];

        if (number != 0 && disk_inode_finish(fs, number) != 0)
            printk("%s: inode %u could not be finished: run fsck\n", fs->device->name, number);
    }
}

static int open_root(struct diskfs *fs)
{
    struct disk_inode *root;
    int error = disk_inode_get(fs, DISKFS_ROOT, &root);

    if (error)
        return error;
    if (root->inode.type != INODE_DIRECTORY || root->disk.links == 0) {
        inode_put(&root->inode);
        return -EINVAL;
    }
    fs->root = &root->inode;
    return 0;
}

static int open_parts(struct diskfs *fs)
{
    int error = read_superblock(fs);

    if (!error)
        error = journal_open(fs);
    if (!error)
        error = allocate_open(fs);
    if (error)
        return error;
    if (fs->device->read_only)
        printk("%s: mounted read-only\n", fs->device->name);
    else
        finish_orphans(fs);
    return open_root(fs);
}

/* Let go of what is open of it. */
static void close_parts(struct diskfs *fs)
{
    allocate_close(fs);
    journal_close(fs);
    buffer_cache_destroy(fs->cache);
    kfree(fs);
}

int diskfs_mount(struct block_device *device, struct diskfs **mounted, struct inode **root)
{
    struct diskfs *fs = kzalloc(sizeof(*fs));
    int error;

    if (!fs)
        return -ENOMEM;
    fs->device = device;
    fs->cache = buffer_cache_create(device);
    if (!fs->cache) {
        kfree(fs);
        return -ENOMEM;
    }
    mutex_init(&fs->rename_lock, "disk's tree");
    spin_init(&fs->inodes_lock, "disk inodes", LOCK_INODE);
    wait_queue_init(&fs->inode_gone);
    list_init(&fs->inodes);
    journal_init(fs);
    error = open_parts(fs);
    if (error) {
        close_parts(fs);
        return error;
    }
    *mounted = fs;
    *root = fs->root;
    return 0;
}

int diskfs_unmount(struct diskfs *fs)
{
    int error;

    inode_put(fs->root);
    error = diskfs_sync(fs);
    close_parts(fs);
    return error;
}

int diskfs_sync(struct diskfs *fs)
{
    return journal_commit(fs);
}

struct frank_statvfs diskfs_usage(const struct diskfs *fs)
{
    return (struct frank_statvfs){
        .block_bytes = DISKFS_BLOCK_BYTES,
        .block_count = fs->super.block_count - fs->super.data_start,
        .free_blocks = READ_ONCE(fs->free_block_count) + READ_ONCE(fs->freed_block_count),
        .inode_count = fs->super.inode_blocks * DISKFS_INODES_PER_BLOCK - DISKFS_ROOT,
        .free_inodes = READ_ONCE(fs->free_inode_count),
        .read_only = fs->device->read_only,
    };
}

struct buffer_cache *diskfs_cache(const struct diskfs *fs)
{
    return fs->cache;
}
