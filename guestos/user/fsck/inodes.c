/* SPDX-License-Identifier: MIT */
/*
 * Each inode by itself, and that no block has two owners.
 *
 * In two walks over all inodes. The first makes holes of numbers that are none of the data and
 * learns which blocks are in use, and which of them several times. From then on it is known what
 * is free, so the second can give a copy to whoever comes second; a block of numbers is not copied,
 * since all that it names would have two owners.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "internal.h"
#include "volume/map.h"

enum { MODE_BITS = S_IFMT | 07777 };

/* A walk over one inode's blocks. */
struct owner {
    struct check *check;
    uint32_t number;
    uint32_t block_count;
    uint32_t data_count; /* of these, blocks of data */
    uint64_t end;        /* behind the last part that is no hole */
    uint32_t *blocks;    /* where the first `block_max` blocks of data are listed */
    uint32_t block_max;
};

static void walk(struct owner *owner, struct diskfs_inode *inode,
                 bool (*visit)(struct part_walk *, uint32_t *, unsigned, uint64_t))
{
    struct part_walk map = {.volume = &owner->check->volume, .visit = visit, .context = owner};

    volume_walk_parts(&map, inode);
}

/* ---- the first walk ----------------------------------------------------------------------------
 */

static bool visit_first(struct part_walk *map, uint32_t *block, unsigned depth, uint64_t index)
{
    struct owner *owner = map->context;
    struct check *check = owner->check;

    if (!volume_is_data(map->volume, *block)) {
        check_found(check, "a hole", "inode %u: %s %u for part %llu is outside of the data",
                    owner->number, depth > 0 ? "block of numbers" : "block", *block,
                    (unsigned long long)index);
        *block = 0;
        return false;
    }
    if (volume_is_used(map->volume, *block)) {
        bit_set(check->shared, *block);
        check->shared_count++;
        return false;
    }
    volume_set_used(map->volume, *block, true);
    return true;
}

/* The type is one of the two, or the inode is to be freed. The root is a directory in any case. */
static bool check_mode(struct check *check, uint32_t number, struct diskfs_inode *inode)
{
    uint32_t type = inode->mode & S_IFMT;

    if (number == DISKFS_ROOT && type != S_IFDIR) {
        check_found(check, "a directory", "inode %u: the root has mode 0%o", number, inode->mode);
        inode->mode = S_IFDIR | 0755;
    }
    if (number != DISKFS_ROOT && type != S_IFREG && type != S_IFDIR) {
        check_found(check, "freed", "inode %u: mode 0%o is neither a file's nor a directory's",
                    number, inode->mode);
        return false;
    }
    if (inode->mode & ~(uint32_t)MODE_BITS) {
        check_found(check, "cleared", "inode %u: mode 0%o has bits that mean nothing", number,
                    inode->mode);
        inode->mode &= MODE_BITS;
    }
    return true;
}

static void check_first(struct check *check, uint32_t number)
{
    struct diskfs_inode inode = volume_load_inode(&check->volume, number);
    struct owner owner = {.check = check, .number = number};
    struct node *node = &check->nodes[number];

    if (inode.mode == 0 && number != DISKFS_ROOT)
        return;
    if (number == 0)
        check_found(check, "freed", "inode 0: it is in use, but is no inode");
    if (number == 0 || !check_mode(check, number, &inode)) {
        inode = (struct diskfs_inode){0};
    } else {
        walk(&owner, &inode, visit_first);
        node->kind = S_ISDIR(inode.mode) ? NODE_DIRECTORY : NODE_FILE;
        node->parent = inode.parent;
        node->has_no_links = inode.links == 0;
    }
    volume_store_inode(&check->volume, number, &inode);
}

/* ---- the second walk ---------------------------------------------------------------------------
 */

/* A block that has an owner already: another one with the same content, or 0. */
static uint32_t copy_block(struct volume *volume, uint32_t block)
{
    uint32_t copy = volume_take_block(volume);
    uint8_t content[DISKFS_BLOCK_BYTES];

    if (copy == 0)
        return 0;
    memcpy(content, volume_look(volume, block), sizeof(content));
    memcpy(volume_renew(volume, copy), content, sizeof(content));
    return copy;
}

static void take_from_owner(struct owner *owner, uint32_t *block, unsigned depth, uint64_t index)
{
    uint32_t copy = depth > 0 ? 0 : copy_block(&owner->check->volume, *block);

    check_found(owner->check, copy ? "a copy" : "a hole",
                "inode %u: %s %u for part %llu is in use elsewhere, too", owner->number,
                depth > 0 ? "block of numbers" : "block", *block, (unsigned long long)index);
    *block = copy;
}

static bool visit_second(struct part_walk *map, uint32_t *block, unsigned depth, uint64_t index)
{
    struct owner *owner = map->context;
    struct check *check = owner->check;

    if (!volume_is_data(map->volume, *block))
        return false; /* a device that does not give the same twice */
    if (bit_is_set(check->shared, *block)) {
        if (bit_is_set(check->owned, *block))
            take_from_owner(owner, block, depth, index);
        else
            bit_set(check->owned, *block);
    }
    if (*block == 0)
        return false;
    owner->block_count++;
    if (depth == 0) {
        owner->data_count++;
        owner->end = index + 1;
    }
    return true;
}

