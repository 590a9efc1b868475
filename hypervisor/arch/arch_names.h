/* SPDX-License-Identifier: MIT */
/*
 * What people read of a processor: names of causes and registers, and what a stack tells. For the
 * console, the monitor and panic; nothing depends on it to work. Each port supplies it beside
 * arch.h.
 */
#pragma once

#include "types.h"

struct backtrace_start;
struct vcpu;

/* A short name for an entry cause, as vcpu_counts.entries is indexed. Never NULL. */
const char *arch_entry_name(u32 cause);

/* The names of the registers that a fault of Candor's own leaves to be shown, by their place; NULL
 * past the last. */
const char *arch_register_name(u32 place);

/* Where the code was, by those registers. */
void arch_registers_where(const u64 *registers, struct backtrace_start *where);

/* Where a guest was when it last entered the hypervisor. */
void arch_vcpu_where(const struct vcpu *vcpu, struct backtrace_start *where);

/* What such a fault of Candor's own comes from, as far as the address tells: a clause, or NULL. */
const char *arch_fault_hint(u64 cause, u64 value);

/* Whether the fault is the trap with which panic() reports. */
bool arch_fault_is_panic(u64 cause);

/* How many instructions this hart has executed; true under icount only, and not over a sleep. */
u64 arch_instruction_count(void);

/* The cause, as vcpu_counts.entries is indexed, that stands in a trace record (debug/trace.h). */
u32 arch_record_cause(u64 what);

/* Whether code whose last bytes are these ends with a call. */
enum { ARCH_CALL_BYTES = 4 };
bool arch_ends_with_call(const u8 bytes[ARCH_CALL_BYTES]);

/* Whether `address` may be where a call returns to: in Candor's text, behind a call instruction. */
bool arch_is_return_address(u64 address);

/* The end of Candor's stack that holds `address`; `address` itself if it lies in none. */
const u64 *arch_stack_end(const u64 *address);
