/* SPDX-License-Identifier: MIT */
/*
 * The block device's registers and configuration: see vblk.h.
 */
#include "vdev/vblk_registers.h"

#include "string.h"

/* Table 4.1. */
enum mmio_register {
    MAGIC = 0x000,
    VERSION = 0x004,
    DEVICE_ID = 0x008,
    VENDOR_ID = 0x00c,
    DEVICE_FEATURES = 0x010,
    DEVICE_FEATURES_SELECT = 0x014,
    DRIVER_FEATURES = 0x020,
    DRIVER_FEATURES_SELECT = 0x024,
    QUEUE_SELECT = 0x030,
    QUEUE_SIZE_MAX = 0x034,
    QUEUE_SIZE = 0x038,
    QUEUE_READY = 0x044,
    QUEUE_NOTIFY = 0x050,
    INTERRUPT_STATUS = 0x060,
    INTERRUPT_ACKNOWLEDGE = 0x064,
    STATUS = 0x070,
    QUEUE_DESCRIPTORS_LOW = 0x080,
    QUEUE_DESCRIPTORS_HIGH = 0x084,
    QUEUE_DRIVER_LOW = 0x090,
    QUEUE_DRIVER_HIGH = 0x094,
    QUEUE_DEVICE_LOW = 0x0a0,
    QUEUE_DEVICE_HIGH = 0x0a4,
    CONFIGURATION = 0x100,
};

/* What the identifying registers say. The vendor is QEMU: some drivers accept no other. */
enum { MAGIC_VALUE = 0x74726976, VERSION_2 = 2, DEVICE_BLOCK = 2, VENDOR_QEMU = 0x554d4551 };

enum { WORD_BYTES = 4, WORD_BITS = 32, QUEUE_ONLY = 0 };

#define FEATURE_SEGMENTS_MAX BIT(2)
#define FEATURE_READ_ONLY BIT(5)
#define FEATURE_BLOCK_SIZE BIT(6)
#define FEATURE_FLUSH BIT(9)
#define FEATURE_VERSION_1 BIT(32)

/* The start of struct virtio_blk_config (5.2.4); what follows is zero, for no feature says it is
 * there. */
struct block_configuration {
    u64 capacity;
    u32 segment_bytes_max;
    u32 segments_max;
    u32 geometry;
    u32 block_bytes;
};

/* A chain's buffers but for header and status. */
enum { SEGMENTS_MAX = VQUEUE_SIZE_MAX - 2 };

static u64 offered_features(const struct vblk *vblk)
{
    return FEATURE_VERSION_1 | FEATURE_FLUSH | FEATURE_BLOCK_SIZE | FEATURE_SEGMENTS_MAX |
           (vblk->read_only ? FEATURE_READ_ONLY : 0);
}

bool vblk_registers_running(const struct vblk *vblk)
{
    return (vblk->status & (VBLK_STATUS_DRIVER_OK | VBLK_STATUS_NEEDS_RESET |
                            VBLK_STATUS_FAILED)) == VBLK_STATUS_DRIVER_OK &&
           vblk->queue.ready;
}

void vblk_reset(struct vblk *vblk)
{
    vblk->status = 0;
    vblk->interrupt_status = 0;
    vblk->features_select = 0;
    vblk->driver_features_select = 0;
    vblk->driver_features = 0;
    vblk->queue_select = 0;
    vblk->queue = (struct vqueue){0};
    vblk->request.active = false;
    vblk->more = false;
    vdev_line_set(&vblk->line, false);
}

static u32 half_of(u64 value, u32 select)
{
    return select > 1 ? 0 : (u32)(value >> select * WORD_BITS);
}

static void set_half(u64 *value, u32 select, u32 half)
{
    *value = (*value & ~((u64)~0U << select * WORD_BITS)) | (u64)half << select * WORD_BITS;
}

static u32 read_register(const struct vblk *vblk, u64 offset)
{
    bool exists = vblk->queue_select == QUEUE_ONLY;

    switch (offset) {
    case MAGIC:
        return MAGIC_VALUE;
    case VERSION:
        return VERSION_2;
    case DEVICE_ID:
        return DEVICE_BLOCK;
    case VENDOR_ID:
        return VENDOR_QEMU;
    case DEVICE_FEATURES:
        return half_of(offered_features(vblk), vblk->features_select);
    case QUEUE_SIZE_MAX:
        return exists ? VQUEUE_SIZE_MAX : 0;
    case QUEUE_READY:
        return exists && vblk->queue.ready;
    case INTERRUPT_STATUS:
        return vblk->interrupt_status;
    case STATUS:
        return vblk->status;
    default: /* registers that are only written, and the generation of a configuration that never
                changes */
        return 0;
    }
}

