/* SPDX-License-Identifier: MIT */
/*
 * Names of Candor's functions, and the calls that a stack holds.
 *
 * The names come from a table that the build makes of the linked image and links in again behind
 * everything else. Candor keeps no frame pointers: every word of the stack that is a return address
 * is shown, so a stale one can be among them.
 */
#ifndef DEBUG_BACKTRACE_H
#define DEBUG_BACKTRACE_H

#include "types.h"

/* The function that `address` lies in, and how far; "?" for an address outside Candor's text. */
const char *symbol_find(u64 address, u64 *offset);

/* Calls `each` for every return address found from `stack` upward: a bounded number of words. */
void backtrace_each(const u64 *stack,
                    void (*each)(void *context, u64 address, const char *name, u64 offset),
                    void *context);

#endif
