/* SPDX-License-Identifier: MIT */
/*
 * Spin locks with levels, and sleeping mutexes.
 *
 * A CPU takes spin locks in strictly rising order of level, so no cycle of waiting can form; builds
 * with FRANK_LOCK_CHECKS=1 check that at every acquisition. Interrupts are off on the CPU while it
 * holds a spin lock, so interrupt handlers may take any of them.
 * A mutex puts its waiters to sleep. No spin lock may be held when one is taken.
 */
#pragma once

#include "kernel/wait_queue.h"

#ifndef FRANK_LOCK_CHECKS
#define FRANK_LOCK_CHECKS 0
#endif

/* From the outermost to the innermost. */
enum lock_level {
    LOCK_FILE_TABLE = 1,
    LOCK_INODE,
    LOCK_PIPE,
    LOCK_TTY,
    LOCK_BUFFER,
    LOCK_BLOCK,
    LOCK_PROCESS,
    LOCK_MUTEX,
    LOCK_TIMER,
    LOCK_RUN_QUEUE,
    LOCK_KMALLOC,
    LOCK_PAGE,
    LOCK_CONSOLE,
};

struct spinlock {
    u32 held;   /* atomic */
    u32 holder; /* the CPU that has it, or had it last; a hint to who waits */
    u32 level;  /* enum lock_level */
    const char *name;
};

#define SPINLOCK_INITIALIZER(lock_name, lock_level) \
    {                                               \
        .level = (lock_level), .name = (lock_name)  \
    }

void spin_init(struct spinlock *lock, const char *name, enum lock_level level);

/* Any context. On return interrupts are off and stay so until the last lock is released. */
void spin_acquire(struct spinlock *lock);
void spin_release(struct spinlock *lock);

/* Whether some CPU holds it: for assertions that the caller does. */
static inline bool spin_is_held(const struct spinlock *lock)
{
    return READ_ONCE(lock->held) != 0;
}

/* Interrupts off until the matching call; these nest with each other and with spin locks. */
void interrupts_push_off(void);
void interrupts_pop(void);

enum mutex_state {
    MUTEX_FREE = 0,
    MUTEX_HELD = 1,
    MUTEX_CONTENDED = 2, /* held, and somebody may be waiting */
};

struct mutex {
    u32 state; /* atomic, enum mutex_state */
    struct spinlock lock;
    struct wait_queue waiters;
};

void mutex_init(struct mutex *mutex, const char *name);

/* Thread context, no spin lock held. Not recursive. Cannot be interrupted. */
void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

/*
 * Hold a lock from here to the end of the block, however that is left: the way to hold one wherever
 * the two ends of the stretch are in one block.
 */
#define SPIN_GUARD(lock) \
    struct spinlock *GUARD_NAME(__LINE__) CLEANUP(spin_guard_end) = spin_guard_begin(lock)
#define MUTEX_GUARD(lock) \
    struct mutex *GUARD_NAME(__LINE__) CLEANUP(mutex_guard_end) = mutex_guard_begin(lock)
#define GUARD_NAME(line) GUARD_NAME_OF(line)
#define GUARD_NAME_OF(line) guard_of_line_##line

static inline struct spinlock *spin_guard_begin(struct spinlock *lock)
{
    spin_acquire(lock);
    return lock;
}

static inline void spin_guard_end(struct spinlock **lock)
{
    spin_release(*lock);
}

static inline struct mutex *mutex_guard_begin(struct mutex *mutex)
{
    mutex_lock(mutex);
    return mutex;
}

static inline void mutex_guard_end(struct mutex **mutex)
{
    mutex_unlock(*mutex);
}
