/* SPDX-License-Identifier: MIT */
/*
 * The locks that newlib leaves to its port (sys/lock.h, _RETARGETABLE_LOCKING): mutexes.
 *
 * Those that stdio makes for its streams come from a small table, so that opening a file needs no
 * second allocation; when that is used up, from the heap.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/lock.h>

struct __lock {
    pthread_mutex_t mutex; /* recursive even if newlib does not need that */
};

#define LOCK_INITIALIZER                            \
    {                                               \
        .mutex = {.type = PTHREAD_MUTEX_RECURSIVE } \
    }

/* newlib's own, by the names that it expects. */
struct __lock __lock___sinit_recursive_mutex = LOCK_INITIALIZER;
struct __lock __lock___sfp_recursive_mutex = LOCK_INITIALIZER;
struct __lock __lock___atexit_recursive_mutex = LOCK_INITIALIZER;
struct __lock __lock___at_quick_exit_mutex = LOCK_INITIALIZER;
struct __lock __lock___malloc_recursive_mutex = LOCK_INITIALIZER;
struct __lock __lock___env_recursive_mutex = LOCK_INITIALIZER;
struct __lock __lock___tz_mutex = LOCK_INITIALIZER;
struct __lock __lock___dd_hash_mutex = LOCK_INITIALIZER;
struct __lock __lock___arc4random_mutex = LOCK_INITIALIZER;

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
    *fresh = (struct __lock)LOCK_INITIALIZER;
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

void __retarget_lock_acquire(_LOCK_T lock)
{
    (void)pthread_mutex_lock(&lock->mutex);
}

void __retarget_lock_acquire_recursive(_LOCK_T lock)
{
    (void)pthread_mutex_lock(&lock->mutex);
}

int __retarget_lock_try_acquire(_LOCK_T lock)
{
    return pthread_mutex_trylock(&lock->mutex) == 0;
}

int __retarget_lock_try_acquire_recursive(_LOCK_T lock)
{
    return pthread_mutex_trylock(&lock->mutex) == 0;
}

void __retarget_lock_release(_LOCK_T lock)
{
    (void)pthread_mutex_unlock(&lock->mutex);
}

void __retarget_lock_release_recursive(_LOCK_T lock)
{
    (void)pthread_mutex_unlock(&lock->mutex);
}

void flockfile(FILE *stream)
{
    __retarget_lock_acquire_recursive(stream->_lock);
}

void funlockfile(FILE *stream)
{
    __retarget_lock_release_recursive(stream->_lock);
}
