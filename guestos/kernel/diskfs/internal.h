/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the disk file system know of each other. From the bottom:
 *
 *   journal.c    transactions: which blocks change together
 *   allocate.c   blocks and inodes, free and in use; orphans
 *   map.c        which block holds which part of a file
 *   inode.c      inodes in memory
 *   file.c       regular files        directory.c   names
 *   mount.c      the beginning and the end of it all
 *
 * Locks, outermost first: rename_lock; an inode's `lock` (parents before children); a handle of the
 * journal (journal_begin to journal_end); an inode's map_lock; allocate_lock; then spin locks. No
 * user's memory is touched inside a handle, since a page fault may want any of the rest.
 */
#pragma once

#include "frank/diskfs.h"
#include "kernel/block/buffer.h"
#include "kernel/fs/inode.h"

/* ---- journal -----------------------------------------------------------------------------------
 */

struct journal {
    bool is_needless;        /* the disk is memory: what is done is done */
    bool is_read_only;       /* nothing is done; what recovery would write stays in memory */
    u32 image_max;           /* what one transaction can hold */
    struct buffer *heads[2]; /* of the halves, with references: a commit needs no memory */

    struct spinlock lock;      /* LOCK_BUFFER; guards the rest */
    struct wait_queue changed; /* a handle has ended, or a commit */
    u32 active_count;          /* handles */
    bool is_committing;        /* no handle begins */
    bool has_failed;           /* the disk could not be written: nothing is, from then on */
    u64 sequence;              /* of the running transaction */
    struct list_node buffers;  /* its blocks; each with a reference */
    u32 buffer_count;
};

/* What a handle does at most. */
enum handle_limits {
    HANDLE_IMAGES_MAX = 24, /* blocks that it changes, besides the bitmap for what it frees */
    HANDLE_BLOCKS_MAX = 4,  /* blocks that it takes */
};

struct diskfs;

/* Find the last transaction that holds and copy it to its places. 0, -EIO, -ENOMEM, -EINVAL. Before
   comes journal_init(), and in any case journal_close() at the end. */
void journal_init(struct diskfs *fs);
MUST_CHECK int journal_open(struct diskfs *fs);
void journal_close(struct diskfs *fs);

/*
 * A handle: what is changed between the two belongs together. May wait for a commit. -EIO: the disk
 * cannot be written; -EROFS: it must not. Handles do not nest.
 */
MUST_CHECK int journal_begin(struct diskfs *fs);
void journal_end(struct diskfs *fs);

/* In a handle: the buffer, which is about to be changed or just was, belongs to the transaction. */
void journal_add(struct diskfs *fs, struct buffer *buffer);

/* Write what is dirty, then all that handles have changed until now; it survives the machine when
   this returns 0. No handle of the caller's is active. -EIO. */
MUST_CHECK int journal_commit(struct diskfs *fs);

/* ---- blocks and inodes on the disk -------------------------------------------------------------
 */

/* A block of the bitmap, with a reference, so that no change of it can fail; and the bits of what
   the running transaction frees. */
struct bitmap_block {
    struct buffer *buffer;
    u64 *freed; /* a page */
};

struct diskfs {
    struct block_device *device;
    struct buffer_cache *cache;
    struct diskfs_superblock super;
    struct journal journal;
    struct inode *root;
    struct mutex rename_lock; /* held while a directory changes its parent, or goes */

    struct bitmap_block *bitmap;
    struct buffer *orphans;     /* their block, with a reference */
    struct mutex allocate_lock; /* guards both, and which inodes are free */
    u32 free_block_count;
    u32 freed_block_count; /* those that the running transaction frees */
    u32 free_inode_count;
    u32 next_block; /* where to look first */
    u32 next_inode;

    struct spinlock inodes_lock; /* LOCK_INODE; guards the next two */
    struct wait_queue inode_gone;
    struct list_node inodes; /* in memory */
};

/* Count what is free, at the mount; let go of it at its end, in any case. -EIO, -ENOMEM. */
MUST_CHECK int allocate_open(struct diskfs *fs);
void allocate_close(struct diskfs *fs);

/* In a handle: a free block, near `goal` if it can be had. -ENOSPC. */
MUST_CHECK int block_allocate(struct diskfs *fs, u32 goal, u32 *block);

/* Whether a number may stand in a file: a block of the data. */
static inline bool block_is_data(const struct diskfs *fs, u32 block)
{
    return block >= fs->super.data_start && block < fs->super.block_count;
}

/* In a handle: the block, which is of the data, is free once the transaction holds. Forgets what is
   in memory. */
void block_free(struct diskfs *fs, u32 block);

/* For the journal's commit, without handles: what the transaction frees is free from now on, and
   the bitmap's blocks that say so belong to it. */
