/* SPDX-License-Identifier: MIT */
/* Buffers: finding and making them, their requests, and what is dropped first. See buffer.h. */
#include "kernel/block/buffer.h"

#include "kernel/kmalloc.h"
#include "kernel/wait.h"
#include "string.h"

enum buffer_limits {
    BUCKET_COUNT = 1024,
    RESERVE_PAGES = 512, /* the cache does not grow into the last pages of memory */
    DIRTY_MAX = 1024,    /* who makes one more dirty writes all of them */
    WRITES_AT_ONCE = 32,
};

struct buffer_cache {
    struct block_device *device;
    struct list_node node;   /* of `caches` */
    struct mutex write_lock; /* held by who writes what is dirty */

    struct spinlock lock;      /* LOCK_BUFFER; guards the rest */
    struct wait_queue changed; /* a request is done */
    struct wait_queue flusher; /* waits for has_changes */
    bool has_changes;          /* something is to be written that it does not know of */
    struct list_node idle;     /* no reference, clean; the longest unused first */
    struct list_node dirty;    /* in order of getting so */
    u64 buffer_count;
    u64 dirty_count;
    struct list_node buckets[BUCKET_COUNT];
};

/* All there are. It changes when a device is mounted and let go: in one thread at a time. */
static struct list_node caches = {&caches, &caches};

struct buffer_cache *buffer_cache_create(struct block_device *device)
{
    struct buffer_cache *cache = kzalloc(sizeof(*cache));

    if (!cache)
        return NULL;
    cache->device = device;
    spin_init(&cache->lock, "buffer cache", LOCK_BUFFER);
    mutex_init(&cache->write_lock, "dirty buffers");
    wait_queue_init(&cache->changed);
    wait_queue_init(&cache->flusher);
    list_init(&cache->idle);
    list_init(&cache->dirty);
    for (unsigned i = 0; i < BUCKET_COUNT; i++)
        list_init(&cache->buckets[i]);
    list_push_back(&caches, &cache->node);
    return cache;
}

/* ---- finding, making, dropping -----------------------------------------------------------------
 */

static struct list_node *bucket_of(struct buffer_cache *cache, u32 block)
{
    return &cache->buckets[block % BUCKET_COUNT];
}

static struct buffer *find_locked(struct buffer_cache *cache, u32 block)
{
    struct buffer *buffer;

    list_for_each (buffer, bucket_of(cache, block), hash_node) {
        if (buffer->block == block)
            return buffer;
    }
    return NULL;
}

static void get_locked(struct buffer *buffer)
{
    if (buffer->refs++ == 0 && !buffer->is_dirty)
        list_remove(&buffer->node);
}

static void make_clean_locked(struct buffer *buffer)
{
    list_remove(&buffer->node);
    buffer->is_dirty = false;
    buffer->cache->dirty_count--;
    if (buffer->refs == 0)
        list_push_back(&buffer->cache->idle, &buffer->node);
}

/* Take a clean buffer out of the cache. Without a reference it is the caller's to free, unlocked;
   else it goes with the last one. */
static void remove_locked(struct buffer *buffer)
{
    if (buffer->refs == 0)
        list_remove(&buffer->node);
    list_remove(&buffer->hash_node);
    buffer->is_forgotten = true;
    buffer->cache->buffer_count--;
}

static void free_buffer(struct buffer *buffer)
{
    page_put(buffer->page);
    kfree(buffer);
}

/* Take out the first clean buffer that nobody uses and whose page is nobody's but its own (or the
   disk's). A page that is mapped would not be freed, and must be what the next reader finds. */
static struct buffer *take_idle(struct buffer_cache *cache)
{
    struct buffer *buffer;

    SPIN_GUARD(&cache->lock);
    list_for_each (buffer, &cache->idle, node) {
        if (block_is_memory(cache->device) || page_is_exclusive(buffer->page)) {
            remove_locked(buffer);
            return buffer;
        }
    }
    return NULL;
}

static u64 reclaim_from(struct buffer_cache *cache, u64 page_count)
{
    struct buffer *buffer;
    u64 freed = 0;

    for (; freed < page_count && (buffer = take_idle(cache)) != NULL; freed++)
        free_buffer(buffer);
    return freed;
}

u64 buffer_reclaim(u64 page_count)
{
    struct buffer_cache *cache;
    u64 freed = 0;

    list_for_each (cache, &caches, node)
        freed += reclaim_from(cache, page_count - freed);
    return freed;
}

void buffer_forget(struct buffer_cache *cache, u32 block)
{
    struct buffer *buffer;
    bool is_used = false;

    spin_acquire(&cache->lock);
    while ((buffer = find_locked(cache, block)) != NULL && buffer->is_busy)
        wait_on_uninterruptible(&cache->changed, &cache->lock);
    if (buffer) {
        if (buffer->is_dirty)
            make_clean_locked(buffer);
        is_used = buffer->refs > 0;
        remove_locked(buffer);
    }
    spin_release(&cache->lock);
    if (buffer && !is_used)
        free_buffer(buffer);
}

