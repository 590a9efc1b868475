/* SPDX-License-Identifier: MIT */
/* Sleeping on a word, for all that waits in the library. frank/futex.h has the call. */
#pragma once

#include <limits.h>
#include <stdint.h>
#include <time.h>

#include "frank/futex.h"
#include "system_call.h"

/* Sleep while the word has the value: 0 (look again), ETIMEDOUT or EINTR. */
static inline int futex_wait(unsigned *word, unsigned value, uint64_t deadline_ns)
{
    long result = system_call_6(FRANK_SYS_futex, (long)word, FRANK_FUTEX_WAIT, value,
                                (long)deadline_ns, 0, 0);

    return result == -ETIMEDOUT || result == -EINTR ? (int)-result : 0;
}

static inline void futex_wake(unsigned *word, int count)
{
    (void)system_call_6(FRANK_SYS_futex, (long)word, FRANK_FUTEX_WAKE, count, 0, 0, 0);
}

/* The kernel's deadline for a time of a clock; NULL: none. False: that is no time. */
int futex_deadline(clockid_t clock, const struct timespec *time, uint64_t *deadline_ns);
