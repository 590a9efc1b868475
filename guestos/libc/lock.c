/* SPDX-License-Identifier: MIT */
/*
 * The locks that newlib leaves to its port (sys/lock.h, _RETARGETABLE_LOCKING).
 *
 * A lock knows its owner, a thread's block, and how often that took it. Who finds it taken gives
 * the processor away and looks again: until the kernel offers waiting on a word, that is the
 * cheapest wait there is. The locks that stdio makes for its streams come from a small table, so
 * that opening a file needs no second allocation; when that is used up, from the heap.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/lock.h>

#include "system_call.h"
#include "thread_block.h"

struct __lock {
    struct thread_block *owner; /* atomic; NULL: free */
    unsigned depth;             /* the owner's */
};

/* newlib's own, by the names that it expects. */
struct __lock __lock___sinit_recursive_mutex;
struct __lock __lock___sfp_recursive_mutex;
struct __lock __lock___atexit_recursive_mutex;
struct __lock __lock___at_quick_exit_mutex;
struct __lock __lock___malloc_recursive_mutex;
struct __lock __lock___env_recursive_mutex;
struct __lock __lock___tz_mutex;
struct __lock __lock___dd_hash_mutex;
struct __lock __lock___arc4random_mutex;

enum { LOCK_TABLE_SIZE = 64 };

static struct __lock table[LOCK_TABLE_SIZE];
static unsigned table_used[LOCK_TABLE_SIZE]; /* atomic */

static struct __lock *take_from_table(void)
{
    for (unsigned i = 0; i < LOCK_TABLE_SIZE; i++) {
        unsigned expected = 0;
        if (__atomic_compare_exchange_n(&table_used[i], &expected, 1, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return &table[i];
    }
    return NULL;
}

void __retarget_lock_init(_LOCK_T *lock)
{
    struct __lock *fresh = take_from_table();

    if (!fresh)
        fresh = malloc(sizeof(*fresh));
    if (!fresh)
        abort();
    fresh->owner = NULL;
    fresh->depth = 0;
    *lock = fresh;
}

void __retarget_lock_init_recursive(_LOCK_T *lock)
{
    __retarget_lock_init(lock);
}

void __retarget_lock_close(_LOCK_T lock)
{
    if (lock >= table && lock < table + LOCK_TABLE_SIZE)
        __atomic_store_n(&table_used[lock - table], 0, __ATOMIC_RELEASE);
    else
        free(lock);
}

void __retarget_lock_close_recursive(_LOCK_T lock)
{
    __retarget_lock_close(lock);
}

static bool try_take(struct __lock *lock)
{
    struct thread_block *expected = NULL;

    return __atomic_compare_exchange_n(&lock->owner, &expected, thread_block(), false,
                                       __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static bool is_mine(struct __lock *lock)
{
    return __atomic_load_n(&lock->owner, __ATOMIC_RELAXED) == thread_block();
}

void __retarget_lock_acquire(_LOCK_T lock)
{
    while (!try_take(lock))
        (void)system_call(FRANK_SYS_sched_yield, 0, 0, 0);
    lock->depth = 1;
}

void __retarget_lock_acquire_recursive(_LOCK_T lock)
{
    if (is_mine(lock))
        lock->depth++;
    else
        __retarget_lock_acquire(lock);
}

int __retarget_lock_try_acquire(_LOCK_T lock)
{
    if (!try_take(lock))
        return 0;
    lock->depth = 1;
    return 1;
}

int __retarget_lock_try_acquire_recursive(_LOCK_T lock)
{
    if (!is_mine(lock))
        return __retarget_lock_try_acquire(lock);
    lock->depth++;
    return 1;
}

void __retarget_lock_release(_LOCK_T lock)
{
    if (--lock->depth == 0)
        __atomic_store_n(&lock->owner, NULL, __ATOMIC_RELEASE);
}

void __retarget_lock_release_recursive(_LOCK_T lock)
{
    __retarget_lock_release(lock);
}

void flockfile(FILE *stream)
{
    __retarget_lock_acquire_recursive(stream->_lock);
}

void funlockfile(FILE *stream)
{
    __retarget_lock_release_recursive(stream->_lock);
}
