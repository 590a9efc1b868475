/* SPDX-License-Identifier: MIT */
/*
 * Mutexes and condition variables. Nobody calls the kernel but who must sleep, and who may have to
 * wake somebody.
 *
 * A mutex that processes share must be a normal one: the others know their owner by an address in
 * its process.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "futex.h"
#include "thread_block.h"

enum mutex_word {
    WORD_FREE = 0,
    WORD_HELD = 1,
    WORD_CONTENDED = 2, /* held, and somebody may sleep on it */
};

enum { NS_PER_SECOND = 1000000000 };

static uint64_t now_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

int futex_deadline(clockid_t clock, const struct timespec *time, uint64_t *deadline_ns)
{
    uint64_t at;

    *deadline_ns = FRANK_FUTEX_FOREVER;
    if (!time)
        return true;
    if (time->tv_nsec < 0 || time->tv_nsec >= NS_PER_SECOND)
        return false;
    at = time->tv_sec < 0 ? 0 : (uint64_t)time->tv_sec * NS_PER_SECOND + (uint64_t)time->tv_nsec;
    if (clock != CLOCK_MONOTONIC) {
        uint64_t there = now_ns(clock);

        at = at > there ? now_ns(CLOCK_MONOTONIC) + (at - there) : 0;
    }
    *deadline_ns = at;
    return true;
}

/* ---- mutexes -----------------------------------------------------------------------------------
 */

static bool take_free(pthread_mutex_t *mutex)
{
    unsigned expected = WORD_FREE;

    return __atomic_compare_exchange_n(&mutex->word, &expected, WORD_HELD, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

/* 0 or ETIMEDOUT. */
static int take_word(pthread_mutex_t *mutex, uint64_t deadline_ns)
{
    if (take_free(mutex))
        return 0;
    while (__atomic_exchange_n(&mutex->word, WORD_CONTENDED, __ATOMIC_ACQUIRE) != WORD_FREE) {
        if (futex_wait(&mutex->word, WORD_CONTENDED, deadline_ns) == ETIMEDOUT)
            return ETIMEDOUT;
    }
    return 0;
}

static void give_word(pthread_mutex_t *mutex)
{
    if (__atomic_exchange_n(&mutex->word, WORD_FREE, __ATOMIC_RELEASE) == WORD_CONTENDED)
        futex_wake(&mutex->word, 1);
}

static bool is_mine(const pthread_mutex_t *mutex)
{
    return __atomic_load_n(&mutex->owner, __ATOMIC_RELAXED) == thread_block();
}

/* The caller's own, once more. */
static int take_again(pthread_mutex_t *mutex, int error)
{
    if (mutex->type != PTHREAD_MUTEX_RECURSIVE)
        return error;
    mutex->depth++;
    return 0;
}

static int take(pthread_mutex_t *mutex, uint64_t deadline_ns)
{
    int error;

    if (mutex->type == PTHREAD_MUTEX_NORMAL)
        return take_word(mutex, deadline_ns);
    if (is_mine(mutex))
        return take_again(mutex, EDEADLK);
    error = take_word(mutex, deadline_ns);
    if (error == 0)
        __atomic_store_n(&mutex->owner, thread_block(), __ATOMIC_RELAXED);
    return error;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    return take(mutex, FRANK_FUTEX_FOREVER);
}

int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *deadline)
{
    uint64_t deadline_ns;

    if (pthread_mutex_trylock(mutex) == 0)
        return 0;
    return futex_deadline(CLOCK_REALTIME, deadline, &deadline_ns) ? take(mutex, deadline_ns)
                                                                  : EINVAL;
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    bool has_owner = mutex->type != PTHREAD_MUTEX_NORMAL;

    if (has_owner && is_mine(mutex))
        return take_again(mutex, EBUSY);
    if (!take_free(mutex))
        return EBUSY;
    if (has_owner)
        __atomic_store_n(&mutex->owner, thread_block(), __ATOMIC_RELAXED);
    return 0;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    if (mutex->type != PTHREAD_MUTEX_NORMAL) {
        if (!is_mine(mutex))
            return EPERM;
        if (mutex->depth > 0) {
            mutex->depth--;
            return 0;
        }
        __atomic_store_n(&mutex->owner, NULL, __ATOMIC_RELAXED);
    }
    give_word(mutex);
    return 0;
}

int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
    *mutex = (pthread_mutex_t){.type = attributes ? attributes->type : PTHREAD_MUTEX_DEFAULT};
    return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    return __atomic_load_n(&mutex->word, __ATOMIC_RELAXED) == WORD_FREE ? 0 : EBUSY;
}

