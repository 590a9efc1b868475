/* SPDX-License-Identifier: MIT */
/* The journal, as the kernel recovers it (kernel/diskfs/journal.c; frank/diskfs.h tells why). */
#include <stddef.h>
#include <string.h>

#include "fnv.h"
#include "internal.h"

enum { HALVES = 2 };

static uint32_t half_start(const struct volume *volume, unsigned half)
{
    return volume->super.journal_start + (half ? volume->super.journal_blocks / HALVES : 0);
}

static uint32_t image_max(const struct volume *volume)
{
    return min(volume->super.journal_blocks / HALVES - 1, (uint32_t)DISKFS_IMAGES_MAX);
}

static bool is_sound(const struct volume *volume, const struct diskfs_journal_head *head)
{
    const uint8_t *start = (const uint8_t *)&head->sequence, *end;

    if (head->magic != DISKFS_JOURNAL_MAGIC || head->image_count > image_max(volume))
        return false;
    end = (const uint8_t *)&head->targets[head->image_count];
    if (head->checksum != fnv64_update(FNV64_START, start, (size_t)(end - start)))
        return false;
    for (uint32_t i = 0; i < head->image_count; i++) {
        uint32_t target = head->targets[i];

        if (target >= volume->super.block_count ||
            (target != DISKFS_ORPHANS && target < volume->super.bitmap_start))
            return false;
    }
    return true;
}

/* The sequence of a half's head; 0: it holds no transaction. */
static uint64_t sequence_of(struct volume *volume, unsigned half)
{
    const struct diskfs_journal_head *head = volume_look(volume, half_start(volume, half));

    return is_sound(volume, head) ? head->sequence : 0;
}

/* The half with the newest transaction, or -1. */
static int newest_half(struct volume *volume)
{
    uint64_t first, second;

    if (volume->super.journal_blocks == 0)
        return -1;
    first = sequence_of(volume, 0);
    second = sequence_of(volume, 1);
    if (first == 0 && second == 0)
        return -1;
    return second > first;
}

void journal_replay(struct check *check)
{
    struct volume *volume = &check->volume;
    int half = newest_half(volume);
    struct diskfs_journal_head head;
    uint8_t image[DISKFS_BLOCK_BYTES];

    if (half < 0)
        return;
    memcpy(&head, volume_look(volume, half_start(volume, (unsigned)half)), sizeof(head));
    for (uint32_t i = 0; i < head.image_count; i++) {
        uint32_t target = head.targets[i];

        memcpy(image, volume_look(volume, half_start(volume, (unsigned)half) + 1 + i),
               sizeof(image));
        if (memcmp(image, volume_look(volume, target), sizeof(image)) != 0)
            memcpy(volume_renew(volume, target), image, sizeof(image));
    }
}

/* The older head first: while it stands alone, its transaction would be taken for the last. */
void journal_retire(struct check *check)
{
    static const uint8_t zeros[DISKFS_BLOCK_BYTES];
    struct volume *volume = &check->volume;
    int newest = newest_half(volume);

    if (newest < 0)
        return;
    volume_write(volume, half_start(volume, !newest), zeros);
    (void)volume_sync(volume); /* a failure is remembered: nothing more is written then */
    volume_write(volume, half_start(volume, (unsigned)newest), zeros);
    (void)volume_sync(volume);
}
