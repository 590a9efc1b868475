/* SPDX-License-Identifier: MIT */
/*
 * A waiter must not miss a wake-up that comes after it has looked at the word; yet the look may
 * fault and sleep, so it comes before the lock. Wake-ups are counted: if there were some between
 * the look and the lock, the waiter looks again.
 */
#include "kernel/futex.h"

#include "frank/futex.h"
#include "kernel/space.h"
#include "kernel/syscall.h"
#include "kernel/wait.h"

/* What a word is known by: in shared memory its page, else its space. */
struct place {
    const struct space *space; /* NULL: `at` is a pa_t */
    u64 at;
};

static struct spinlock lock = SPINLOCK_INITIALIZER("futex", LOCK_MUTEX);     /* guards both: */
static struct wait_queue waiters = {{&waiters.sleepers, &waiters.sleepers}}; /* for their place */
static u64 wake_count;

/* Of a word that was touched just now. -EFAULT: it is gone again. */
static int find_place(uva_t address, struct place *place)
{
    struct space *space = process_current()->space;
    struct region *region;
    pa_t page;
    MUTEX_GUARD(&space->lock);

    region = space_find_region(space, address);
    if (region == NULL || !plat_lookup(&space->platform, page_floor(address), &page, NULL))
        return -EFAULT;
    *place = region->is_shared ? (struct place){NULL, page + address % PAGE_SIZE}
                               : (struct place){space, address};
    return 0;
}

static int read_word(uva_t address, u32 *value, struct place *place)
{
    int error = -EINVAL;

    if (IS_ALIGNED(address, sizeof(*value)))
        error = copy_from_user(value, address, sizeof(*value));
    return error == 0 ? find_place(address, place) : error;
}

static long wait_while(uva_t address, u32 value, u64 deadline_ticks)
{
    struct place place;

    for (;;) {
        u64 seen = __atomic_load_n(&wake_count, __ATOMIC_SEQ_CST);
        u32 found;
        int error = read_word(address, &found, &place);

        if (error != 0 || found != value)
            return error != 0 ? error : -EAGAIN;
        SPIN_GUARD(&lock);
        if (wake_count == seen) {
            thread_current()->waits_for = &place;
            return wait_on_until(&waiters, &lock, deadline_ticks);
        }
    }
}

long futex_wake(uva_t address, u64 count)
{
    struct thread *thread, *next;
    struct place place;
    u64 woken = 0;
    u32 value;
    int error = read_word(address, &value, &place);

    if (error != 0)
        return error;
    SPIN_GUARD(&lock);
    __atomic_fetch_add(&wake_count, 1, __ATOMIC_SEQ_CST);
    list_for_each_safe (thread, next, &waiters.sleepers, wait_node) {
        const struct place *other = thread->waits_for;

        if (woken == count)
            break;
        if (other->space != place.space || other->at != place.at)
            continue;
        list_remove(&thread->wait_node);
        woken += thread_wake(thread, 0);
    }
    return (long)woken;
}

long sys_futex(u64 address, u64 operation, u64 value, u64 deadline_ns)
{
    switch (operation) {
    case FRANK_FUTEX_WAIT:
        return wait_while(address, (u32)value,
                          deadline_ns == FRANK_FUTEX_FOREVER ? WAIT_FOREVER
                                                             : timer_ticks_from_ns(deadline_ns));
    case FRANK_FUTEX_WAKE:
        return futex_wake(address, value);
    default:
        return -EINVAL;
    }
}
