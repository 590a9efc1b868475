/* SPDX-License-Identifier: MIT */
/*
 * The entries of a directory, one behind the other: found by looking at each. All of it is called
 * with the directory's `lock` held.
 */
#pragma once

#include "kernel/diskfs/internal.h"

/* A walk over all entries, free ones too. */
struct walk {
    struct disk_inode *directory;
    struct buffer *buffer; /* of the block that the entry is in, with a reference; or NULL */
    u64 next;              /* where the next entry begins */
    u64 offset;            /* where `entry` does */
    struct diskfs_entry *entry;
};

/* Of a local walk, which begins as {.directory = directory} or somewhere at a block's start: its
   reference goes at the block's end. */
#define WALK_REF CLEANUP(walk_end)
void walk_end(struct walk *walk);

/* 1: `entry` is the next one; 0: there is none; or -EIO, -ENOMEM. */
MUST_CHECK int walk_next(struct walk *walk);

/* Walk on to the entry of a name. -ENOENT, -EIO, -ENOMEM. */
MUST_CHECK int walk_find(struct walk *walk, const char *name);

/* In a handle: take the walk's entry away. */
void walk_clear(struct walk *walk);

/* Free room for a name, in one piece. */
struct room {
    u64 offset;
    u32 bytes;             /* 0: none yet */
    struct buffer *buffer; /* of its block, with a reference: filling it cannot fail */
};

/* In a handle: room for a name that is not there, to be filled or left. The directory may grow.
   -EEXIST, -ENOSPC, -EFBIG, -EIO, -ENOMEM. */
MUST_CHECK int room_make(struct room *room, struct disk_inode *directory, const char *name);

/* In a handle: name an inode there; what is left of the room stays free. */
void room_fill(struct room *room, struct disk_inode *directory, const char *name,
               const struct inode *inode);
void room_leave(struct room *room);