void buffer_cache_destroy(struct buffer_cache *cache)
{
    for (unsigned i = 0; i < BUCKET_COUNT; i++) {
        struct buffer *buffer, *next;

        list_for_each_safe (buffer, next, &cache->buckets[i], hash_node) {
            buffer_forget(cache, buffer->block);
        }
    }
    list_remove(&cache->node);
    kfree(cache);
}

/* A page for a new buffer; memory is taken from the cache itself where it is short. */
static pa_t allocate_page(struct buffer_cache *cache, u32 block)
{
    if (block_is_memory(cache->device))
        return cache->device->page(cache->device, block);
    if (page_free_count() < RESERVE_PAGES && reclaim_from(cache, 1) == 0) {
        buffer_write_dirty(cache);
        reclaim_from(cache, 1);
    }
    return page_alloc();
}

/* A buffer with a page, in no cache yet. */
static struct buffer *allocate(struct buffer_cache *cache, u32 block)
{
    struct buffer *buffer = kzalloc(sizeof(*buffer));

    if (!buffer)
        return NULL;
    buffer->page = allocate_page(cache, block);
    if (!buffer->page) {
        kfree(buffer);
        return NULL;
    }
    buffer->cache = cache;
    buffer->block = block;
    buffer->refs = 1;
    buffer->valid = block_is_memory(cache->device);
    return buffer;
}

/* The block's buffer with a reference: what is in memory, else `fresh`, which may be NULL. */
static struct buffer *find_or_insert(struct buffer_cache *cache, u32 block, struct buffer *fresh)
{
    struct buffer *buffer;

    SPIN_GUARD(&cache->lock);
    buffer = find_locked(cache, block);
    if (buffer) {
        get_locked(buffer);
        return buffer;
    }
    if (fresh) {
        list_push_front(bucket_of(cache, block), &fresh->hash_node);
        cache->buffer_count++;
    }
    return fresh;
}

/* The block's buffer with a reference, in the cache, valid or not. NULL: out of memory. */
static struct buffer *find_or_make(struct buffer_cache *cache, u32 block)
{
    struct buffer *buffer = find_or_insert(cache, block, NULL), *fresh;

    if (buffer)
        return buffer;
    fresh = allocate(cache, block);
    buffer = find_or_insert(cache, block, fresh);
    if (fresh && buffer != fresh) /* somebody was faster */
        free_buffer(fresh);
    return buffer;
}

static void note_change_locked(struct buffer_cache *cache)
{
    cache->has_changes = true;
    wake_all(&cache->flusher);
}

void buffer_wait_for_change(struct buffer_cache *cache)
{
    SPIN_GUARD(&cache->lock);
    while (!cache->has_changes)
        wait_on_uninterruptible(&cache->flusher, &cache->lock);
    cache->has_changes = false;
}

void buffer_get(struct buffer *buffer)
{
    SPIN_GUARD(&buffer->cache->lock);
    get_locked(buffer);
    note_change_locked(buffer->cache);
}

void buffer_put(struct buffer *buffer)
{
    bool is_last;

    if (!buffer)
        return;
    spin_acquire(&buffer->cache->lock);
    is_last = --buffer->refs == 0;
    if (is_last && !buffer->is_dirty && !buffer->is_forgotten)
        list_push_back(&buffer->cache->idle, &buffer->node);
    is_last = is_last && buffer->is_forgotten;
    spin_release(&buffer->cache->lock);
    if (is_last)
        free_buffer(buffer);
}

/* ---- requests ----------------------------------------------------------------------------------
 */

static void request_done(struct block_request *request, int error)
{
    struct buffer *buffer = container_of(request, struct buffer, request);
    struct buffer_cache *cache = buffer->cache;

    SPIN_GUARD(&cache->lock);
    buffer->is_busy = false;
    buffer->error = error;
    if (request->operation == BLOCK_READ)
        buffer->valid = error == 0;
    wake_all(&cache->changed);
}

/* The buffer is marked busy. */
static void submit(struct buffer *buffer, enum block_operation operation, u32 block)
{
    struct block_device *device = buffer->cache->device;

    buffer->request.operation = operation;
    buffer->request.block = block;
    buffer->request.page = buffer->page;
    buffer->request.done = request_done;
    device->submit(device, &buffer->request);
}

static int wait_locked(struct buffer *buffer)
{
    while (buffer->is_busy)
        wait_on_uninterruptible(&buffer->cache->changed, &buffer->cache->lock);
    return buffer->error;
}

int buffer_wait(struct buffer *buffer)
{
    SPIN_GUARD(&buffer->cache->lock);
    return wait_locked(buffer);
}

