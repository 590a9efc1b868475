/* SPDX-License-Identifier: MIT */
/* Links, parents, the table of orphans, the bitmap: what can be counted when all else is known. */
#include <string.h>

#include "internal.h"

/* ---- links -------------------------------------------------------------------------------------
 */

enum { OWN_NAMES = 2 }; /* of a directory: in its parent, and its own "." */

static void check_links(struct check *check, uint32_t number)
{
    struct diskfs_inode inode = volume_load_inode(&check->volume, number);
    const struct node *node = &check->nodes[number];
    bool is_directory = node->kind == NODE_DIRECTORY;
    uint32_t parent = number == DISKFS_ROOT ? DISKFS_ROOT : node->parent;
    uint32_t links = is_directory ? OWN_NAMES + node->names : node->names;

    if (is_directory ? !node->is_reached : node->names == 0)
        return; /* it is being removed, or could not be given a name */
    if (inode.links != links) {
        check_found(check, "set", "inode %u: it has %u links, and should have %u", number,
                    inode.links, links);
        inode.links = links;
    }
    if (is_directory && inode.parent != parent) {
        check_found(check, "set", "inode %u: its parent is %u, and should be %u", number,
                    inode.parent, parent);
        inode.parent = parent;
    }
    volume_store_inode(&check->volume, number, &inode);
}

void counts_check_links(struct check *check)
{
    for (uint32_t i = DISKFS_ROOT; i < check->volume.inode_limit; i++) {
        if (check->nodes[i].kind == NODE_FREE)
            continue;
        check_links(check, i);
        if (check->nodes[i].kind == NODE_DIRECTORY)
            check->result->directory_count++;
        else
            check->result->file_count++;
    }
}

/* ---- orphans -----------------------------------------------------------------------------------
 */

void orphans_load(struct check *check)
{
    const struct diskfs_orphans *orphans = volume_look(&check->volume, DISKFS_ORPHANS);

    for (uint32_t i = 0; i < DISKFS_NUMBERS_PER_BLOCK; i++) {
        if (orphans->inodes[i] < check->volume.inode_limit)
            check->nodes[orphans->inodes[i]].is_orphan = true;
    }
}

void counts_check_orphans(struct check *check)
{
    struct diskfs_orphans orphans;

    memcpy(&orphans, volume_look(&check->volume, DISKFS_ORPHANS), sizeof(orphans));
    for (uint32_t i = 0; i < DISKFS_NUMBERS_PER_BLOCK; i++) {
        uint32_t number = orphans.inodes[i];
        const char *why = NULL;

        if (number == 0)
            continue;
        if (number >= check->volume.inode_limit)
            why = "does not exist";
        else if (check->nodes[number].kind == NODE_FREE)
            why = "is free";
        else if (!check->nodes[number].is_orphan)
            why = "is there twice";
        if (why) {
            check_found(check, "cleared", "orphans: inode %u %s", number, why);
            ((struct diskfs_orphans *)volume_change(&check->volume, DISKFS_ORPHANS))->inodes[i] = 0;
        } else {
            check->nodes[number].is_orphan = false;
            check->result->orphan_count++;
        }
    }
}

/* ---- the bitmap --------------------------------------------------------------------------------
 */

/* Blocks one behind the other that the bitmap has wrong in the same way. */
struct run {
    uint64_t start, end; /* the same: none */
    bool is_used;
};

static void say_run(struct check *check, const struct run *run)
{
    const char *repair = run->is_used ? "set" : "cleared";

    if (run->start == run->end)
        return;
    if (run->start >= check->volume.super.block_count)
        check_found(check, repair, "bitmap: bits behind the disk's end are clear");
    else if (run->end - run->start == 1)
        check_found(check, repair, "bitmap: block %llu is %s", (unsigned long long)run->start,
                    run->is_used ? "in use, and free there" : "free, and in use there");
    else
        check_found(check, repair, "bitmap: blocks %llu to %llu are %s",
                    (unsigned long long)run->start, (unsigned long long)run->end - 1,
                    run->is_used ? "in use, and free there" : "free, and in use there");
}

static void check_bitmap_block(struct check *check, uint32_t index, struct run *run)
{
    uint64_t first = (uint64_t)index * DISKFS_BITS_PER_BLOCK;
    uint8_t bits[DISKFS_BLOCK_BYTES];

    memcpy(bits, volume_look(&check->volume, check->volume.super.bitmap_start + index),
           sizeof(bits));
    for (uint32_t i = 0; i < DISKFS_BITS_PER_BLOCK; i++) {
        uint64_t block = first + i;
        bool is_used = volume_is_used(&check->volume, block);
        bool is_wrong = bit_is_set(bits, i) != is_used;
        bool is_next = run->end == block && run->is_used == is_used && run->start != run->end &&
                       block != check->volume.super.block_count;

        if (is_wrong && !is_next) {
            say_run(check, run);
            *run = (struct run){block, block, is_used};
        }
        if (is_wrong)
            run->end = block + 1;
    }
}

void counts_check_bitmap(struct check *check)
{
    struct run run = {0};

    for (uint32_t i = 0; i < volume_bitmap_blocks(&check->volume); i++)
        check_bitmap_block(check, i, &run);
    say_run(check, &run);
    volume_store_bitmap(&check->volume);
    check->result->free_blocks = volume_count_free(&check->volume);
    check->result->used_blocks = check->volume.super.block_count - check->volume.super.data_start -
                                 check->result->free_blocks;
}
