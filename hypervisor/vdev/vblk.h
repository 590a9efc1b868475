/* SPDX-License-Identifier: MIT */
/*
 * A virtio block device behind virtio-mmio, version 2 (virtio 1.2, sections 4.2 and 5.2), as the
 * machine `virt` has it with force-legacy=false: one queue, read, write, flush, identify. A driver
 * that does not take VIRTIO_F_VERSION_1 is served like one that does, as QEMU does.
 *
 * Work is done in steps: each sector that is copied is one, and so is each group of descriptors;
 * vblk_serve does VBLK_STEPS of them at most and says when more is left. A request lives in the
 * device from step to step; its descriptors were copied once. What it reads or writes goes through
 * the buffer: the medium never reaches the guest's memory, so that what is left of a request when
 * the driver resets the device has nowhere to go. A request that asks for the impossible fails with
 * VIRTIO_BLK_S_IOERR; a queue that breaks the rules stops the device until the driver resets it
 * (vqueue.h).
 *
 * A register is read and written by 4 bytes: other widths read 0 and write nothing.
 */
#pragma once

#include "vdev/vdev.h"
#include "vdev/vqueue.h"

enum {
    VBLK_BYTES = 0x200,
    VBLK_SECTOR_BYTES = 512,
    VBLK_ID_BYTES = 20,
    VBLK_BUFFER_SECTORS = 16,
    VBLK_STEPS = 6,
};

/* Where the sectors are, which are always within the capacity. One transfer at a time goes on
 * between them and the buffer, by itself. */
struct vblk_media {
    /* Begins one (enum candor_disk_operation; no sectors of a flush); false: it cannot be. */
    bool (*begin)(void *context, u32 operation, u64 sector, u32 sectors);
    /* Whether the one that was begun is over, and then how. */
    bool (*over)(void *context, bool *good);
};

/* The request in hand. */
struct vblk_request {
    bool active;
    u8 status;
    u32 type;
    u64 sector;
    u64 left;     /* sectors that are not done; 1 of a flush that is not */
    u32 buffered; /* sectors in the buffer, */
    u32 copied;   /* and how many of them the guest has, when it reads */
    u32 written;  /* bytes of the writable part */
    struct vqueue_cursor cursor;
    struct vqueue_chain chain;
};

struct vblk {
    const struct vblk_media *media;
    void *media_context;
    u8 *buffer; /* VBLK_BUFFER_SECTORS */
    struct vdev_memory memory;
    struct vdev_line line;
    u64 capacity; /* sectors */
    bool read_only;
    char id[VBLK_ID_BYTES]; /* padded with zeros */

    u32 status;
    u32 interrupt_status;
    u32 features_select, driver_features_select;
    u64 driver_features;
    u32 queue_select;
    struct vqueue queue;
    struct vblk_request request;
    bool begun; /* a transfer of the medium's; its request may be gone by a reset */
    bool more;  /* a step is due */
};

extern const struct vdev_ops vblk_ops;

/* As after power on. What the owner set (media, buffer, memory, line, capacity, read_only, id) is
 * kept, and the medium still does what was begun. */
void vblk_reset(struct vblk *vblk);

/* Goes on with what the driver has asked for; true: more is left. A write to the device does the
 * same, so after each the owner looks at `more`. While nothing but the medium is waited for, there
 * is no more: the owner calls this when that may be over. */
bool vblk_serve(struct vblk *vblk);
