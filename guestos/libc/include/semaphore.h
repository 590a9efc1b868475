/* SPDX-License-Identifier: MIT */
/* Semaphores without names (POSIX). */
#ifndef FRANK_LIBC_SEMAPHORE_H
#define FRANK_LIBC_SEMAPHORE_H

#include <time.h>

typedef struct {
    unsigned value;   /* atomic */
    unsigned waiters; /* atomic */
} sem_t;

#define SEM_VALUE_MAX 0x7fffffff

int sem_init(sem_t *semaphore, int shared, unsigned value);
int sem_destroy(sem_t *semaphore);
int sem_wait(sem_t *semaphore);
int sem_trywait(sem_t *semaphore);
int sem_timedwait(sem_t *semaphore, const struct timespec *deadline);
int sem_post(sem_t *semaphore);
int sem_getvalue(sem_t *semaphore, int *value);

#endif
