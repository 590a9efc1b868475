/* SPDX-License-Identifier: MIT */
/* Blocks of a volume: read, changed in memory, written. */
#include "volume.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fnv.h"
#include "io.h"

enum volume_limits {
    HANDLE_IMAGES = 24, /* what the kernel changes in one handle, at most, besides the bitmap */
};

/* ---- the device --------------------------------------------------------------------------------
 */

void volume_fail(struct volume *volume, int error, uint32_t block)
{
    if (volume->error == 0) {
        volume->error = error;
        volume->error_block = block;
    }
}

void volume_write(struct volume *volume, uint32_t block, const void *content)
{
    if (volume->cached_block == block)
        volume->cached_block = VOLUME_NO_BLOCK;
    if (volume->error == 0 && io_write_block(volume->descriptor, block, content) != 0)
        volume_fail(volume, errno, block);
}

/* ---- beginning and end -------------------------------------------------------------------------
 */

/* Whether [start, start + count) begins at `before` or later and ends where `after` begins. */
static bool is_next(uint32_t before, uint32_t start, uint32_t count, uint32_t after)
{
    return start >= before && after >= start && after - start >= count;
}

static bool areas_are_sound(const struct diskfs_superblock *super)
{
    return is_next(DISKFS_JOURNAL_START, super->journal_start, super->journal_blocks,
                   super->bitmap_start) &&
           is_next(super->bitmap_start, super->bitmap_start, super->bitmap_blocks,
                   super->inode_start) &&
           is_next(super->inode_start, super->inode_start, super->inode_blocks,
                   super->data_start) &&
           super->bitmap_blocks > 0 && super->inode_blocks > 0 &&
           super->data_start < super->block_count;
}

/* A disk in memory has none. */
static bool journal_is_sound(const struct diskfs_superblock *super)
{
    return super->journal_blocks == 0 ||
           (super->journal_blocks >= DISKFS_JOURNAL_BLOCKS_MIN &&
            super->journal_blocks / 2 >= HANDLE_IMAGES + 1 + super->bitmap_blocks);
}

const char *volume_refuse(const struct diskfs_superblock *super, uint64_t device_blocks)
{
    if (super->magic != DISKFS_MAGIC)
        return "there is no file system of Frank's on it";
    if (super->checksum !=
        fnv64_update(FNV64_START, super, offsetof(struct diskfs_superblock, checksum)))
        return "its superblock is damaged";
    if (super->version != 1 || super->block_bytes != DISKFS_BLOCK_BYTES)
        return "its file system is of another version";
    if (super->block_count > device_blocks)
        return "its file system is larger than the device";
    if (!areas_are_sound(super))
        return "its superblock makes no sense: areas overlap or are missing";
    if (!journal_is_sound(super))
        return "its superblock makes no sense: the journal is too small";
    if ((uint64_t)super->bitmap_blocks * DISKFS_BITS_PER_BLOCK < super->block_count)
        return "its superblock makes no sense: the bitmap is too small";
    if ((uint64_t)super->inode_blocks * DISKFS_INODES_PER_BLOCK > UINT32_MAX)
        return "its superblock makes no sense: there are too many inodes";
    return NULL;
}

static const char *read_superblock(struct volume *volume)
{
    off_t bytes = lseek(volume->descriptor, 0, SEEK_END);
    uint8_t block[DISKFS_BLOCK_BYTES];

    if (bytes < 0 || (bytes >= DISKFS_BLOCK_BYTES &&
                      io_read_block(volume->descriptor, DISKFS_SUPERBLOCK, block) != 0)) {
        volume_fail(volume, errno, DISKFS_SUPERBLOCK);
        return strerror(volume->error);
    }
    if (bytes < DISKFS_BLOCK_BYTES)
        return "it is too small for a file system";
    memcpy(&volume->super, block, sizeof(volume->super));
    return volume_refuse(&volume->super, (uint64_t)bytes / DISKFS_BLOCK_BYTES);
}

/* What lies before the data, and behind the disk's end. */
static void set_what_is_no_data(struct volume *volume)
{
    uint64_t bits = (uint64_t)volume_bitmap_blocks(volume) * DISKFS_BITS_PER_BLOCK;

    for (uint64_t i = 0; i < volume->super.data_start; i++)
        volume_set_used(volume, i, true);
    for (uint64_t i = volume->super.block_count; i < bits; i++)
        volume_set_used(volume, i, true);
}

const char *volume_open(struct volume *volume, int descriptor)
{
    const char *refused;

    *volume = (struct volume){.descriptor = descriptor, .cached_block = VOLUME_NO_BLOCK};
    refused = read_superblock(volume);
    if (refused)
        return refused;
    volume->inode_limit = volume->super.inode_blocks * DISKFS_INODES_PER_BLOCK;
    volume->next_block = volume->super.data_start;
    volume->next_inode = DISKFS_ROOT;
    volume->changed = calloc(volume->super.block_count, sizeof(*volume->changed));
    volume->in_use = calloc(volume_bitmap_blocks(volume), DISKFS_BLOCK_BYTES);
    if (!volume->changed || !volume->in_use) {
        volume_close(volume);
        volume_fail(volume, ENOMEM, VOLUME_NO_BLOCK);
        return strerror(ENOMEM);
    }
    set_what_is_no_data(volume);
    return NULL;
}

