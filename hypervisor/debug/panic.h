/* SPDX-License-Identifier: MIT */
/*
 * The end of the machine for a fault of Candor's own. Never reachable from guest input.
 */
#ifndef DEBUG_PANIC_H
#define DEBUG_PANIC_H

#include "printf.h"

/* Says why, dumps the registers and the calls that led here, powers off with a failing status.
 * Takes no lock. */
NORETURN void panic(const char *format, ...) PRINTF_LIKE(1, 2);

/* The same for a trap that Candor's own code took: `registers` as arch_register_name names them,
   the cause and the value (address or instruction) that came with it. The port's trap code calls
   it. */
NORETURN void panic_registers_dump(const u64 *registers, u64 cause, u64 value);

/* Stops with a panic unless `condition` holds: for invariants of Candor's own. */
#define ASSERT(condition)                                                 \
    do {                                                                  \
        if (!(condition))                                                 \
            panic("%s:%d: not true: %s", __FILE__, __LINE__, #condition); \
    } while (0)

#endif
