/* SPDX-License-Identifier: MIT */
/*
 * The parts of a check, in their order. All of them work on the volume as it is in memory, so each
 * sees what the ones before have repaired.
 *
 *   journal.c   the last transaction comes to its places
 *   inodes.c    each inode, and that each block has one owner
 *   names.c     each directory, from the root on
 *   lost.c      what no name leads to
 *   counts.c    links, parents, orphans, the bitmap
 */
#pragma once

#include "fsck/check.h"
#include "types.h"
#include "volume/volume.h"

enum node_kind {
    NODE_FREE,
    NODE_FILE,
    NODE_DIRECTORY,
};

/* What is known of an inode. */
struct node {
    uint32_t parent;   /* of a directory: as its inode says, then the one that has its name */
    uint32_t position; /* of a reached directory: where its name is (struct place) */
    uint32_t names;    /* of a file; of a directory: its subdirectories */
    uint8_t kind;
    bool is_reached;   /* of a directory: from the root */
    bool is_orphan;    /* it stands in the table */
    bool has_no_links; /* as its inode says */
};

struct check {
    struct volume volume;
    const struct fsck_options *options;
    struct fsck_result *result;
    struct node *nodes; /* by inode number */

    uint8_t *shared; /* a bit for each block that several numbers name */
    uint8_t *owned;  /* of these: one of the numbers was seen in the second walk */
    uint32_t shared_count;

    uint32_t *reached; /* directories, in the order in which they were reached */
    uint32_t reached_count;
    uint32_t names_next, strays_next; /* the next of them, for two kinds of visits (names.c) */
    uint32_t lost_found;              /* the inode of /lost+found; 0: not known yet */
};

/* Say what was found and how it is repaired. */
PRINTF_LIKE(3, 4)
void check_found(struct check *check, const char *repair, const char *format, ...);

/* The same for what stays as it is. */
PRINTF_LIKE(2, 3) void check_left(struct check *check, const char *format, ...);

static inline bool bit_is_set(const uint8_t *bits, uint32_t index)
{
    return bits[index / 8] >> index % 8 & 1;
}

static inline void bit_set(uint8_t *bits, uint32_t index)
{
    bits[index / 8] |= (uint8_t)(1U << index % 8);
}

/* An inode that the next mount frees. */
static inline bool node_is_removed(const struct node *node)
{
    return node->is_orphan && node->has_no_links;
}

/* Put the last transaction that holds into its places, of the volume in memory. */
void journal_replay(struct check *check);
/* What was replayed has reached the disk: no mount is to replay it again over what is repaired. */
void journal_retire(struct check *check);

void orphans_load(struct check *check);
void inodes_check(struct check *check);
/* A directory has no holes, and its size is what it has. Changes the inode in the caller's memory.
 */
void inodes_settle_directory(struct check *check, uint32_t number, struct diskfs_inode *inode);
/* Free an inode and its blocks. */
void inodes_free(struct check *check, uint32_t number);

void names_check(struct check *check);
/* A directory was found by its name in `parent`; what it names is found by the next names_check().
 */
void names_reach(struct check *check, uint32_t number, uint32_t parent, uint32_t position);
bool names_is_empty(struct check *check, uint32_t number);

void lost_check(struct check *check);

void counts_check_links(struct check *check);
void counts_check_orphans(struct check *check);
void counts_check_bitmap(struct check *check);