static void read_configuration(const struct vblk *vblk, u64 offset, u32 bytes, u64 *value)
{
    struct block_configuration configuration = {
        .capacity = vblk->capacity,
        .segments_max = SEGMENTS_MAX,
        .block_bytes = VBLK_SECTOR_BYTES,
    };

    *value = 0;
    if (offset + bytes <= sizeof(configuration))
        memcpy(value, (const u8 *)&configuration + offset, bytes);
}

/* Writing 0 resets. FEATURES_OK stays clear if the driver wants what was not offered. */
static void write_status(struct vblk *vblk, u32 value)
{
    if (value == 0) {
        vblk_reset(vblk);
        return;
    }
    if ((vblk->driver_features & ~offered_features(vblk)) != 0)
        value &= ~(u32)VBLK_STATUS_FEATURES_OK;
    vblk->status = (value & VBLK_STATUS_ALL) | (vblk->status & VBLK_STATUS_NEEDS_RESET);
}

static void write_ready(struct vblk *vblk, bool ready)
{
    if (!ready) {
        vblk->queue.ready = false;
        vblk->request.active = false;
    } else if (!vblk->queue.ready && !vqueue_start(&vblk->queue)) {
        vblk->queue.ready = false;
    }
}

/* What describes the queue, which cannot change once it is ready. */
static void write_queue(struct vqueue *queue, u64 offset, u32 value)
{
    u32 half = offset / WORD_BYTES % 2;

    if (queue->ready)
        return;
    switch (offset) {
    case QUEUE_SIZE:
        queue->size = value;
        break;
    case QUEUE_DESCRIPTORS_LOW:
    case QUEUE_DESCRIPTORS_HIGH:
        set_half(&queue->descriptors, half, value);
        break;
    case QUEUE_DRIVER_LOW:
    case QUEUE_DRIVER_HIGH:
        set_half(&queue->driver, half, value);
        break;
    case QUEUE_DEVICE_LOW:
    case QUEUE_DEVICE_HIGH:
        set_half(&queue->device, half, value);
        break;
    default:
        break;
    }
}

static void write_register(struct vblk *vblk, u64 offset, u32 value)
{
    switch (offset) {
    case DEVICE_FEATURES_SELECT:
        vblk->features_select = value;
        break;
    case DRIVER_FEATURES:
        if ((vblk->status & VBLK_STATUS_FEATURES_OK) == 0 && vblk->driver_features_select <= 1)
            set_half(&vblk->driver_features, vblk->driver_features_select, value);
        break;
    case DRIVER_FEATURES_SELECT:
        vblk->driver_features_select = value;
        break;
    case QUEUE_SELECT:
        vblk->queue_select = value;
        break;
    case QUEUE_READY:
        if (vblk->queue_select == QUEUE_ONLY)
            write_ready(vblk, (value & 1) != 0);
        break;
    case QUEUE_NOTIFY:
        if (value == QUEUE_ONLY)
            (void)vblk_serve(vblk);
        break;
    case INTERRUPT_ACKNOWLEDGE:
        vblk->interrupt_status &= ~value;
        vdev_line_set(&vblk->line, vblk->interrupt_status != 0);
        break;
    case STATUS:
        write_status(vblk, value);
        break;
    default:
        if (vblk->queue_select == QUEUE_ONLY)
            write_queue(&vblk->queue, offset, value);
    }
}

static bool blk_read(void *device, u64 offset, u32 bytes, u64 *value)
{
    const struct vblk *vblk = device;

    if (offset >= CONFIGURATION)
        read_configuration(vblk, offset - CONFIGURATION, bytes, value);
    else
        *value = bytes == WORD_BYTES ? read_register(vblk, offset) : 0;
    return true;
}

static bool blk_write(void *device, u64 offset, u32 bytes, u64 value)
{
    if (bytes == WORD_BYTES)
        write_register(device, offset, (u32)value);
    return true;
}

const struct vdev_ops vblk_ops = {.read = blk_read, .write = blk_write};
