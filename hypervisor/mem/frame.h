/* SPDX-License-Identifier: MIT */
/*
 * The frame table, one entry for each frame of machine memory that guests can ever reach, and the
 * allocators of those frames and of Candor's own closed memory.
 *
 * Open memory (frame_open_base to frame_open_end) is what PMP opens to guests: VM memory, given out
 * in chunks of 2 MiB, and page tables that the hardware walks for guests, given out as single
 * frames. Closed memory (the heap) lies below it and holds what no guest may touch: p2m maps, VMs,
 * this table.
 */
#pragma once

#include "mem/addr.h"

enum frame_type {
    FRAME_FREE = 0,
    FRAME_DATA = 1,       /* a VM's ordinary memory */
    FRAME_POOL = 2,       /* in a VM's pool, not a table */
    FRAME_TABLE = 3,      /* in a VM's pool, a table of `level` */
    FRAME_DIRECT_MAP = 4, /* Candor's: a table of a VM's direct map, of `level` */
    FRAME_SHADOW = 5,     /* Candor's: a shadow table; `gfn` is its index (virt/shadow/tables.h) */
};

/* No VM owns the frame. VM identifiers start at 1. */
enum { FRAME_NO_VM = 0 };

struct frame {
    u8 type;   /* enum frame_type */
    u8 level;  /* of a table */
    u16 vm;    /* identifier of the owner */
    u32 links; /* of a table: how many entries of other tables name it */
    u32 gfn;   /* of DATA, POOL, TABLE: where its VM sees it; of FREE and DIRECT_MAP: the next on a
                  list */
    u16 space_id; /* of a root: its address-space identifier */
    u16 children; /* of a table of level 1 or 2: how many tables of its VM it links */
};
_Static_assert(sizeof(struct frame) == 16, "assembly and the memory budget count on it");

extern mfn_t frame_open_base;
extern mfn_t frame_open_end;

/*
 * Takes over machine memory [closed, end): makes the heap and the frame table at its start and
 * opens the rest, from a 2 MiB boundary on. Called once, by the boot hart. False when it is too
 * small.
 */
MUST_CHECK bool frame_init(maddr_t closed, maddr_t end);

/* One for each frame of open memory; frame_get is the way to it. */
extern struct frame *frame_table;

/* The entry of a frame in open memory, else NULL. */
static inline struct frame *frame_get(mfn_t frame)
{
    if (frame.number < frame_open_base.number || frame.number >= frame_open_end.number)
        return NULL;
    return &frame_table[frame.number - frame_open_base.number];
}

/* Takes a free chunk for `vm`; its first frame, or MFN_NONE. Its frames are FREE-typed and not
 * zeroed. */
MUST_CHECK mfn_t frame_chunk_alloc(u16 vm);

/* Gives a chunk back. The caller has made its frames FREE and dropped every translation to them. */
void frame_chunk_free(mfn_t first);

/* A zeroed single frame of open memory for a table of Candor's (DIRECT_MAP, `level`), or MFN_NONE.
 */
MUST_CHECK mfn_t frame_table_alloc(u16 vm, u8 level);

/* Gives back a frame of frame_table_alloc. */
void frame_table_free(mfn_t frame);

/* `bytes` of closed memory, zeroed, page-aligned and in one piece, or NULL. Ended by
 * frame_run_free. */
MUST_CHECK void *frame_run_alloc(u64 bytes);

/* The same, with whatever was there before: for what is long, and is written before it is read. */
MUST_CHECK void *frame_run_take(u64 bytes);
void frame_run_free(void *run, u64 bytes);

/* Chunks of open memory that no VM holds, and all there are. */
u32 frame_chunks_free(void);
u32 frame_chunks_all(void);

/* Frames of closed memory that nobody holds. */
u32 frame_heap_free(void);
