/* SPDX-License-Identifier: MIT */
/*
 * What newlib's <pthread.h> is made of, in place of newlib's own header of this name; sys/types.h
 * includes it. All zeros is a good initial value of every object.
 */
#ifndef _SYS__PTHREADTYPES_H_
#define _SYS__PTHREADTYPES_H_

#include <stddef.h>
#include <sys/sched.h>

/* The parts that guestos/libc has. */
#ifndef _POSIX_THREADS
#define _POSIX_THREADS 200809L
#endif
#ifndef _POSIX_TIMEOUTS
#define _POSIX_TIMEOUTS 200809L
#endif
#ifndef _POSIX_BARRIERS
#define _POSIX_BARRIERS 200809L
#endif
#ifndef _POSIX_READER_WRITER_LOCKS
#define _POSIX_READER_WRITER_LOCKS 200809L
#endif
#define _UNIX98_THREAD_MUTEX_ATTRIBUTES 1
#define _POSIX_THREAD_PROCESS_SHARED 200809L

#define PTHREAD_CREATE_DETACHED 0
#define PTHREAD_CREATE_JOINABLE 1

#define PTHREAD_PROCESS_PRIVATE 0
#define PTHREAD_PROCESS_SHARED 1

#define PTHREAD_MUTEX_NORMAL 0
#define PTHREAD_MUTEX_RECURSIVE 1
#define PTHREAD_MUTEX_ERRORCHECK 2
#define PTHREAD_MUTEX_DEFAULT PTHREAD_MUTEX_NORMAL

#define PTHREAD_STACK_MIN 4096
#define PTHREAD_KEYS_MAX 64
#define PTHREAD_DESTRUCTOR_ITERATIONS 4

typedef struct thread_block *pthread_t;

typedef struct {
    size_t stack_bytes;
    size_t guard_bytes;
    int detach_state;
} pthread_attr_t;

typedef struct {
    unsigned word; /* enum mutex_word; atomic */
    int type;
    unsigned depth; /* recursive: how often its owner has it */
    pthread_t owner;
} pthread_mutex_t;

typedef struct {
    int type;
    int shared;
} pthread_mutexattr_t;

#define _PTHREAD_MUTEX_INITIALIZER \
    {                              \
        0, 0, 0, NULL              \
    }

typedef struct {
    unsigned sequence; /* of signals; what waiters wait on; atomic */
    unsigned waiters;  /* atomic */
    int clock;         /* of deadlines; 0: CLOCK_REALTIME */
} pthread_cond_t;

typedef struct {
    int clock;
    int shared;
} pthread_condattr_t;

#define _PTHREAD_COND_INITIALIZER \
    {                             \
        0, 0, 0                   \
    }

typedef unsigned pthread_key_t;

typedef struct {
    unsigned word; /* enum once_word; atomic */
} pthread_once_t;

#define _PTHREAD_ONCE_INIT \
    {                      \
        0                  \
    }

typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned limit;
    unsigned waiting;
    unsigned round;
} pthread_barrier_t;

typedef struct {
    int shared;
} pthread_barrierattr_t;

typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int holders;     /* readers, or -1: a writer */
    unsigned queued; /* writers that wait: new readers let them go first */
} pthread_rwlock_t;

typedef struct {
    int shared;
} pthread_rwlockattr_t;

#define _PTHREAD_RWLOCK_INITIALIZER                                 \
    {                                                               \
        _PTHREAD_MUTEX_INITIALIZER, _PTHREAD_COND_INITIALIZER, 0, 0 \
    }

#endif
