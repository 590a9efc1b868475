/* SPDX-License-Identifier: MIT */
/*
 * A guest's memory, a disk, a virtio block device between them, and a driver for it with one queue:
 * whatever can be written by a driver, by parts. The driver works elsewhere too (blk_use).
 */
#pragma once

#include "vdev/vblk.h"

enum {
    BLK_RAM_BASE = 0x80000000,
    BLK_RAM_BYTES = 64 * 1024,
    DESCRIPTORS = BLK_RAM_BASE + 0x1000,
    AVAILABLE = BLK_RAM_BASE + 0x2000,
    USED = BLK_RAM_BASE + 0x3000,
    HEADER = BLK_RAM_BASE + 0x4000,
    STATUS = BLK_RAM_BASE + 0x4100,
    BUFFER = BLK_RAM_BASE + 0x5000,
    QUEUE = 8, /* descriptors of the driver's queue */
    SECTORS = 64,
    BAD_SECTOR = 60, /* the medium cannot read or write it */
    READABLE = 0,
    WRITABLE = 2,
    NEXT = 1,
    UNTOUCHED = 0x5a,

    REG_STATUS = 0x70,
    REG_INTERRUPT = 0x60,
    REG_ACKNOWLEDGE = 0x64,
    REG_NOTIFY = 0x50,
    REG_READY = 0x44,
    NEEDS_RESET = 0x40,
    RUNNING = 0xf,
};

extern struct vblk blk;
extern u8 blk_ram[BLK_RAM_BYTES], blk_disk[SECTORS * 512];
extern u16 blk_available;  /* what the driver has offered so far */
extern u16 blk_descriptor; /* the next to be filled */
extern u32 blk_line_changes;
extern u32 blk_flushes; /* that reached the medium */
extern bool blk_slow;   /* what the medium does is not over yet */

/* Where the driver finds its device: BLK_RAM_BYTES of memory at BLK_RAM_BASE, the registers, and
 * what the device does next when it is given time: false: nothing. */
struct blk_place {
    u8 *ram;
    u32 (*get)(u64 offset);
    void (*put)(u64 offset, u32 value);
    bool (*serve)(void);
};

/* The driver goes there; blk_start brings it back. */
void blk_use(const struct blk_place *place);

/* Everything new: an empty queue, the device running. A cmocka setup function. */
int blk_start(void **state);

/* Registers; blk_put_long writes a pair of them. */
u32 blk_get(u64 offset);
void blk_put(u64 offset, u32 value);
void blk_put_long(u64 low, u64 value);

/* The guest's memory. */
void blk_poke(u64 gpa, u64 value, u32 bytes);
u64 blk_peek(u64 gpa, u32 bytes);

/* Resets the device and brings it up with one queue. */
void blk_set_up(u32 size, u64 descriptors, u64 driver, u64 device);

/* Fills the next descriptor; flags with NEXT chain it to the one after. */
void blk_describe(u64 gpa, u32 bytes, u32 flags);
void blk_write_header(u32 type, u64 sector);
void blk_offer(u32 head);

/* Kicks and waits. */
void blk_kick(void);

/* A request of header, one buffer and status, done; its status. */
u32 blk_request(u32 type, u64 sector, u32 bytes, u32 direction);
u32 blk_used_bytes(void);