int pthread_mutexattr_init(pthread_mutexattr_t *attributes)
{
    *attributes = (pthread_mutexattr_t){.type = PTHREAD_MUTEX_DEFAULT};
    return 0;
}

int pthread_mutexattr_destroy(pthread_mutexattr_t *attributes)
{
    (void)attributes;
    return 0;
}

int pthread_mutexattr_settype(pthread_mutexattr_t *attributes, int type)
{
    if (type < PTHREAD_MUTEX_NORMAL || type > PTHREAD_MUTEX_ERRORCHECK)
        return EINVAL;
    attributes->type = type;
    return 0;
}

int pthread_mutexattr_gettype(const pthread_mutexattr_t *attributes, int *type)
{
    *type = attributes->type;
    return 0;
}

int pthread_mutexattr_setpshared(pthread_mutexattr_t *attributes, int shared)
{
    attributes->shared = shared; /* the kernel sees where the word lies */
    return 0;
}

int pthread_mutexattr_getpshared(const pthread_mutexattr_t *attributes, int *shared)
{
    *shared = attributes->shared;
    return 0;
}

/* ---- condition variables -----------------------------------------------------------------------
 */

/* A signal after the mutex is given up changes the sequence, so the sleep does not begin, or ends.
 */
static int wait_for_signal(pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t deadline_ns)
{
    unsigned sequence = __atomic_load_n(&condition->sequence, __ATOMIC_SEQ_CST);
    int error = EINTR;

    if (mutex->type != PTHREAD_MUTEX_NORMAL && (!is_mine(mutex) || mutex->depth > 0))
        return EPERM;
    __atomic_fetch_add(&condition->waiters, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(mutex);
    while (error == EINTR)
        error = futex_wait(&condition->sequence, sequence, deadline_ns);
    __atomic_fetch_sub(&condition->waiters, 1, __ATOMIC_SEQ_CST);
    (void)pthread_mutex_lock(mutex);
    return error;
}

int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    return wait_for_signal(condition, mutex, FRANK_FUTEX_FOREVER);
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                           const struct timespec *deadline)
{
    clockid_t clock = condition->clock != 0 ? (clockid_t)condition->clock : CLOCK_REALTIME;
    uint64_t deadline_ns;

    return futex_deadline(clock, deadline, &deadline_ns)
               ? wait_for_signal(condition, mutex, deadline_ns)
               : EINVAL;
}

static int signal_waiters(pthread_cond_t *condition, int count)
{
    __atomic_fetch_add(&condition->sequence, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&condition->waiters, __ATOMIC_SEQ_CST) != 0)
        futex_wake(&condition->sequence, count);
    return 0;
}

int pthread_cond_signal(pthread_cond_t *condition)
{
    return signal_waiters(condition, 1);
}

int pthread_cond_broadcast(pthread_cond_t *condition)
{
    return signal_waiters(condition, INT_MAX);
}

int pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes)
{
    *condition = (pthread_cond_t){.clock = attributes ? attributes->clock : 0};
    return 0;
}

int pthread_cond_destroy(pthread_cond_t *condition)
{
    return __atomic_load_n(&condition->waiters, __ATOMIC_RELAXED) == 0 ? 0 : EBUSY;
}

int pthread_condattr_init(pthread_condattr_t *attributes)
{
    *attributes = (pthread_condattr_t){.clock = (int)CLOCK_REALTIME};
    return 0;
}

int pthread_condattr_destroy(pthread_condattr_t *attributes)
{
    (void)attributes;
    return 0;
}

int pthread_condattr_setclock(pthread_condattr_t *attributes, clockid_t clock)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
        return EINVAL;
    attributes->clock = (int)clock;
    return 0;
}

int pthread_condattr_getclock(const pthread_condattr_t *attributes, clockid_t *clock)
{
    *clock = (clockid_t)attributes->clock;
    return 0;
}

int pthread_condattr_setpshared(pthread_condattr_t *attributes, int shared)
{
    attributes->shared = shared;
    return 0;
}

int pthread_condattr_getpshared(const pthread_condattr_t *attributes, int *shared)
{
    *shared = attributes->shared;
    return 0;
}
