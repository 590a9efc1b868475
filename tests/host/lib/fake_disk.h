/* SPDX-License-Identifier: MIT */
/*
 * Disks for tests: virtio block devices behind the registers of driver/mmio.h. A device does
 * nothing by itself: a test says when it does the next request, which of them, and how it lies.
 */
#pragma once

#include "driver/virtio_registers.h"

enum { FAKE_DISKS = 8, FAKE_SECTORS = 256, FAKE_QUEUE_MAX = 1024 };

struct fake_disk {
    bool there; /* else its slot is empty; what it is like is the test's */
    bool read_only, legacy, no_flush;
    bool fails; /* requests from now on */
    u8 data[FAKE_SECTORS * VIRTIO_SECTOR_BYTES];

    u32 status, interrupt_status, features_select, driver_select, driver_features[2], size, ready;
    u64 descriptors, available, used;
    u16 seen, given;
    u32 notified; /* how often */
    u32 flushed;  /* flushes done */
    u16 waiting[FAKE_QUEUE_MAX];
    u32 waiting_count;
};

extern struct fake_disk fake_disks[FAKE_DISKS];

/* Empties all slots. */
void fake_disks_reset(void);

/* Tells the machine of the slots, and starts the driver. world_start does so. */
void fake_disks_start(void);

/* The disk does the n-th of those it has taken (it takes what is there first); false: it has not so
 * many. */
bool fake_disk_do(struct fake_disk *disk, u32 n);

/* Does all that there is, the last first, and interrupts. */
void fake_disk_do_all(struct fake_disk *disk);

/* Says that the request whose first descriptor that is, is done; what its index grows by. */
void fake_disk_give(struct fake_disk *disk, u32 first, u16 by);

/* The disk's interrupt, as it is. */
void fake_disk_interrupt(struct fake_disk *disk);
