/* SPDX-License-Identifier: MIT */
/*
 * The core-local interruptor (SiFive CLINT): a timer compare register and a software interrupt a hart.
 * A hart's own registers may be written by any hart.
 */
#ifndef DRIVER_CLINT_H
#define DRIVER_CLINT_H

#include "types.h"

struct clint {
    uintptr_t base;
};

#define CLINT_NEVER UINT64_MAX

void clint_init(struct clint *clint, uintptr_t base);

/* Machine timer interrupt of `hart` when the time counter reaches `deadline_ticks`; CLINT_NEVER: none. */
void clint_timer_set(const struct clint *clint, u64 hart, u64 deadline_ticks);

/* Raises or lowers the machine software interrupt of `hart`. */
void clint_software_set(const struct clint *clint, u64 hart, bool raised);

/* The time counter. */
u64 clint_time(const struct clint *clint);

#endif
