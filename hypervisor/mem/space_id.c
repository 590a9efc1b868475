/* SPDX-License-Identifier: MIT */
#include "mem/space_id.h"

#include "bitmap.h"
#include "core/hart.h"
#include "core/lock.h"
#include "string.h"

enum { SPACE_IDS_MAX = 1 << 14 };

static struct {
    struct lock lock;
    u32 count;
    u32 next; /* where the next search starts */
    BITMAP_DECLARE(used, SPACE_IDS_MAX);
    BITMAP_DECLARE(stale, SPACE_IDS_MAX); /* used, or given back and not yet flushed */
} ids = {.lock = LOCK_INIT(LOCK_FRAME, "space identifiers")};

bool space_id_init(u32 count)
{
    memset(ids.used, 0, sizeof(ids.used));
    memset(ids.stale, 0, sizeof(ids.stale));
    ids.count = min(count, (u32)SPACE_IDS_MAX);
    ids.next = 1;
    bitmap_set(ids.used, 0);
    bitmap_set(ids.stale, 0);
    return ids.count > 1;
}

static u16 take_locked(void)
{
    u32 id = (u32)bitmap_find_clear(ids.stale, ids.count, ids.next);

    if (id == ids.count)
        id = (u32)bitmap_find_clear(ids.stale, ids.count, 1);
    if (id == ids.count)
        return 0;
    bitmap_set(ids.used, id);
    bitmap_set(ids.stale, id);
    ids.next = id + 1;
    return (u16)id;
}

u16 space_id_alloc(void)
{
    u64 flushed[BITMAP_WORDS(
        SPACE_IDS_MAX)]; /* this call's own: others may flush at the same time */
    u16 id;

    lock_acquire(&ids.lock);
    id = take_locked();
    if (id == 0) {
        /* What is not used now can be used after a flush that starts now. */
        for (u32 i = 0; i < ARRAY_SIZE(flushed); i++)
            flushed[i] = ids.stale[i] & ~ids.used[i];
    }
    lock_release(&ids.lock);
    if (id != 0)
        return id;
    hart_flush_all();
    lock_acquire(&ids.lock);
    for (u32 i = 0; i < ARRAY_SIZE(flushed); i++)
        ids.stale[i] &= ~flushed[i];
    id = take_locked();
    lock_release(&ids.lock);
    return id;
}

u32 space_id_count(void)
{
    return ids.count - 1;
}

void space_id_free(u16 id)
{
    lock_acquire(&ids.lock);
    bitmap_clear(ids.used, id);
    lock_release(&ids.lock);
}

bool space_id_used(u16 id)
{
    return bitmap_test(ids.used, id);
}
