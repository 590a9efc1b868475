/* SPDX-License-Identifier: MIT */
/*
 * A split virtqueue as the device sees it (virtio 1.2, section 2.7), in memory that the guest
 * writes when it likes and fills with what it likes.
 *
 * Each word of it is read once and judged by the copy. A chain has at most as many buffers as the
 * queue has descriptors, so one that loops is found; indirect descriptors are not offered. What
 * breaks a rule breaks the queue: the device then needs a reset. Buffers may lie anywhere, the
 * device's own rings included, for all guest memory is reached by an accessor that checks each
 * access alone.
 */
#pragma once

#include "vdev/vdev.h"

/* A guest's memory by guest-physical address; false: it is not the guest's, in whole or in part,
 * and nothing or some of it has been copied. `bytes` is at most VDEV_COPY_BYTES. */
struct vdev_memory {
    bool (*read)(void *context, u64 gpa, void *to, u32 bytes);
    bool (*write)(void *context, u64 gpa, const void *from, u32 bytes);
    void *context;
};

enum { VDEV_COPY_BYTES = 512, VQUEUE_SIZE_MAX = 32 };

struct vqueue {
    bool ready;
    u32 size;        /* a power of two */
    u64 descriptors; /* guest-physical addresses */
    u64 driver;      /* the available ring */
    u64 device;      /* the used ring */
    u16 next_available;
    u16 next_used;
};

struct vqueue_buffer {
    u64 gpa;
    u32 bytes;
    bool writable; /* for the device */
};

/* Buffers of one request: those that the device reads, then those that it writes. */
struct vqueue_chain {
    u16 head;
    u32 count;
    u32 readable_count;
    u64 readable_bytes, writable_bytes;
    struct vqueue_buffer buffers[VQUEUE_SIZE_MAX];
};

/* How far a part of a chain has been gone through. */
struct vqueue_cursor {
    u32 buffer;
    u32 done; /* bytes of it */
};

enum vqueue_taken { VQUEUE_EMPTY, VQUEUE_CHAIN, VQUEUE_BROKEN };

/* Starts a queue whose size and addresses the driver has set; false: they are not possible. */
MUST_CHECK bool vqueue_start(struct vqueue *queue);

/* Takes the next chain that the driver has made available. */
MUST_CHECK enum vqueue_taken vqueue_take(struct vqueue *queue, const struct vdev_memory *memory,
                                         struct vqueue_chain *chain);

/* Gives a chain back, `written` bytes of its writable part filled; false: the queue is broken. */
MUST_CHECK bool vqueue_give(struct vqueue *queue, const struct vdev_memory *memory, u16 head,
                            u32 written);

/* Whether the driver wants to be told of chains that were given back; false if the queue is broken:
 * then nobody is waiting. */
bool vqueue_wants_interrupt(const struct vqueue *queue, const struct vdev_memory *memory);

/* The next bytes of the readable part from its start, and of the writable part from
 * chain->readable_count; at most VDEV_COPY_BYTES. False: the part is shorter, or not in the guest's
 * memory. */
MUST_CHECK bool vqueue_copy_in(const struct vqueue_chain *chain, struct vqueue_cursor *cursor,
                               const struct vdev_memory *memory, void *to, u32 bytes);
MUST_CHECK bool vqueue_copy_out(const struct vqueue_chain *chain, struct vqueue_cursor *cursor,
                                const struct vdev_memory *memory, const void *from, u32 bytes);

/* Writes the last byte of the writable part, which must not be empty. */
MUST_CHECK bool vqueue_write_last(const struct vqueue_chain *chain,
                                  const struct vdev_memory *memory, u8 byte);
