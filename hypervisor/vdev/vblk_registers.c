/* SPDX-License-Identifier: MIT */
/*
 * The block device's registers and configuration: see vblk.h.
 */
#include "vdev/vblk_registers.h"

#include "driver/virtio_registers.h"
#include "string.h"

enum { WORD_BYTES = 4, WORD_BITS = 32, QUEUE_ONLY = 0 };

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
    return VIRTIO_FEATURE_VERSION_1 | VIRTIO_FEATURE_FLUSH | VIRTIO_FEATURE_BLOCK_SIZE |
           VIRTIO_FEATURE_SEGMENTS_MAX | (vblk->read_only ? VIRTIO_FEATURE_READ_ONLY : 0);
}

bool vblk_registers_running(const struct vblk *vblk)
{
    return (vblk->status & (VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_NEEDS_RESET |
                            VIRTIO_STATUS_FAILED)) == VIRTIO_STATUS_DRIVER_OK &&
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
    case VIRTIO_MAGIC:
        return VIRTIO_MAGIC_VALUE;
    case VIRTIO_VERSION:
        return VIRTIO_VERSION_2;
    case VIRTIO_DEVICE_ID:
        return VIRTIO_DEVICE_BLOCK;
    case VIRTIO_VENDOR_ID:
        return VIRTIO_VENDOR_QEMU;
    case VIRTIO_DEVICE_FEATURES:
        return half_of(offered_features(vblk), vblk->features_select);
    case VIRTIO_QUEUE_SIZE_MAX:
        return exists ? VQUEUE_SIZE_MAX : 0;
    case VIRTIO_QUEUE_READY:
        return exists && vblk->queue.ready;
    case VIRTIO_INTERRUPT_STATUS:
        return vblk->interrupt_status;
    case VIRTIO_STATUS:
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
        value &= ~(u32)VIRTIO_STATUS_FEATURES_OK;
    vblk->status = (value & VIRTIO_STATUS_ALL) | (vblk->status & VIRTIO_STATUS_NEEDS_RESET);
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
    case VIRTIO_QUEUE_SIZE:
        queue->size = value;
        break;
    case VIRTIO_QUEUE_DESCRIPTORS_LOW:
    case VIRTIO_QUEUE_DESCRIPTORS_HIGH:
        set_half(&queue->descriptors, half, value);
        break;
    case VIRTIO_QUEUE_DRIVER_LOW:
    case VIRTIO_QUEUE_DRIVER_HIGH:
        set_half(&queue->driver, half, value);
        break;
    case VIRTIO_QUEUE_DEVICE_LOW:
    case VIRTIO_QUEUE_DEVICE_HIGH:
        set_half(&queue->device, half, value);
        break;
    default:
        break;
    }
}

static void write_register(struct vblk *vblk, u64 offset, u32 value)
{
    switch (offset) {
    case VIRTIO_DEVICE_FEATURES_SELECT:
        vblk->features_select = value;
        break;
    case VIRTIO_DRIVER_FEATURES:
        if ((vblk->status & VIRTIO_STATUS_FEATURES_OK) == 0 && vblk->driver_features_select <= 1)
            set_half(&vblk->driver_features, vblk->driver_features_select, value);
        break;
    case VIRTIO_DRIVER_FEATURES_SELECT:
        vblk->driver_features_select = value;
        break;
    case VIRTIO_QUEUE_SELECT:
        vblk->queue_select = value;
        break;
    case VIRTIO_QUEUE_READY:
        if (vblk->queue_select == QUEUE_ONLY)
            write_ready(vblk, (value & 1) != 0);
        break;
    case VIRTIO_QUEUE_NOTIFY:
        if (value == QUEUE_ONLY)
            (void)vblk_serve(vblk);
        break;
    case VIRTIO_INTERRUPT_ACKNOWLEDGE:
        vblk->interrupt_status &= ~value;
        vdev_line_set(&vblk->line, vblk->interrupt_status != 0);
        break;
    case VIRTIO_STATUS:
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

    if (offset >= VIRTIO_CONFIGURATION)
        read_configuration(vblk, offset - VIRTIO_CONFIGURATION, bytes, value);
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
