/* SPDX-License-Identifier: MIT */
/*
 * The cache of a disk's blocks: at most one buffer for a block, each with a page of its own.
 *
 * A buffer with a reference stays where it is. One without stays as long as its memory is not
 * wanted, and the one unused for longest goes first. A buffer that differs from the disk is either
 * dirty (content of files: buffer_write_dirty() writes it) or held by the journal, with a reference
 * of the journal's. So what has no reference and is clean can always be dropped.
 *
 * A page may be mapped by processes too (buffer_page): then it outlives its buffer.
 *
 * The cache's spin lock (LOCK_BUFFER) guards all but the pages' contents. Those are guarded by
 * whoever the block belongs to; to write to the disk what changes meanwhile is harmless for the
 * content of files, which is marked dirty after each change, and the journal sees to the rest.
 */
#pragma once

#include "kernel/block/block.h"
#include "kernel/lock.h"
#include "kernel/page.h"

struct buffer_cache;

struct buffer {
    struct block_request request; /* first */
    struct buffer_cache *cache;
    u32 block;
    pa_t page;

    /* Under the cache's lock: */
    struct list_node hash_node; /* in its bucket */
    struct list_node node;      /* of the cache's `idle` (no reference) or `dirty`, or none */
    u32 refs;
    int error;  /* of the last request */
    bool valid; /* the page holds the block's content; stays true */
    bool is_dirty;
    bool is_busy;      /* a request is on its way */
    bool is_forgotten; /* in no bucket: its block is another's by now */

    struct list_node journal_node; /* the journal's */
    bool is_journaled;
};

/* A cache for a device, with no buffer in it. NULL: out of memory. */
MUST_CHECK struct buffer_cache *buffer_cache_create(struct block_device *device);

/* Free it. Nothing in it has a reference; what is dirty is lost. */
void buffer_cache_destroy(struct buffer_cache *cache);

/*
 * The block's buffer with a reference and its content. May sleep. -EIO, -ENOMEM.
 * buffer_new: for a block whose content means nothing: zeros, and the disk is not read; -ENOSPC: no
 * memory for a disk that is memory.
 */
MUST_CHECK int buffer_read(struct buffer_cache *cache, u32 block, struct buffer **buffer);
MUST_CHECK int buffer_new(struct buffer_cache *cache, u32 block, struct buffer **buffer);

/* One more reference, for the journal, which will have the buffer written; one fewer, of NULL too.
 */
void buffer_get(struct buffer *buffer);
void buffer_put(struct buffer *buffer);

/* Of a local variable that has a buffer or NULL: the reference goes at the block's end. */
#define BUFFER_REF CLEANUP(buffer_ref_end)

static inline void buffer_ref_end(struct buffer **buffer)
{
    if (*buffer)
        buffer_put(*buffer);
}

static inline void *buffer_data(const struct buffer *buffer)
{
    return pa_to_kva(buffer->page);
}

/* The content of a file has changed in it. The caller has a reference. */
void buffer_mark_dirty(struct buffer *buffer);

/* The block is free now: what is in memory is not to be written, and nobody finds it again; who has
   a reference keeps the content as it was. */
void buffer_forget(struct buffer_cache *cache, u32 block);

/*
 * Begin to write the buffer's page to `block`, its own or another; the caller has a reference. Then
 * wait for it: 0 or -EIO.
 */
void buffer_start_write(struct buffer *buffer, u32 block);
MUST_CHECK int buffer_wait(struct buffer *buffer);

/* Write all that is dirty and wait. What cannot be written stays dirty: -EIO, and who only wants
   memory may ignore it: the next sync tells of it. */
int buffer_write_dirty(struct buffer_cache *cache);

/* Sleep until something has changed that is to be written, since the last time. */
void buffer_wait_for_change(struct buffer_cache *cache);

/* Make what was written until now survive the machine. 0 or -EIO. */
MUST_CHECK int buffer_flush(struct buffer_cache *cache);

/* Drop what has no reference and is clean, of all caches: at most so many pages. How many were. */
u64 buffer_reclaim(u64 page_count);

enum buffer_room {
    BUFFER_LOW_PAGES = 256,    /* with fewer free, caches give some back */
    BUFFER_RECLAIM_PAGES = 64, /* so many at a time */
};

/* To be called before work that takes pages. */
static inline void buffer_make_room(void)
{
    if (page_free_count() < BUFFER_LOW_PAGES)
        (void)buffer_reclaim(BUFFER_RECLAIM_PAGES);
}

/* How many pages all caches have. */
u64 buffer_page_count(void);
