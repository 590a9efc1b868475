/* SPDX-License-Identifier: MIT */
/* Parts of files: direct numbers, then a block of numbers, then a block of blocks of numbers. */
#include "map.h"

#include <string.h>

enum map_shape {
    PER_BLOCK = DISKFS_NUMBERS_PER_BLOCK,
    DEPTH_MAX = 2,
};

/* Where a part's number stands: in the inode, or `depth` blocks of numbers below one there. */
struct place {
    uint32_t *root;
    unsigned depth;
    unsigned slots[DEPTH_MAX]; /* on the way down, the outermost first */
};

/* For an index that a file can have. */
static struct place find_place(struct diskfs_inode *inode, uint64_t index)
{
    if (index < DISKFS_DIRECT)
        return (struct place){&inode->direct[index], 0, {0}};
    index -= DISKFS_DIRECT;
    if (index < PER_BLOCK)
        return (struct place){&inode->indirect, 1, {(unsigned)index}};
    index -= PER_BLOCK;
    return (struct place){
        &inode->double_indirect, 2, {(unsigned)(index / PER_BLOCK), (unsigned)(index % PER_BLOCK)}};
}

uint32_t volume_find_part(struct volume *volume, const struct diskfs_inode *inode, uint64_t index)
{
    struct diskfs_inode copy = *inode;
    struct place place;
    uint32_t number;

    if (index >= DISKFS_FILE_BLOCKS)
        return 0;
    place = find_place(&copy, index);
    number = *place.root;
    for (unsigned i = 0; number != 0 && i < place.depth; i++) {
        const uint32_t *numbers = volume_look(volume, number);

        number = numbers[place.slots[i]];
    }
    return number;
}

int volume_set_part(struct volume *volume, struct diskfs_inode *inode, uint64_t index,
                    uint32_t block)
{
    struct place place;
    uint32_t *slot;

    if (index >= DISKFS_FILE_BLOCKS)
        return -1;
    place = find_place(inode, index);
    slot = place.root;
    for (unsigned i = 0; i < place.depth; i++) {
        uint32_t numbers = *slot;

        if (numbers == 0) {
            numbers = volume_take_block(volume);
            if (numbers == 0)
                return -1;
            volume_renew(volume, numbers);
            *slot = numbers;
            inode->block_count++;
        }
        slot = (uint32_t *)volume_change(volume, numbers) + place.slots[i];
    }
    *slot = block;
    inode->block_count++;
    return 0;
}

/* ---- walking -----------------------------------------------------------------------------------
 */

static void walk_number(struct part_walk *walk, uint32_t *number, unsigned depth, uint64_t index);

/* What a block of numbers names; `step` parts lie below each. */
static void walk_block(struct part_walk *walk, uint32_t block, unsigned depth, uint64_t index)
{
    uint64_t step = depth > 1 ? PER_BLOCK : 1;
    uint32_t numbers[PER_BLOCK];

    memcpy(numbers, volume_look(walk->volume, block), sizeof(numbers));
    for (unsigned i = 0; i < PER_BLOCK; i++) {
        uint32_t number = numbers[i];

        walk_number(walk, &number, depth - 1, index + i * step);
        if (number != numbers[i])
            ((uint32_t *)volume_change(walk->volume, block))[i] = number;
    }
}

/* As deep as the deepest file is. */
static void walk_number(struct part_walk *walk, uint32_t *number, unsigned depth, uint64_t index)
{
    if (*number == 0)
        return;
    if (walk->visit(walk, number, depth, index) && depth > 0 && *number != 0)
        walk_block(walk, *number, depth, index);
}

void volume_walk_parts(struct part_walk *walk, struct diskfs_inode *inode)
{
    for (unsigned i = 0; i < DISKFS_DIRECT; i++)
        walk_number(walk, &inode->direct[i], 0, i);
    walk_number(walk, &inode->indirect, 1, DISKFS_DIRECT);
    walk_number(walk, &inode->double_indirect, 2, DISKFS_DIRECT + PER_BLOCK);
}