/* Get the content of a buffer: whoever comes first reads, the others wait for it. */
static int fill(struct buffer *buffer)
{
    struct buffer_cache *cache = buffer->cache;
    bool must_read;

    spin_acquire(&cache->lock);
    while (!buffer->valid && buffer->is_busy)
        wait_on_uninterruptible(&cache->changed, &cache->lock);
    must_read = !buffer->valid;
    if (must_read)
        buffer->is_busy = true;
    spin_release(&cache->lock);
    if (!must_read)
        return 0;
    submit(buffer, BLOCK_READ, buffer->block);
    return buffer_wait(buffer);
}

int buffer_read(struct buffer_cache *cache, u32 block, struct buffer **found)
{
    struct buffer *buffer = find_or_make(cache, block);
    int error = 0;

    if (!buffer)
        return -ENOMEM;
    if (!__atomic_load_n(&buffer->valid, __ATOMIC_ACQUIRE))
        error = fill(buffer);
    if (error) {
        buffer_put(buffer);
        return error;
    }
    *found = buffer;
    return 0;
}

int buffer_new(struct buffer_cache *cache, u32 block, struct buffer **made)
{
    struct buffer *buffer;

    if (cache->device->discard)
        cache->device->discard(cache->device, block);
    buffer = find_or_make(cache, block);
    if (!buffer)
        return block_is_memory(cache->device) ? -ENOSPC : -ENOMEM;
    if (!block_is_memory(cache->device))
        memset(buffer_data(buffer), 0, PAGE_SIZE);
    spin_acquire(&cache->lock);
    buffer->valid = true;
    spin_release(&cache->lock);
    *made = buffer;
    return 0;
}

/* ---- writing -----------------------------------------------------------------------------------
 */

/* Returns how many are dirty now. */
static u64 mark_dirty(struct buffer *buffer)
{
    struct buffer_cache *cache = buffer->cache;

    SPIN_GUARD(&cache->lock);
    if (!buffer->is_dirty && !buffer->is_forgotten) {
        buffer->is_dirty = true;
        cache->dirty_count++;
        list_push_back(&cache->dirty, &buffer->node);
        note_change_locked(cache);
    }
    return cache->dirty_count;
}

void buffer_mark_dirty(struct buffer *buffer)
{
    if (!block_is_memory(buffer->cache->device) && mark_dirty(buffer) > DIRTY_MAX)
        buffer_write_dirty(buffer->cache);
}

void buffer_start_write(struct buffer *buffer, u32 block)
{
    spin_acquire(&buffer->cache->lock);
    (void)wait_locked(buffer);
    buffer->is_busy = true;
    spin_release(&buffer->cache->lock);
    submit(buffer, BLOCK_WRITE, block);
}

/* The first dirty buffer that is not busy, with a reference. It is busy and clean from here on:
   what is changed while it is on its way makes it dirty again. */
static struct buffer *next_dirty(struct buffer_cache *cache)
{
    struct buffer *buffer;

    SPIN_GUARD(&cache->lock);
    list_for_each (buffer, &cache->dirty, node) {
        if (buffer->is_busy)
            continue;
        buffer->refs++;
        make_clean_locked(buffer);
        buffer->is_busy = true;
        return buffer;
    }
    return NULL;
}

/* Wait for what was begun; what failed is dirty again. */
static int finish_writes(struct buffer *const *buffers, unsigned count)
{
    int result = 0;

    for (unsigned i = 0; i < count; i++) {
        int error = buffer_wait(buffers[i]);

        if (error) {
            result = error;
            mark_dirty(buffers[i]);
        }
        buffer_put(buffers[i]);
    }
    return result;
}

/* One at a time, so that whoever returns knows that all is written that was dirty before. */
int buffer_write_dirty(struct buffer_cache *cache)
{
    struct buffer *buffers[WRITES_AT_ONCE];
    unsigned count;
    int error;

    MUTEX_GUARD(&cache->write_lock);
    do {
        for (count = 0; count < WRITES_AT_ONCE; count++) {
            buffers[count] = next_dirty(cache);
            if (!buffers[count])
                break;
            submit(buffers[count], BLOCK_WRITE, buffers[count]->block);
        }
        error = finish_writes(buffers, count);
    } while (!error && count == WRITES_AT_ONCE);
    return error;
}

int buffer_flush(struct buffer_cache *cache)
{
    struct buffer flush = {.cache = cache, .is_busy = true}; /* of no block */

    submit(&flush, BLOCK_FLUSH, 0);
    return buffer_wait(&flush);
}

u64 buffer_page_count(void)
{
    struct buffer_cache *cache;
    u64 count = 0;

    list_for_each (cache, &caches, node)
        count += READ_ONCE(cache->buffer_count);
    return count;
}
