/* SPDX-License-Identifier: MIT */
/* What the trap vectors call. Interrupts are off at each entry. */
#pragma once

#include "arch.h"
#include "types.h"

/* A trap of user mode other than a system call. `value` is the address or instruction concerned. */
void trap_from_user(struct trap_frame *frame, u64 cause, u64 value);

/* Do what the frame says is to be done before user mode. Interrupts are off again afterwards. */
void trap_finish_user(struct trap_frame *frame);

/* A trap of the kernel's own. */
void trap_in_kernel(struct trap_frame *frame, u64 cause, u64 value);

/* A kernel trap found the stack full. */
NORETURN void trap_stack_overflow(u64 sp, u64 pc);

/* Bounds of the code that touches user memory, and where it goes on after a fault (copy.S). */
extern const char user_access_begin[];
extern const char user_access_end[];
extern const char user_access_fault[];
