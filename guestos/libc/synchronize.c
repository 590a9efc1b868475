/* SPDX-License-Identifier: MIT */
/* What is made of mutexes and conditions, or of a word: read-write locks, barriers, semaphores,
   things done once. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <string.h>

#include "futex.h"

/* ---- once --------------------------------------------------------------------------------------
 */

enum once_word {
    ONCE_NEW = 0,
    ONCE_RUNS = 1,
    ONCE_DONE = 2,
};

int pthread_once(pthread_once_t *once, void (*run)(void))
{
    unsigned seen = ONCE_NEW;

    if (__atomic_compare_exchange_n(&once->word, &seen, ONCE_RUNS, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_ACQUIRE)) {
        run();
        __atomic_store_n(&once->word, ONCE_DONE, __ATOMIC_RELEASE);
        futex_wake(&once->word, INT_MAX);
    }
    while (__atomic_load_n(&once->word, __ATOMIC_ACQUIRE) != ONCE_DONE)
        (void)futex_wait(&once->word, ONCE_RUNS, FRANK_FUTEX_FOREVER);
    return 0;
}

/* ---- read-write locks --------------------------------------------------------------------------
 */

static int rwlock_take(pthread_rwlock_t *lock, bool writes, bool waits,
                       const struct timespec *deadline)
{
    int error = 0;

    pthread_mutex_lock(&lock->mutex);
    lock->queued += writes;
    while (error == 0 && (writes ? lock->holders != 0 : lock->holders < 0 || lock->queued > 0)) {
        if (!waits)
            error = EBUSY;
        else if (deadline)
            error = pthread_cond_timedwait(&lock->changed, &lock->mutex, deadline);
        else
            error = pthread_cond_wait(&lock->changed, &lock->mutex);
    }
    lock->queued -= writes;
    if (error == 0)
        lock->holders = writes ? -1 : lock->holders + 1;
    else if (writes)
        pthread_cond_broadcast(&lock->changed); /* readers waited for this one */
    pthread_mutex_unlock(&lock->mutex);
    return error;
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    return rwlock_take(lock, false, true, NULL);
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock)
{
    return rwlock_take(lock, false, false, NULL);
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *deadline)
{
    return rwlock_take(lock, false, true, deadline);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    return rwlock_take(lock, true, true, NULL);
}

int pthread_rwlock_trywrlock(pthread_rwlock_t *lock)
{
    return rwlock_take(lock, true, false, NULL);
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *deadline)
{
    return rwlock_take(lock, true, true, deadline);
}

int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
    pthread_mutex_lock(&lock->mutex);
    lock->holders = lock->holders < 0 ? 0 : lock->holders - 1;
    pthread_cond_broadcast(&lock->changed);
    pthread_mutex_unlock(&lock->mutex);
    return 0;
}

int pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attributes)
{
    (void)attributes;
    memset(lock, 0, sizeof(*lock));
    return 0;
}

int pthread_rwlock_destroy(pthread_rwlock_t *lock)
{
    return lock->holders == 0 ? 0 : EBUSY;
}

/* ---- barriers ----------------------------------------------------------------------------------
 */

int pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attributes,
                         unsigned count)
{
    (void)attributes;
    if (count == 0)
        return EINVAL;
    memset(barrier, 0, sizeof(*barrier));
    barrier->limit = count;
    return 0;
}

int pthread_barrier_destroy(pthread_barrier_t *barrier)
{
    return barrier->waiting == 0 ? 0 : EBUSY;
}

int pthread_barrier_wait(pthread_barrier_t *barrier)
{
    int result = 0;
    unsigned round;

    pthread_mutex_lock(&barrier->mutex);
    round = barrier->round;
    if (++barrier->waiting == barrier->limit) {
        barrier->waiting = 0;
        barrier->round++;
        pthread_cond_broadcast(&barrier->changed);
        result = PTHREAD_BARRIER_SERIAL_THREAD;
    }
    while (barrier->round == round)
        pthread_cond_wait(&barrier->changed, &barrier->mutex);
    pthread_mutex_unlock(&barrier->mutex);
    return result;
}

/* ---- semaphores --------------------------------------------------------------------------------
 */

static int failure(int error)
{
    errno = error;
    return -1;
}

int sem_init(sem_t *semaphore, int shared, unsigned value)
{
    (void)shared; /* the kernel sees where it lies */
    if (value > SEM_VALUE_MAX)
        return failure(EINVAL);
    *semaphore = (sem_t){.value = value};
    return 0;
}

int sem_destroy(sem_t *semaphore)
{
    (void)semaphore;
    return 0;
}

static bool take_one(sem_t *semaphore)
{
    unsigned value = __atomic_load_n(&semaphore->value, __ATOMIC_RELAXED);

    while (value > 0) {
        if (__atomic_compare_exchange_n(&semaphore->value, &value, value - 1, false,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return true;
    }
    return false;
}

int sem_trywait(sem_t *semaphore)
{
    return take_one(semaphore) ? 0 : failure(EAGAIN);
}

int sem_timedwait(sem_t *semaphore, const struct timespec *deadline)
{
    uint64_t deadline_ns;
    int error = 0;

    if (take_one(semaphore))
        return 0;
    if (!futex_deadline(CLOCK_REALTIME, deadline, &deadline_ns))
        return failure(EINVAL);
    __atomic_fetch_add(&semaphore->waiters, 1, __ATOMIC_SEQ_CST);
    while (error == 0 && !take_one(semaphore))
        error = futex_wait(&semaphore->value, 0, deadline_ns);
    __atomic_fetch_sub(&semaphore->waiters, 1, __ATOMIC_SEQ_CST);
    return error == 0 ? 0 : failure(error);
}

int sem_wait(sem_t *semaphore)
{
    return sem_timedwait(semaphore, NULL);
}

int sem_post(sem_t *semaphore)
{
    if (__atomic_load_n(&semaphore->value, __ATOMIC_RELAXED) >= SEM_VALUE_MAX)
        return failure(EOVERFLOW);
    __atomic_fetch_add(&semaphore->value, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&semaphore->waiters, __ATOMIC_SEQ_CST) != 0)
        futex_wake(&semaphore->value, 1);
    return 0;
}

int sem_getvalue(sem_t *semaphore, int *value)
{
    *value = (int)__atomic_load_n(&semaphore->value, __ATOMIC_RELAXED);
    return 0;
}
