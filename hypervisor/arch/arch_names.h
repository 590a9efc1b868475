/* SPDX-License-Identifier: MIT */
/*
 * What people read of a processor: names of causes and registers, and what a stack tells. For the
 * console, the monitor and panic; nothing depends on it to work. Each port supplies it beside
 * arch.h.
 */
#pragma once

#include "types.h"

/* A short name for an entry cause, as vcpu_counts.entries is indexed. Never NULL. */
const char *arch_entry_name(u32 cause);

/* The names of the registers that a fault of Candor's own leaves to be shown, by their place; NULL
 * past the last. */
const char *arch_register_name(u32 place);

/* Where the code was and where its stack stood, by those registers. */
void arch_registers_where(const u64 *registers, u64 *pc, u64 *stack);

/* How many instructions this hart has executed; true under icount only, and not over a sleep. */
u64 arch_instruction_count(void);

/* Whether `address` may be where a call returns to: in Candor's text, behind a call instruction. */
bool arch_is_return_address(u64 address);

/* The end of Candor's stack that holds `address`; `address` itself if it lies in none. */
const u64 *arch_stack_end(const u64 *address);
