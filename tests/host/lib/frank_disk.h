/* SPDX-License-Identifier: MIT */
/*
 * A disk for Frank's file system in host tests. It keeps a diary of what was written and flushed,
 * from which the disk can be made as a stop of the machine would leave it: what was flushed, and
 * any part of what came after.
 */
#pragma once

#include "kernel/block/block.h"

struct frank_disk_event {
    bool is_flush;
    u32 block;
    u8 *content; /* of a write */
};

struct frank_disk {
    struct block_device device; /* first */
    u8 *content;                /* as reads see it */
    bool keeps_diary;
    struct frank_disk_event *events;
    u32 event_count;
    u32 event_room;
    long operations_left; /* until all of them fail; negative: none does */
    u32 reads;
};

/* A disk with an empty file system on it. */
void frank_disk_create(struct frank_disk *disk, u32 block_count);
void frank_disk_destroy(struct frank_disk *disk);

/* Forget the diary and keep one from now on. */
void frank_disk_begin_diary(struct frank_disk *disk);

/*
 * Make `copy` as a stop after the first `count` events leaves the disk, which was `start` when the
 * diary began. Of writes that no flush followed each is there by the word of `keeps`.
 */
void frank_disk_stop(const struct frank_disk *disk, const u8 *start, u32 count, bool (*keeps)(void),
                     struct frank_disk *copy);
