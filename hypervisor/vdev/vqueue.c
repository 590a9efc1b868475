/* SPDX-License-Identifier: MIT */
/*
 * The device's side of a virtqueue: see vqueue.h.
 */
#include "vdev/vqueue.h"

#include "endian.h"

/* Layouts of section 2.7: descriptor, available ring, used ring. */
enum {
    DESCRIPTOR_BYTES = 16,
    DESCRIPTOR_LENGTH = 8,
    DESCRIPTOR_FLAGS = 12,
    DESCRIPTOR_NEXT = 14,
    DESCRIPTOR_ALIGN = 16,
    FLAG_NEXT = 1 << 0,
    FLAG_WRITE = 1 << 1,
    FLAG_INDIRECT = 1 << 2,
    AVAILABLE_FLAGS = 0,
    AVAILABLE_INDEX = 2,
    AVAILABLE_RING = 4,
    AVAILABLE_ALIGN = 2,
    AVAILABLE_NO_INTERRUPT = 1,
    USED_INDEX = 2,
    USED_RING = 4,
    USED_ELEMENT_BYTES = 8,
    USED_ALIGN = 4,
};

bool vqueue_start(struct vqueue *queue)
{
    if (queue->size == 0 || queue->size > VQUEUE_SIZE_MAX ||
        (queue->size & (queue->size - 1)) != 0 ||
        !IS_ALIGNED(queue->descriptors, DESCRIPTOR_ALIGN) ||
        !IS_ALIGNED(queue->driver, AVAILABLE_ALIGN) || !IS_ALIGNED(queue->device, USED_ALIGN))
        return false;
    queue->next_available = 0;
    queue->next_used = 0;
    queue->ready = true;
    return true;
}

static bool read_u16(const struct vdev_memory *memory, u64 gpa, u16 *value)
{
    u8 bytes[sizeof(u16)];

    if (!memory->read(memory->context, gpa, bytes, sizeof(bytes)))
        return false;
    *value = load_le16(bytes);
    return true;
}

static void store_le(u8 *to, u64 value, u32 bytes)
{
    for (u32 i = 0; i < bytes; i++, value >>= 8)
        to[i] = (u8)value;
}

/* Appends the buffer that a descriptor names; false: it may not stand there. */
static bool add_buffer(struct vqueue_chain *chain, const u8 *descriptor, u16 flags)
{
    struct vqueue_buffer buffer = {
        .gpa = load_le64(descriptor),
        .bytes = load_le32(descriptor + DESCRIPTOR_LENGTH),
        .writable = (flags & FLAG_WRITE) != 0,
    };

    if ((flags & FLAG_INDIRECT) != 0 || buffer.gpa + buffer.bytes < buffer.gpa)
        return false;
    if (!buffer.writable) {
        if (chain->readable_count != chain->count)
            return false; /* behind a writable one (2.7.4.2) */
        chain->readable_count++;
        chain->readable_bytes += buffer.bytes;
    } else {
        chain->writable_bytes += buffer.bytes;
    }
    chain->buffers[chain->count++] = buffer;
    return true;
}

static bool walk_chain(const struct vqueue *queue, const struct vdev_memory *memory,
                       struct vqueue_chain *chain)
{
    u16 next = chain->head, flags = FLAG_NEXT;

    while ((flags & FLAG_NEXT) != 0) {
        u8 descriptor[DESCRIPTOR_BYTES];

        if (next >= queue->size || chain->count == queue->size ||
            !memory->read(memory->context, queue->descriptors + (u64)next * DESCRIPTOR_BYTES,
                          descriptor, sizeof(descriptor)))
            return false;
        flags = load_le16(descriptor + DESCRIPTOR_FLAGS);
        next = load_le16(descriptor + DESCRIPTOR_NEXT);
        if (!add_buffer(chain, descriptor, flags))
            return false;
    }
    return true;
}

