/* SPDX-License-Identifier: MIT */
/*
 * The driver's side of a virtio block device (virtio 1.2, sections 4.2 and 5.2), as far as test
 * guests share it: one queue, one request at a time. What it writes into the queue stands open to
 * be spoilt.
 */
#pragma once

#include "types.h"

#define DISK_BASE 0x10001000UL

enum disk_register {
    REG_MAGIC = 0x000,
    REG_VERSION = 0x004,
    REG_DEVICE = 0x008,
    REG_FEATURES = 0x010,
    REG_FEATURES_SELECT = 0x014,
    REG_DRIVER_FEATURES = 0x020,
    REG_DRIVER_SELECT = 0x024,
    REG_QUEUE_SELECT = 0x030,
    REG_QUEUE_SIZE = 0x038,
    REG_QUEUE_READY = 0x044,
    REG_NOTIFY = 0x050,
    REG_INTERRUPT = 0x060,
    REG_ACKNOWLEDGE = 0x064,
    REG_STATUS = 0x070,
    REG_DESCRIPTORS = 0x080,
    REG_DRIVER_RING = 0x090,
    REG_DEVICE_RING = 0x0a0,
    REG_CAPACITY = 0x100,
};

enum {
    DEVICE_BLOCK = 2,
    STATUS_ACKNOWLEDGE = 1,
    STATUS_DRIVER = 2,
    STATUS_DRIVER_OK = 4,
    STATUS_FEATURES_OK = 8,
    STATUS_NEEDS_RESET = 64,
    TYPE_IN = 0,
    TYPE_OUT = 1,
    TYPE_FLUSH = 4,
    TYPE_GET_ID = 8,
    FEATURE_FLUSH = 1 << 9,
    NEXT = 1,
    WRITABLE = 2,
    SLOTS = 32,
    SECTOR_BYTES = 512,
    HEADER_BYTES = 16,
    ID_BYTES = 20,
    BUFFER_BYTES = 256 << 10,
    UNTOUCHED = 0x5a, /* the status of a request without an answer */
};

struct descriptor {
    u64 address;
    u32 bytes;
    u16 flags;
    u16 next;
};

struct available_ring {
    u16 flags, index, ring[SLOTS];
};

struct used_ring {
    u16 flags, index;
    struct {
        u32 id, bytes;
    } ring[SLOTS];
};

struct request_header {
    u32 type, reserved;
    u64 sector;
};

extern struct descriptor descriptors[SLOTS];
extern volatile struct available_ring available;
extern volatile struct used_ring used;
extern struct request_header header;
extern u8 buffer[BUFFER_BYTES];
extern volatile u8 status;
extern u16 offered; /* chains, since the start */

static inline u32 disk_get(u64 offset)
{
    return *(volatile u32 *)(DISK_BASE + offset);
}

static inline void disk_put(u64 offset, u32 value)
{
    *(volatile u32 *)(DISK_BASE + offset) = value;
}

void disk_put_address(u64 offset, const volatile void *address);

/* Resets the device and sets it up; disk_start_up_to leaves the queue to be described. */
void disk_start_up_to(void);
void disk_start(void);

/* Descriptor `slot`, the one behind it next. */
void describe(u32 slot, const volatile void *address, u32 bytes, u16 flags);

/* One more chain is there, and the device is told. */
void offer(u32 head);

/* Until what was offered is used, or the device gives up: whether it is used. */
bool wait_used(void);

/* Header, data, status: described; and offered and waited for, the answer in `status`. */
void request_describe(u32 type, u64 sector, u32 bytes);
void request(u32 type, u64 sector, u32 bytes);
