/* SPDX-License-Identifier: MIT */
/* Registers, rings and requests of a virtio block device over MMIO (virtio 1.2: 2.1, 2.7, 4.2.2,
   5.2). */
#pragma once

#include "types.h"

/* In bytes. */
enum virtio_register {
    VIRTIO_MAGIC = 0x000,
    VIRTIO_VERSION = 0x004,
    VIRTIO_DEVICE = 0x008,
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
    VIRTIO_QUEUE_DESCRIPTORS = 0x080, /* each a low and a high word */
    VIRTIO_QUEUE_DRIVER = 0x090,
    VIRTIO_QUEUE_DEVICE = 0x0a0,
    VIRTIO_BLOCK_CAPACITY = 0x100, /* in sectors; a low and a high word */
};

enum virtio_value {
    VIRTIO_MAGIC_VALUE = 0x74726976,
    VIRTIO_VERSION_1 = 2,
    VIRTIO_DEVICE_BLOCK = 2,
};

enum virtio_status {
    VIRTIO_STATUS_ACKNOWLEDGE = 1,
    VIRTIO_STATUS_DRIVER = 2,
    VIRTIO_STATUS_DRIVER_OK = 4,
    VIRTIO_STATUS_FEATURES_OK = 8,
};

/* The first word of features, and the second. */
enum virtio_features {
    VIRTIO_BLOCK_READ_ONLY = 1 << 5,
    VIRTIO_BLOCK_FLUSH = 1 << 9,
    VIRTIO_HIGH_VERSION_1 = 1 << 0,
};

enum virtio_descriptor_flags {
    VIRTIO_NEXT = 1,
    VIRTIO_DEVICE_WRITES = 2,
};

enum virtio_block_request {
    VIRTIO_BLOCK_IN = 0,
    VIRTIO_BLOCK_OUT = 1,
    VIRTIO_BLOCK_FLUSH_ALL = 4,
    VIRTIO_BLOCK_OK = 0,
};

struct virtio_descriptor {
    u64 address;
    u32 bytes;
    u16 flags;
    u16 next;
};

struct virtio_block_header {
    u32 type;
    u32 reserved;
    u64 sector;
};
