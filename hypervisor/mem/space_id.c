/* SPDX-License-Identifier: MIT */
#include "mem/space_id.h"

#include "arch/arch.h"
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
    BITMAP_DECLARE(stale, SPACE_IDS_MAX);   /* used, or given back and not yet flushed */
    bool flushing;                          /* a hart has taken `flushed` and flushes */
    BITMAP_DECLARE(flushed, SPACE_IDS_MAX); /* what can be given out again after that */
} ids = {.lock = LOCK_INIT(LOCK_FRAME, "space identifiers")};

bool space_id_init(u32 count)
{
    memset(ids.used, 0, sizeof(ids.used));
    memset(ids.stale, 0, sizeof(ids.stale));
    ids.flushing = false;
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

/* What is not used now can be used after a flush that starts now. False: all are used. */
static bool flush_prepare_locked(void)
{
    for (u32 i = 0; i < ARRAY_SIZE(ids.flushed); i++) {
        ids.flushed[i] = ids.stale[i] & ~ids.used[i];
        ids.flushing = ids.flushing || ids.flushed[i] != 0;
    }
    return ids.flushing;
}

static void flush_done_locked(void)
{
    ids.flushing = false;
    for (u32 i = 0; i < ARRAY_SIZE(ids.flushed); i++)
        ids.stale[i] &= ~ids.flushed[i];
}

/* One hart flushes for all that wait. Nothing is given out of what it has in `flushed` meanwhile,
   for all of that is stale. */
u16 space_id_alloc(void)
{
    struct hart *hart = arch_hart();
    bool flushed = false, mine, again;
    u32 turns = 0;
    u16 id;

    do {
        lock_acquire(&ids.lock);
        id = take_locked();
        mine = id == 0 && !flushed && !ids.flushing && flush_prepare_locked();
        again = id == 0 && ids.flushing;
        lock_release(&ids.lock);
        if (mine) {
            hart_flush_all();
            lock_acquire(&ids.lock);
            flush_done_locked();
            lock_release(&ids.lock);
            hart_end_waits(&ids);
            flushed = true;
        } else if (again) {
            hart_wait(hart, &ids, &turns);
        }
    } while (again);
    hart_wait_end(hart, turns);
    return id;
}

u32 space_id_share(u32 vm_count)
{
    return max((ids.count - 1) / max(vm_count, 1u), 1u);
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
