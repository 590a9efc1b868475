/* SPDX-License-Identifier: MIT */
/*
 * A trap entry that cannot be executed: the fetch faults into the same entry for ever, without
 * entering Candor. Found at the tick and ended. args: `register` a data page by call, or write
 * `stvec`.
 */
#include "guest.h"

#include "string.h"

void guest_main(void)
{
    if (strcmp(start->args, "register") == 0) {
        /* A data page of the direct map: the call may refuse it, which is as good. */
        struct hc_result r = candor_trap_register((u64)gpa_to_pointer(take_page()),
                                                  1 << CAUSE_FETCH_FAULT | 1 << CAUSE_LOAD_FAULT);
        if (r.error != HC_OK) {
            pass("a trap entry that cannot be executed is refused");
            return;
        }
    } else {
        __asm__ volatile("csrw stvec, %0" : : "r"(0x1000UL));
    }
    guest_expect_end("its trap entry is dead");
    (void)*(volatile u64 *)0x2000;
    fail("a dead trap entry", "the fault was lost");
}
