/* SPDX-License-Identifier: MIT */
/*
 * User code that jumps to its kernel's trap entry, again and again: the fault has the entry's
 * address for its pc, as has that of an entry which cannot be executed. The kernel can take it, so
 * its machine goes on.
 */
#include "guest.h"

enum { SECONDS = 4 };

static void jump_to_entry(void *argument)
{
    (void)argument;
    guest_enter_user((u64)guest_trap_entry, 0);
}

void guest_main(void)
{
    u64 until = time_now() + SECONDS * start->timebase_hz, wrong = 0;
    struct guest_trap trap;

    while (time_now() < until) {
        if (guest_try(jump_to_entry, NULL, &trap) != 1 || trap.cause != CAUSE_FETCH_FAULT ||
            trap.pc != (u64)guest_trap_entry)
            wrong++;
    }
    expect_true("each jump to the trap entry is an ordinary fault", wrong == 0);
}
