/* SPDX-License-Identifier: MIT */
/* Which block holds which part of a file, of a volume that is not mounted. */
#pragma once

#include "volume.h"

/* The block of a part; 0: a hole. */
uint32_t volume_find_part(struct volume *volume, const struct diskfs_inode *inode, uint64_t index);

/* Put a block, which is in use already, where a part of an inode in the caller's memory is; blocks
   of numbers are made as they are needed and counted, and so is this one. -1: none was free. */
int volume_set_part(struct volume *volume, struct diskfs_inode *inode, uint64_t index,
                    uint32_t block);

/*
 * A walk over all numbers of an inode that are no holes, blocks of numbers before what they name.
 * `visit` says whether to go down into a block of numbers, and may change the number. `depth` is 0
 * for a block of data, else how many blocks of numbers lie above one; `index` is the (first)
 * part's.
 */
struct part_walk {
    struct volume *volume;
    bool (*visit)(struct part_walk *walk, uint32_t *block, unsigned depth, uint64_t index);
    void *context;
};
void volume_walk_parts(struct part_walk *walk, struct diskfs_inode *inode);
