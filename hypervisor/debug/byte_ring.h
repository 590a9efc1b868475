/* SPDX-License-Identifier: MIT */
/*
 * A ring of bytes over a buffer of a power of two. The caller's lock guards it; it never blocks.
 */
#pragma once

#include "string.h"
#include "types.h"

struct byte_ring {
    u8 *bytes;
    u32 size;  /* a power of two */
    u32 taken; /* bytes ever taken out and put in, modulo 2^32 */
    u32 put;
};

static inline void byte_ring_init(struct byte_ring *ring, u8 *bytes, u32 size)
{
    *ring = (struct byte_ring){.bytes = bytes, .size = size};
}

static inline u32 byte_ring_used(const struct byte_ring *ring)
{
    return ring->put - ring->taken;
}

static inline u32 byte_ring_room(const struct byte_ring *ring)
{
    return ring->size - byte_ring_used(ring);
}

/* There must be room. */
static inline void byte_ring_put(struct byte_ring *ring, u8 byte)
{
    ring->bytes[ring->put++ & (ring->size - 1)] = byte;
}

/* There must be room for all of them. */
static inline void byte_ring_put_all(struct byte_ring *ring, const void *bytes, u32 count)
{
    u32 at = ring->put & (ring->size - 1), first = min(count, ring->size - at);

    memcpy(ring->bytes + at, bytes, first);
    memcpy(ring->bytes, (const u8 *)bytes + first, count - first);
    ring->put += count;
}

/* The next byte to be taken; the ring must not be empty. */
static inline u8 byte_ring_peek(const struct byte_ring *ring)
{
    return ring->bytes[ring->taken & (ring->size - 1)];
}

/* The ring must not be empty. */
static inline u8 byte_ring_take(struct byte_ring *ring)
{
    return ring->bytes[ring->taken++ & (ring->size - 1)];
}
