/* SPDX-License-Identifier: MIT */
/*
 * A waiter must not miss a wake-up that comes after it has looked at the word; yet the look may
 * fault and sleep, so it comes before the lock. Wake-ups are counted: if there were some between
 * the look and the lock, the waiter looks again.
 */
#include "kernel/futex.h"

#include "frank/errno.h"
#include "frank/futex.h"
#include "kernel/process.h"
#include "kernel/space.h"
#include "kernel/syscall.h"
#include "kernel/timer.h"
#include "kernel/uaccess.h"
#include "kernel/wait.h"

/* What a word is known by: in shared memory its page, else its space. */
struct place {
    const struct space *space; /* NULL: `at` is a pa_t */
    u64 at;
};

struct waiter {
    struct list_node node;
    struct place place;
    struct wait_queue queue; /* where it sleeps, alone */
    bool is_woken;
};

static struct spinlock lock = SPINLOCK_INITIALIZER("futex", LOCK_MUTEX); /* guards both: */
static struct list_node waiters = {&waiters, &waiters};                  /* by arrival */
static u64 wake_count;

/* Of a word that was touched just now. -EFAULT: it is gone again. */
static int find_place(uva_t address, struct place *place)
{
    struct space *space = process_current()->space;
    struct region *region;
    int error = 0;
    pa_t page;

    mutex_lock(&space->lock);
    region = space_find_region(space, address);
    *place = (struct place){space, address};
    if (region == NULL || !plat_lookup(&space->platform, page_floor(address), &page, NULL))
        error = -EFAULT;
    else if (region->is_shared)
        *place = (struct place){NULL, page + address % PAGE_SIZE};
    mutex_unlock(&space->lock);
    return error;
}

static int read_word(uva_t address, u32 *value, struct place *place)
{
    int error = -EINVAL;

    if (IS_ALIGNED(address, sizeof(*value)))
        error = copy_from_user(value, address, sizeof(*value));
    return error == 0 ? find_place(address, place) : error;
}

/* Until somebody wakes this waiter: 0, -EINTR, -ETIMEDOUT. */
static int sleep_locked(struct waiter *waiter, u64 deadline_ticks)
{
    int error = 0;

    wait_queue_init(&waiter->queue);
    list_push_back(&waiters, &waiter->node);
    while (!waiter->is_woken && error == 0)
        error = wait_on_until(&waiter->queue, &lock, deadline_ticks);
    if (waiter->is_woken)
        return 0;
    list_remove(&waiter->node);
    return error;
}

static long wait_while(uva_t address, u32 value, u64 deadline_ticks)
{
    struct waiter waiter = {.is_woken = false};
    bool has_slept = false;
    int error;

    do {
        u64 seen = __atomic_load_n(&wake_count, __ATOMIC_SEQ_CST);
        u32 found;

        error = read_word(address, &found, &waiter.place);
        if (error == 0 && found != value)
            error = -EAGAIN;
        if (error != 0)
            break;
        spin_acquire(&lock);
        has_slept = wake_count == seen;
        if (has_slept)
            error = sleep_locked(&waiter, deadline_ticks);
        spin_release(&lock);
    } while (!has_slept);
    return error;
}

long futex_wake(uva_t address, u64 count)
{
    struct waiter *waiter, *next;
    struct place place;
    u64 woken = 0;
    u32 value;
    int error = read_word(address, &value, &place);

    if (error != 0)
        return error;
    spin_acquire(&lock);
    __atomic_fetch_add(&wake_count, 1, __ATOMIC_SEQ_CST);
    list_for_each_safe (waiter, next, &waiters, node) {
        if (woken == count)
            break;
        if (waiter->place.space != place.space || waiter->place.at != place.at)
            continue;
        list_remove(&waiter->node);
        waiter->is_woken = true;
        wake_one(&waiter->queue);
        woken++;
    }
    spin_release(&lock);
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
