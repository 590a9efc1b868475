/* SPDX-License-Identifier: MIT */
/*
 * Names of Candor's functions, and the calls that a stack holds.
 *
 * Candor keeps no frame pointers, which would cost up to 8 % of a bounced call. The build makes a
 * table of what the compiler knows: for each instruction how large its frame is and where the
 * return address is kept (symbols.h). So calls are followed exactly, from any instruction on, and
 * no stale one is among them.
 */
#pragma once

#include "types.h"

enum { BACKTRACE_CALLS_MAX = 32 };

/* Where a hart was, by its registers. */
struct backtrace_start {
    u64 pc;
    u64 stack; /* stack pointer */
    u64 link;  /* the register of return addresses */
};

/* The function that `address` lies in, and how far; "?" for an address outside Candor's text. */
const char *symbol_find(u64 address, u64 *offset);

/*
 * Calls `each` for the place where the hart was, then for each call that led there, the innermost
 * first: at most BACKTRACE_CALLS_MAX, and nothing outside of the hart's own stack is read. A jump
 * to where no code is counts as a call of it.
 */
void backtrace_each(const struct backtrace_start *start,
                    void (*each)(void *context, u64 address, const char *name, u64 offset),
                    void *context);
