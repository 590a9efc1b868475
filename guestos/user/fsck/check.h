/* SPDX-License-Identifier: MIT */
/*
 * Checking a disk file system that nobody has mounted, and repairing it. As the kernel would see it
 * after a mount: what the journal holds counts, and what the table of orphans leaves to the mount
 * is no damage.
 *
 * Nothing on the disk is believed. Memory: a few bytes for each block and inode, and each block
 * that is to be changed; the counts are bounded by the device's size. All loops end by themselves.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum fsck_state {
    FSCK_CLEAN,    /* nothing was found */
    FSCK_REPAIRED, /* all that was found */
    FSCK_DAMAGED,  /* something is left as it was found */
    FSCK_FAILED,   /* there is nothing that could be checked, or the device fails: see `problem` */
};

struct fsck_options {
    bool repair; /* else nothing is written */
    /* Called for each finding with one line: where, what, and after "->" what is done about it. */
    void (*say)(void *context, const char *line);
    void *context;
};

struct fsck_result {
    enum fsck_state state;
    uint64_t finding_count;
    uint64_t left_count; /* of these, not to be repaired */
    char problem[160];
    /* as it is now, with `repair`; else as it would be */
    uint32_t file_count, directory_count, orphan_count;
    uint32_t used_blocks, free_blocks; /* used: of the data */
};

/* Check what `descriptor` names, open for reading and, to repair it, for writing. Repaired, a
   second check finds nothing. */
struct fsck_result fsck_check(int descriptor, const struct fsck_options *options);
