/* SPDX-License-Identifier: MIT */
/*
 * Frames and closed memory.
 *
 * Chunks of open memory are given out from the top down while guest-physical addresses grow: a
 * guest's frame numbers and the machine's never agree by accident, so code that mixes them up fails
 * at once. Single frames (tables of Candor's) come from chunks set aside for them, which return
 * when they are empty again.
 */
#include "mem/frame.h"

#include "arch/arch.h"
#include "bitmap.h"
#include "core/lock.h"
#include "string.h"

enum {
    HEAP_FIXED_BYTES = 2 << 20, /* VMs, their consoles; grows with the memory besides */
    HEAP_SHARE = 256, /* of open memory, for what is kept of each frame: p2m 4 bytes, shadows 8 */
};

/* What a chunk is used for. */
enum chunk_use {
    CHUNK_FREE = 0,
    CHUNK_VM = 1,
    CHUNK_SINGLES = 2, /* cut up into single frames */
};

struct chunk {
    u32 use;       /* enum chunk_use */
    u32 taken;     /* of SINGLES: frames in use */
    u32 free_list; /* of SINGLES: first free frame; 0: none */
    u32 next;      /* of SINGLES: the next of frames.singles */
};
_Static_assert(sizeof(struct chunk) % sizeof(u64) == 0, "words follow the array of them");

mfn_t frame_open_base;
mfn_t frame_open_end;
struct frame *frame_table;

static struct {
    struct lock lock;
    struct chunk *chunks;
    u32 chunk_count;
    u32 chunks_free;
    u32 free_below; /* every chunk from here on is in use: nothing to search there */
    u32 singles;    /* chunks cut up, a list by place plus 1; 0: end. They are few. */
    u8 *heap;
    u32 heap_frames;
    u32 heap_free;
    u64 *heap_map;
} frames = {.lock = LOCK_INIT(LOCK_FRAME, "frames")};

/* ---- closed memory ---- */

static u64 round_frames(u64 bytes)
{
    return (bytes + FRAME_BYTES - 1) >> FRAME_SHIFT;
}

bool frame_init(maddr_t closed, maddr_t end)
{
    u64 start = ALIGN_UP(closed.value, (u64)FRAME_BYTES);
    u64 all = end.value > start ? end.value - start : 0;
    u64 table_bytes = all / FRAME_BYTES * sizeof(struct frame);
    u64 chunk_bytes = all / CHUNK_BYTES * sizeof(struct chunk);
    u64 heap_bytes = HEAP_FIXED_BYTES + all / HEAP_SHARE;
    u64 map_bytes = heap_bytes / FRAME_BYTES / 8 + 8;
    u64 closed_bytes = ALIGN_UP(table_bytes + chunk_bytes + map_bytes, (u64)FRAME_BYTES) +
                       heap_bytes;
    u64 open = ALIGN_UP(start + closed_bytes, (u64)CHUNK_BYTES);
    u64 open_end = ALIGN_DOWN(end.value, (u64)CHUNK_BYTES);
    u8 *at = arch_frame_bytes(maddr_to_mfn(maddr(start)));

    if (all < closed_bytes || open >= open_end)
        return false;
    frame_open_base = maddr_to_mfn(maddr(open));
    frame_open_end = maddr_to_mfn(maddr(open_end));
    memset(at, 0, closed_bytes - heap_bytes);
    frame_table = (struct frame *)at;
    frames.chunks = (struct chunk *)(at + table_bytes);
    frames.heap_map = (u64 *)(at + table_bytes + chunk_bytes);
    frames.heap = at + (closed_bytes - heap_bytes);
    frames.heap_frames = (u32)((open - start - (closed_bytes - heap_bytes)) >> FRAME_SHIFT);
    frames.heap_frames = min(frames.heap_frames, (u32)(map_bytes * 8));
    frames.heap_free = frames.heap_frames;
    frames.chunk_count = (u32)((open_end - open) / CHUNK_BYTES);
    frames.chunks_free = frames.chunk_count;
    frames.free_below = frames.chunk_count;
    frames.singles = 0;
    return true;
}

/* The first run of that many free frames; heap_frames when there is none. */
static u64 heap_find_locked(u64 wanted)
{
    const u64 end = frames.heap_frames;
    u64 from = bitmap_find_clear(frames.heap_map, end, 0), length = 0;

    while (length < wanted && from + length < end) {
        if (bitmap_test(frames.heap_map, from + length)) {
            from = bitmap_find_clear(frames.heap_map, end, from + length);
            length = 0;
        } else {
            length++;
        }
    }
    return length == wanted ? from : end;
}

void *frame_run_take(u64 bytes)
{
    u64 wanted = round_frames(bytes), from;
    void *run = NULL;

    lock_acquire(&frames.lock);
    from = wanted > 0 && wanted <= frames.heap_free ? heap_find_locked(wanted) : frames.heap_frames;
    if (from < frames.heap_frames) {
        for (u64 i = from; i < from + wanted; i++)
            bitmap_set(frames.heap_map, i);
        frames.heap_free -= (u32)wanted;
        run = frames.heap + (from << FRAME_SHIFT);
    }
    lock_release(&frames.lock);
    return run;
}

