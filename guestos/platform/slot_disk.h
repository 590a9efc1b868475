/* SPDX-License-Identifier: MIT */
/* What drivers of disks have in common: a request on its way has a slot, and waits while all are
   taken. */
#pragma once

#include "kernel/block/block.h"
#include "kernel/lock.h"

enum {
    SLOT_DISK_SLOTS = 8,
    SLOT_DISK_SECTOR_BYTES = 512,
    SLOT_DISK_SECTORS_PER_BLOCK = PAGE_SIZE / SLOT_DISK_SECTOR_BYTES,
};

struct slot_disk {
    struct block_device device; /* first */

    /* The driver's, called with the lock held: hand a slot's request to the disk; the next slot of
       which the disk is done, and its error. False: there is none. */
    void (*start)(struct slot_disk *disk, u32 slot, const struct block_request *request);
    bool (*take)(struct slot_disk *disk, u32 *slot, int *error);

    struct spinlock lock;                            /* LOCK_BLOCK; guards the rest */
    struct block_request *requests[SLOT_DISK_SLOTS]; /* on their way; NULL: free */
    struct list_node waiting;
    u32 seen; /* the driver's: what it has taken so far of the disk's answers */
};

/* Tell of a disk whose driver has set `start` and `take`: vda, vdb, ... by `number`. */
void slot_disk_register(struct slot_disk *disk, u32 number, u64 sectors, bool read_only);

/* The disk has interrupted. */
void slot_disk_serve(struct slot_disk *disk);
