/* SPDX-License-Identifier: MIT */
/*
 * The end of the machine for a fault of Candor's own (docs/faults.md). Never reachable from guest
 * input.
 */
#pragma once

#include "printf.h"

enum {
    PANIC_STATUS = 101, /* the machine's exit status */
    PANIC_TEXT_BYTES = 256,
};

/* Says why, in one line, then what panic_fault says. Takes no lock. */
NORETURN void panic(const char *format, ...) PRINTF_LIKE(1, 2);

/*
 * Reports a trap that Candor's own code took, and ends the machine: halts the other harts, shows
 * the registers, the calls, the guest that was running and its calls, the last trace records, and
 * what the other harts did. `registers` as arch_register_name names them; the cause and the value
 * (address or instruction) that came with it. The port's trap code calls it, on a stack of its
 * own, on one hart only; and again, on the same stack, when the report itself faults: that part of
 * it ends with a line and the next one begins, so it comes to an end in any case.
 */
NORETURN void panic_fault(const u64 *registers, u64 cause, u64 value);

/* Stops with a panic unless `condition` holds: for invariants of Candor's own. */
#define ASSERT(condition)                                                 \
    do {                                                                  \
        if (!(condition))                                                 \
            panic("%s:%d: not true: %s", __FILE__, __LINE__, #condition); \
    } while (0)
