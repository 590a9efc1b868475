/* SPDX-License-Identifier: MIT */
/*
 * Registers, rings and requests of a virtio block device over MMIO (virtio 1.2, sections 2.1, 2.7,
 * 4.2.2 and 5.2), for their driver and for their model (vdev/vblk_registers.c). Registers are
 * offsets in bytes.
 */
#pragma once

#include "types.h"

enum virtio_register {
    VIRTIO_MAGIC = 0x000,
    VIRTIO_VERSION = 0x004,
    VIRTIO_DEVICE_ID = 0x008,
    VIRTIO_VENDOR_ID = 0x00c,
    VIRTIO_DEVICE_FEATURES = 0x010,
    VIRTIO_DEVICE_FEATURES_SELECT = 0x014,
    VIRTIO_DRIVER_FEATURES = 0x020,
    VIRTIO_DRIVER_FEATURES_SELECT = 0x024,
    VIRTIO_QUEUE_SELECT = 0x030,
    VIRTIO_QUEUE_SIZE_MAX = 0x034,
    VIRTIO_QUEUE_SIZE = 0x038,
    VIRTIO_QUEUE_READY = 0x044,
    VIRTIO_QUEUE_NOTIFY = 0x050,
    VIRTIO_INTERRUPT_STATUS = 0x060,
    VIRTIO_INTERRUPT_ACKNOWLEDGE = 0x064,
    VIRTIO_STATUS = 0x070,
    VIRTIO_QUEUE_DESCRIPTORS_LOW = 0x080,
    VIRTIO_QUEUE_DESCRIPTORS_HIGH = 0x084,
    VIRTIO_QUEUE_DRIVER_LOW = 0x090,
    VIRTIO_QUEUE_DRIVER_HIGH = 0x094,
    VIRTIO_QUEUE_DEVICE_LOW = 0x0a0,
    VIRTIO_QUEUE_DEVICE_HIGH = 0x0a4,
    VIRTIO_CONFIGURATION = 0x100, /* of a block device it begins with the capacity, in sectors */
};

/* What the identifying registers say. */
enum virtio_identity {
    VIRTIO_MAGIC_VALUE = 0x74726976,
    VIRTIO_VERSION_2 = 2,
    VIRTIO_DEVICE_BLOCK = 2,
    VIRTIO_VENDOR_QEMU = 0x554d4551,
};

/* Device status (2.1). */
enum virtio_status {
    VIRTIO_STATUS_ACKNOWLEDGE = 1 << 0,
    VIRTIO_STATUS_DRIVER = 1 << 1,
    VIRTIO_STATUS_DRIVER_OK = 1 << 2,
    VIRTIO_STATUS_FEATURES_OK = 1 << 3,
    VIRTIO_STATUS_NEEDS_RESET = 1 << 6,
    VIRTIO_STATUS_FAILED = 1 << 7,
    VIRTIO_STATUS_ALL = 0xff,
};

enum virtio_interrupt {
    VIRTIO_INTERRUPT_USED = 1 << 0,
    VIRTIO_INTERRUPT_CONFIGURATION = 1 << 1,
};

#define VIRTIO_FEATURE_SEGMENTS_MAX BIT(2)
#define VIRTIO_FEATURE_READ_ONLY BIT(5)
#define VIRTIO_FEATURE_BLOCK_SIZE BIT(6)
#define VIRTIO_FEATURE_FLUSH BIT(9)
#define VIRTIO_FEATURE_VERSION_1 BIT(32)

enum virtio_descriptor_flags {
    VIRTIO_DESCRIPTOR_NEXT = 1 << 0,
    VIRTIO_DESCRIPTOR_WRITE = 1 << 1, /* the device writes there */
    VIRTIO_DESCRIPTOR_INDIRECT = 1 << 2,
};

struct virtio_descriptor {
    u64 address;
    u32 bytes;
    u16 flags; /* enum virtio_descriptor_flags */
    u16 next;
};

enum virtio_block_type {
    VIRTIO_BLOCK_IN = 0,
    VIRTIO_BLOCK_OUT = 1,
    VIRTIO_BLOCK_FLUSH = 4,
    VIRTIO_BLOCK_GET_ID = 8,
};

enum virtio_block_status {
    VIRTIO_BLOCK_OK = 0,
    VIRTIO_BLOCK_IO_ERROR = 1,
    VIRTIO_BLOCK_UNSUPPORTED = 2,
};

enum { VIRTIO_SECTOR_BYTES = 512 };

struct virtio_block_header {
    u32 type; /* enum virtio_block_type */
    u32 reserved;
    u64 sector;
};
