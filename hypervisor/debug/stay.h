/* SPDX-License-Identifier: MIT */
/*
 * How long a hart stays in Candor without looking at what waits for it: the longest stretch for
 * each kind of entry, in instructions. Measured where CONFIG_DEBUG is 1, read out by the monitor's
 * `stay`; true under icount on one hart, where the counter counts instructions and nothing else.
 *
 * A stretch starts where C takes over from a guest's trap, after a sleep, and after each look
 * (arch_hart_poll) while a VM is built or ended; it ends where the next one starts, where the hart
 * falls asleep and where C hands back to the guest. STAY_OUTSIDE is for the assembly around that.
 * One in which a command of the monitor made a step counts as that command's, the interrupt that
 * brought it there and all.
 */
#pragma once

#include "candor_abi.h"
#include "core/lock.h"
#include "types.h"

enum stay_kind {
    STAY_CALLS = 0,                             /* one for each call of Candor's own */
    STAY_STANDARD = STAY_CALLS + HC_CALL_COUNT, /* calls of the standard firmware interface */
    STAY_TRAPS,                                 /* other exceptions and interrupts, by cause */
    STAY_BUILDING = STAY_TRAPS + 64,
    STAY_ENDING,
    STAY_SWITCHING, /* what follows building or ending, up to the guest */
    STAY_WOKEN,     /* after a sleep */
    STAY_COMMANDS,  /* of the monitor: one for each */
    STAY_KINDS = STAY_COMMANDS + 32,

    STAY_LIMIT = 20000, /* none may be longer */
    STAY_OUTSIDE = 160, /* the way in and out, added to each stretch */
};

void stay_begin_measured(u32 kind);
void stay_is_measured(u32 kind);
void stay_end_measured(void);

/* A stretch of that kind starts here; one that has not ended does so. */
static inline void stay_begin(u32 kind)
{
    if (CONFIG_DEBUG)
        stay_begin_measured(kind);
}

/* The stretch that goes on, from its start to its end, is one of that kind: whatever else is done
 * in it counts for that too. */
static inline void stay_is(u32 kind)
{
    if (CONFIG_DEBUG)
        stay_is_measured(kind);
}

static inline void stay_end(void)
{
    if (CONFIG_DEBUG)
        stay_end_measured();
}

/* The longest of a kind so far; 0: none, or nothing is measured. */
u64 stay_longest(u32 kind);

/* A kind's name, until the next one is asked for. For the console's hart. */
const char *stay_name(u32 kind);