void blocks_release(struct diskfs *fs);

/* The buffer, with a reference, of the block that an inode is in. -EIO, -ENOMEM. */
MUST_CHECK int inode_buffer(struct diskfs *fs, u32 number, struct buffer **buffer);

/* An inode's place in that buffer. */
static inline struct diskfs_inode *inode_in(const struct buffer *buffer, u32 number)
{
    return (struct diskfs_inode *)buffer_data(buffer) + number % DISKFS_INODES_PER_BLOCK;
}

/* In a handle: make a free inode this one; gives its number, and its buffer with a reference.
   -ENOSPC, -EIO, -ENOMEM. */
MUST_CHECK int inode_allocate(struct diskfs *fs, const struct diskfs_inode *inode, u32 *number,
                              struct buffer **buffer);

/* In a handle: the inode, which is in this buffer, is free. */
void inode_free(struct diskfs *fs, u32 number, struct buffer *buffer);

/* In a handle: an inode that is to be finished at the next mount, or not any more. Both may be said
   twice. -ENOSPC: too many. */
MUST_CHECK int orphan_add(struct diskfs *fs, u32 number);
void orphan_remove(struct diskfs *fs, u32 number);

/* ---- inodes in memory --------------------------------------------------------------------------
 */

struct disk_inode {
    struct inode inode; /* its number is the disk's */
    struct diskfs *fs;
    struct list_node node; /* of fs->inodes */
    struct buffer *buffer; /* that it is in on the disk, with a reference: storing cannot fail */
    struct mutex map_lock; /* guards `disk` */
    struct diskfs_inode disk;
};

static inline struct disk_inode *disk_inode_of(struct inode *inode)
{
    return container_of(inode, struct disk_inode, inode);
}

/* The inode of a number, with a reference. -EIO (also: what is there is no inode), -ENOMEM. */
MUST_CHECK int disk_inode_get(struct diskfs *fs, u32 number, struct disk_inode **inode);

/* In a handle: a new inode, with a reference; the caller gives it its name. `parent` as in struct
 * diskfs_inode. */
MUST_CHECK int disk_inode_create(struct diskfs *fs, enum inode_type type, u32 permissions,
                                 u32 parent, struct disk_inode **inode);

/* A handle for changes to one inode: map_lock is held between the two, and the end brings `disk` to
   its place. -EIO. */
MUST_CHECK int disk_inode_begin(struct disk_inode *inode);
void disk_inode_end(struct disk_inode *inode);

/* In a handle, map_lock held: bring `disk` to the inode's place. */
void disk_inode_store_locked(struct disk_inode *inode);

/* In a handle: so many more names, or fewer; without one it is an orphan. -EMLINK, -ENOSPC (too
   many orphans), and then nothing has changed. */
MUST_CHECK int disk_inode_link(struct disk_inode *inode, int names);

/* In a handle: a directory, below DISKFS_LINKS_MAX, has one more subdirectory, whose ".." names it;
   or one fewer. */
void disk_inode_count_child(struct disk_inode *directory, int change);

/* Finish what was an orphan when the machine stopped. */
MUST_CHECK int disk_inode_finish(struct diskfs *fs, u32 number);

/* ---- files -------------------------------------------------------------------------------------
 */

extern const struct inode_ops diskfs_file_ops;
extern const struct inode_ops diskfs_directory_inode_ops;
extern const struct directory_ops diskfs_directory_ops;

/* The block of a file's part `index`; 0: a hole. map_lock is held. -EIO, -ENOMEM. */
MUST_CHECK int map_find(struct disk_inode *inode, u64 index, u32 *block);

/*
 * In a handle, map_lock held: fill a hole. `fresh`: the buffer of its new block, zeros, with a
 * reference, neither dirty nor in the transaction yet; NULL if it was no hole. `disk` has changed
 * then, and may have on an error: to be stored. -ENOSPC, -EFBIG, -EIO, -ENOMEM.
 */
MUST_CHECK int map_make(struct disk_inode *inode, u64 index, struct buffer **fresh);

/* In a handle, map_lock held: free all blocks from part `first` on, however many. `disk` has
   changed then, and may have on an error. -EIO, -ENOMEM. */
MUST_CHECK int map_cut(struct disk_inode *inode, u64 first);

/* ops->release of both kinds. */
void disk_inode_release(struct inode *inode);

/* ops->sync of both kinds. */
int disk_inode_sync(struct inode *inode);

/* The buffer of a part, with a reference; NULL: a hole. map_lock is held. -EIO, -ENOMEM. */
MUST_CHECK int map_buffer(struct disk_inode *inode, u64 index, struct buffer **buffer);