void volume_close(struct volume *volume)
{
    for (uint32_t i = 0; volume->changed && i < volume->super.block_count; i++)
        free(volume->changed[i]);
    free(volume->changed);
    free(volume->in_use);
    volume->changed = NULL;
    volume->in_use = NULL;
}

/* ---- blocks ------------------------------------------------------------------------------------
 */

const void *volume_look(struct volume *volume, uint32_t block)
{
    if (block < volume->super.block_count && volume->changed[block])
        return volume->changed[block];
    if (block == volume->cached_block)
        return volume->cached;
    volume->cached_block = block;
    if (block >= volume->super.block_count)
        errno = EIO;
    if (block >= volume->super.block_count ||
        io_read_block(volume->descriptor, block, volume->cached) != 0) {
        volume_fail(volume, errno, block);
        memset(volume->cached, 0, sizeof(volume->cached));
    }
    return volume->cached;
}

/* Where a block's new content goes. */
static uint8_t *make_place(struct volume *volume, uint32_t block)
{
    uint8_t *place = NULL;

    if (block < volume->super.block_count) {
        place = volume->changed[block];
        if (!place)
            place = malloc(DISKFS_BLOCK_BYTES);
    }
    if (!place) {
        volume_fail(volume, ENOMEM, VOLUME_NO_BLOCK);
        return volume->scratch;
    }
    volume->changed_count += volume->changed[block] == NULL;
    volume->changed[block] = place;
    return place;
}

void *volume_change(struct volume *volume, uint32_t block)
{
    const void *old = volume_look(volume, block);
    uint8_t *place = make_place(volume, block);

    if (place != old)
        memcpy(place, old, DISKFS_BLOCK_BYTES);
    return place;
}

void *volume_renew(struct volume *volume, uint32_t block)
{
    return memset(make_place(volume, block), 0, DISKFS_BLOCK_BYTES);
}

int volume_sync(struct volume *volume)
{
    if (volume->error == 0 && fsync(volume->descriptor) != 0)
        volume_fail(volume, errno, VOLUME_NO_BLOCK);
    return volume->error ? -1 : 0;
}

int volume_flush(struct volume *volume)
{
    for (uint32_t i = 0; volume->error == 0 && i < volume->super.block_count; i++) {
        if (!volume->changed[i])
            continue;
        volume_write(volume, i, volume->changed[i]);
        free(volume->changed[i]);
        volume->changed[i] = NULL;
        volume->changed_count--;
    }
    return volume_sync(volume);
}

/* ---- free and in use ---------------------------------------------------------------------------
 */

uint32_t volume_take_block(struct volume *volume)
{
    uint32_t data_blocks = volume->super.block_count - volume->super.data_start;

    for (uint32_t i = 0; i < data_blocks; i++) {
        uint32_t block = volume->next_block++;

        if (volume->next_block == volume->super.block_count)
            volume->next_block = volume->super.data_start;
        if (!volume_is_used(volume, block)) {
            volume_set_used(volume, block, true);
            return block;
        }
    }
    return 0;
}

uint32_t volume_count_free(const struct volume *volume)
{
    uint32_t count = 0;

    for (uint32_t i = volume->super.data_start; i < volume->super.block_count; i++)
        count += !volume_is_used(volume, i);
    return count;
}

uint32_t volume_used_end(const struct volume *volume)
{
    uint32_t end = volume->super.block_count;

    while (!volume_is_used(volume, end - 1))
        end--;
    return end;
}

void volume_store_bitmap(struct volume *volume)
{
    for (uint32_t i = 0; i < volume_bitmap_blocks(volume); i++) {
        const uint8_t *right = volume->in_use + (size_t)i * DISKFS_BLOCK_BYTES;
        uint32_t block = volume->super.bitmap_start + i;

        if (memcmp(volume_look(volume, block), right, DISKFS_BLOCK_BYTES) != 0)
            memcpy(volume_renew(volume, block), right, DISKFS_BLOCK_BYTES);
    }
}

/* ---- inodes ------------------------------------------------------------------------------------
 */

struct diskfs_inode volume_load_inode(struct volume *volume, uint32_t number)
{
    const struct diskfs_inode *slots = volume_look(volume, volume->super.inode_start +
                                                               number / DISKFS_INODES_PER_BLOCK);

    return slots[number % DISKFS_INODES_PER_BLOCK];
}

void volume_store_inode(struct volume *volume, uint32_t number, const struct diskfs_inode *inode)
{
    uint32_t block = volume->super.inode_start + number / DISKFS_INODES_PER_BLOCK;
    struct diskfs_inode old = volume_load_inode(volume, number);
    struct diskfs_inode *slots;

    if (memcmp(&old, inode, sizeof(old)) == 0)
        return;
    slots = volume_change(volume, block);
    slots[number % DISKFS_INODES_PER_BLOCK] = *inode;
}

uint32_t volume_find_free_inode(struct volume *volume)
{
    for (uint32_t i = DISKFS_ROOT; i < volume->inode_limit; i++) {
        uint32_t number = volume->next_inode;

        if (volume_load_inode(volume, number).mode == 0)
            return number;
        volume->next_inode = number + 1 < volume->inode_limit ? number + 1 : DISKFS_ROOT;
    }
    return 0;
}
