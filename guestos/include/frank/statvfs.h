/* SPDX-License-Identifier: MIT */
/* What statvfs fills in, of the one file system that there is. For both sides. */
#pragma once

#include <stdint.h>

struct frank_statvfs {
    uint64_t block_bytes;
    uint64_t block_count; /* for content of files and directories */
    uint64_t free_blocks;
    uint64_t inode_count;
    uint64_t free_inodes;
    uint64_t read_only; /* 1: nothing can be changed */
};