/* ---- directories -------------------------------------------------------------------------------
 */

static bool visit_count(struct part_walk *map, uint32_t *block, unsigned depth, uint64_t index)
{
    struct owner *owner = map->context;

    owner->block_count++;
    if (depth > 0)
        return true;
    if (owner->data_count < owner->block_max)
        owner->blocks[owner->data_count] = *block;
    owner->data_count++;
    owner->end = index + 1;
    return false;
}

/* List the blocks of data, and free those of numbers: what is free keeps its content until it is
   taken again. */
static bool visit_take_apart(struct part_walk *map, uint32_t *block, unsigned depth, uint64_t index)
{
    if (depth > 0 && volume_is_data(map->volume, *block))
        volume_set_used(map->volume, *block, false);
    return visit_count(map, block, depth, index);
}

/* One block behind the other, in their order. What is needed for numbers was just freed. */
static void pack(struct check *check, uint32_t number, struct diskfs_inode *inode, uint32_t count)
{
    struct owner owner = {.check = check, .number = number, .block_max = count};

    owner.blocks = calloc(count, sizeof(*owner.blocks));
    if (!owner.blocks) {
        volume_fail(&check->volume, ENOMEM, VOLUME_NO_BLOCK);
        return;
    }
    walk(&owner, inode, visit_take_apart);
    memset(inode->direct, 0, sizeof(inode->direct));
    inode->indirect = 0;
    inode->double_indirect = 0;
    inode->block_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (volume_set_part(&check->volume, inode, i, owner.blocks[i]) != 0)
            break;
    }
    free(owner.blocks);
}

void inodes_settle_directory(struct check *check, uint32_t number, struct diskfs_inode *inode)
{
    struct owner owner = {.check = check, .number = number};
    uint64_t bytes;

    walk(&owner, inode, visit_count);
    bytes = (uint64_t)owner.data_count * DISKFS_BLOCK_BYTES;
    if (owner.end != owner.data_count) {
        check_found(check, "closed", "inode %u: a directory of %u blocks has holes", number,
                    owner.data_count);
        pack(check, number, inode, owner.data_count);
    }
    if (inode->size_bytes != bytes) {
        check_found(check, "size set", "inode %u: a directory of %u blocks has %llu bytes", number,
                    owner.data_count, (unsigned long long)inode->size_bytes);
        inode->size_bytes = bytes;
    }
}

/* What is being removed has been cut from its end, but has its size. */
static void check_size(struct check *check, uint32_t number, struct diskfs_inode *inode,
                       uint64_t end)
{
    const struct node *node = &check->nodes[number];
    bool is_directory = node->kind == NODE_DIRECTORY;

    if (is_directory && !node_is_removed(node)) {
        inodes_settle_directory(check, number, inode);
    } else if (inode->size_bytes > DISKFS_FILE_BYTES ||
               (is_directory && inode->size_bytes % DISKFS_BLOCK_BYTES != 0)) {
        check_found(check, "size set", "inode %u: nothing can have %llu bytes", number,
                    (unsigned long long)inode->size_bytes);
        inode->size_bytes = end * DISKFS_BLOCK_BYTES;
    }
}

static void check_second(struct check *check, uint32_t number)
{
    struct diskfs_inode inode = volume_load_inode(&check->volume, number);
    struct owner owner = {.check = check, .number = number};

    walk(&owner, &inode, visit_second);
    if (inode.block_count != owner.block_count) {
        check_found(check, "count set", "inode %u: it has %u blocks, and says %u", number,
                    owner.block_count, inode.block_count);
        inode.block_count = owner.block_count;
    }
    if (check->nodes[number].kind == NODE_FILE && inode.parent != 0) {
        check_found(check, "cleared", "inode %u: a file has a parent, %u", number, inode.parent);
        inode.parent = 0;
    }
    check_size(check, number, &inode, owner.end);
    volume_store_inode(&check->volume, number, &inode);
}

void inodes_check(struct check *check)
{
    for (uint32_t i = 0; i < check->volume.inode_limit; i++)
        check_first(check, i);
    if (check->volume.error)
        return; /* what was to be repaired may not have been */
    for (uint32_t i = 0; i < check->volume.inode_limit; i++) {
        if (check->nodes[i].kind != NODE_FREE)
            check_second(check, i);
    }
}

static bool visit_free(struct part_walk *map, uint32_t *block, unsigned depth, uint64_t index)
{
    (void)index;
    if (!volume_is_data(map->volume, *block))
        return false;
    volume_set_used(map->volume, *block, false);
    return depth > 0;
}

void inodes_free(struct check *check, uint32_t number)
{
    struct diskfs_inode inode = volume_load_inode(&check->volume, number);
    struct owner owner = {.check = check, .number = number};

    walk(&owner, &inode, visit_free);
    inode = (struct diskfs_inode){0};
    volume_store_inode(&check->volume, number, &inode);
    check->nodes[number] = (struct node){.is_orphan = check->nodes[number].is_orphan};
}