void *frame_run_alloc(u64 bytes)
{
    void *run = frame_run_take(bytes);

    if (run != NULL)
        memset(run, 0, round_frames(bytes) << FRAME_SHIFT);
    return run;
}

void frame_run_free(void *run, u64 bytes)
{
    u64 from = (u64)((u8 *)run - frames.heap) >> FRAME_SHIFT;

    lock_acquire(&frames.lock);
    for (u64 i = from; i < from + round_frames(bytes); i++)
        bitmap_clear(frames.heap_map, i);
    frames.heap_free += (u32)round_frames(bytes);
    lock_release(&frames.lock);
}

/* ---- open memory ---- */

static mfn_t chunk_first(u32 index)
{
    return mfn(frame_open_base.number + index * CHUNK_FRAMES);
}

static u32 chunk_of(mfn_t frame)
{
    return (frame.number - frame_open_base.number) / CHUNK_FRAMES;
}

/* The highest free chunk, now of that use; chunk_count when there is none. */
static u32 chunk_take_locked(enum chunk_use use)
{
    for (u32 i = frames.free_below; i-- > 0;) {
        if (frames.chunks[i].use == CHUNK_FREE) {
            frames.free_below = i;
            frames.chunks[i] = (struct chunk){.use = use};
            frames.chunks_free--;
            return i;
        }
    }
    frames.free_below = 0;
    return frames.chunk_count;
}

static void chunk_give_locked(u32 index)
{
    frames.chunks[index] = (struct chunk){.use = CHUNK_FREE};
    frames.chunks_free++;
    frames.free_below = max(frames.free_below, index + 1);
}

mfn_t frame_chunk_alloc(u16 vm)
{
    u32 index;

    lock_acquire(&frames.lock);
    index = chunk_take_locked(CHUNK_VM);
    lock_release(&frames.lock);
    if (index == frames.chunk_count)
        return MFN_NONE;
    for (u32 i = 0; i < CHUNK_FRAMES; i++)
        *frame_get(mfn(chunk_first(index).number + i)) = (struct frame){.vm = vm};
    return chunk_first(index);
}

void frame_chunk_free(mfn_t first)
{
    for (u32 i = 0; i < CHUNK_FRAMES; i++)
        *frame_get(mfn(first.number + i)) = (struct frame){0};
    lock_acquire(&frames.lock);
    chunk_give_locked(chunk_of(first));
    lock_release(&frames.lock);
}

/* A chunk with a free single frame; chunk_count when there is none and none can be cut up. */
static u32 singles_chunk_locked(void)
{
    u32 index;

    for (u32 at = frames.singles; at != 0; at = frames.chunks[at - 1].next) {
        if (frames.chunks[at - 1].free_list != 0)
            return at - 1;
    }
    index = chunk_take_locked(CHUNK_SINGLES);
    if (index == frames.chunk_count)
        return index;
    frames.chunks[index].next = frames.singles;
    frames.singles = index + 1;
    for (u32 i = CHUNK_FRAMES; i-- > 0;) {
        mfn_t frame = mfn(chunk_first(index).number + i);

        *frame_get(frame) = (struct frame){.gfn = frames.chunks[index].free_list};
        frames.chunks[index].free_list = frame.number;
    }
    return index;
}

mfn_t frame_table_alloc(u16 vm, u8 level)
{
    mfn_t frame = MFN_NONE;
    u32 index;

    lock_acquire(&frames.lock);
    index = singles_chunk_locked();
    if (index < frames.chunk_count) {
        struct chunk *chunk = &frames.chunks[index];
        struct frame *entry;

        frame = mfn(chunk->free_list);
        entry = frame_get(frame);
        chunk->free_list = entry->gfn;
        chunk->taken++;
        *entry = (struct frame){.type = FRAME_DIRECT_MAP, .level = level, .vm = vm};
    }
    lock_release(&frames.lock);
    if (mfn_valid(frame))
        memset(arch_frame_bytes(frame), 0, FRAME_BYTES);
    return frame;
}

static void singles_remove_locked(u32 index)
{
    u32 *at = &frames.singles;

    while (*at != index + 1)
        at = &frames.chunks[*at - 1].next;
    *at = frames.chunks[index].next;
}

void frame_table_free(mfn_t frame)
{
    u32 index = chunk_of(frame);
    struct chunk *chunk = &frames.chunks[index];

    lock_acquire(&frames.lock);
    *frame_get(frame) = (struct frame){.gfn = chunk->free_list};
    chunk->free_list = frame.number;
    if (--chunk->taken == 0) {
        singles_remove_locked(index);
        chunk_give_locked(index);
    }
    lock_release(&frames.lock);
}

u32 frame_chunks_free(void)
{
    return frames.chunks_free;
}

u32 frame_chunks_all(void)
{
    return frames.chunk_count;
}

u32 frame_heap_free(void)
{
    return frames.heap_free;
}
