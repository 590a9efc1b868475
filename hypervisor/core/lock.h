/* SPDX-License-Identifier: MIT */
/*
 * Spin locks with levels: a hart takes locks in rising order only. The order is checked at run time
 * where CONFIG_DEBUG is 1, as is that no hart waits for long or for itself. Interrupts never nest
 * in Candor, so a lock needs no masking; a lock is held for a bounded time, and never while waiting
 * for another hart's acknowledgement.
 */
#pragma once

#include "types.h"

#ifndef CONFIG_DEBUG
#define CONFIG_DEBUG 0
#endif

/* A lock of a level is taken only while all held ones are of lower levels. */
enum lock_level {
    LOCK_QUEUE = 1,   /* a hart's run queue */
    LOCK_FRAME = 2,   /* allocators and address-space identifiers */
    LOCK_CONSOLE = 3, /* what may be printed under any other */
    LOCK_LEVELS,
};

struct lock {
    u32 taken;
    u8 level; /* enum lock_level */
    const char *name;
    u32 holder; /* a hart's index plus 1; kept in debug builds */
};

#define LOCK_INIT(lock_level, lock_name) \
    {                                    \
        0, lock_level, lock_name, 0      \
    }

void lock_init(struct lock *lock, enum lock_level level, const char *name);
void lock_acquire(struct lock *lock);
void lock_release(struct lock *lock);