enum vqueue_taken vqueue_take(struct vqueue *queue, const struct vdev_memory *memory,
                              struct vqueue_chain *chain)
{
    u64 place = queue->driver + AVAILABLE_RING +
                (u64)(queue->next_available & (queue->size - 1)) * sizeof(u16);
    u16 index;

    if (!read_u16(memory, queue->driver + AVAILABLE_INDEX, &index) ||
        (u16)(index - queue->next_available) > queue->size)
        return VQUEUE_BROKEN;
    if (index == queue->next_available)
        return VQUEUE_EMPTY;
    /* What the index announces is read after it. */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    chain->count = 0;
    chain->readable_count = 0;
    chain->readable_bytes = 0;
    chain->writable_bytes = 0;
    if (!read_u16(memory, place, &chain->head) || !walk_chain(queue, memory, chain))
        return VQUEUE_BROKEN;
    queue->next_available++;
    return VQUEUE_CHAIN;
}

bool vqueue_give(struct vqueue *queue, const struct vdev_memory *memory, u16 head, u32 written)
{
    u64 place = queue->device + USED_RING +
                (u64)(queue->next_used & (queue->size - 1)) * USED_ELEMENT_BYTES;
    u8 element[USED_ELEMENT_BYTES], index[sizeof(u16)];

    store_le(element, head, sizeof(u32));
    store_le(element + sizeof(u32), written, sizeof(u32));
    if (!memory->write(memory->context, place, element, sizeof(element)))
        return false;
    queue->next_used++;
    store_le(index, queue->next_used, sizeof(index));
    /* The element, and the data, are there before the index says so. */
    __atomic_thread_fence(__ATOMIC_RELEASE);
    return memory->write(memory->context, queue->device + USED_INDEX, index, sizeof(index));
}

bool vqueue_wants_interrupt(const struct vqueue *queue, const struct vdev_memory *memory)
{
    u16 flags;

    /* The driver may look at the used index, find nothing and allow interrupts just now. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return read_u16(memory, queue->driver + AVAILABLE_FLAGS, &flags) &&
           (flags & AVAILABLE_NO_INTERRUPT) == 0;
}

/* The next piece of a part that ends before buffer `end`: at most `bytes` long; 0: there is none.
 */
static u32 next_piece(const struct vqueue_chain *chain, struct vqueue_cursor *cursor, u32 end,
                      u32 bytes, u64 *at)
{
    while (cursor->buffer < end) {
        const struct vqueue_buffer *buffer = &chain->buffers[cursor->buffer];
        u32 piece = min(bytes, buffer->bytes - cursor->done);

        if (piece > 0) {
            *at = buffer->gpa + cursor->done;
            cursor->done += piece;
            return piece;
        }
        cursor->buffer++;
        cursor->done = 0;
    }
    return 0;
}

bool vqueue_copy_in(const struct vqueue_chain *chain, struct vqueue_cursor *cursor,
                    const struct vdev_memory *memory, void *to, u32 bytes)
{
    for (u32 done = 0; done < bytes;) {
        u64 at;
        u32 piece = next_piece(chain, cursor, chain->readable_count, bytes - done, &at);

        if (piece == 0 || !memory->read(memory->context, at, (u8 *)to + done, piece))
            return false;
        done += piece;
    }
    return true;
}

bool vqueue_copy_out(const struct vqueue_chain *chain, struct vqueue_cursor *cursor,
                     const struct vdev_memory *memory, const void *from, u32 bytes)
{
    for (u32 done = 0; done < bytes;) {
        u64 at;
        u32 piece = next_piece(chain, cursor, chain->count, bytes - done, &at);

        if (piece == 0 || !memory->write(memory->context, at, (const u8 *)from + done, piece))
            return false;
        done += piece;
    }
    return true;
}

bool vqueue_write_last(const struct vqueue_chain *chain, const struct vdev_memory *memory, u8 byte)
{
    u32 last = chain->count - 1;

    while (chain->buffers[last].bytes == 0)
        last--;
    return memory->write(memory->context, chain->buffers[last].gpa + chain->buffers[last].bytes - 1,
                         &byte, sizeof(byte));
}
