/* SPDX-License-Identifier: MIT */
/* Making an empty disk file system (frank/diskfs.h), in Frank or on the machine that builds it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct format_plan {
    uint32_t block_count;    /* of the disk */
    uint32_t inode_count;    /* 0: one for each four blocks */
    uint32_t journal_blocks; /* 0: by the disk's size */
    bool without_journal;    /* for a disk in memory */
};

/* Make a file system on what `descriptor` names, which is at least as long. 0, or -1 with errno:
   EINVAL: the disk is too small, or the plan does not fit it. */
int format_disk(int descriptor, const struct format_plan *plan);
