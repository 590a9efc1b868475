/* SPDX-License-Identifier: MIT */
/*
 * The system calls' bodies: long sys_NAME(u64, ...), as many arguments as frank/syscall.h says.
 * They run in the calling thread with interrupts on and no lock held, and return a result or a
 * negative errno. Arguments are raw: whoever uses one as an address does so through uaccess.h.
 */
#pragma once

#include "frank/syscall.h"
#include "kernel/process.h"
#include "kernel/uaccess.h"

#define SYSCALL_PARAMETERS_0 void
#define SYSCALL_PARAMETERS_1 u64
#define SYSCALL_PARAMETERS_2 u64, u64
#define SYSCALL_PARAMETERS_3 u64, u64, u64
#define SYSCALL_PARAMETERS_4 u64, u64, u64, u64
#define SYSCALL_PARAMETERS_5 u64, u64, u64, u64, u64
#define SYSCALL_PARAMETERS_6 u64, u64, u64, u64, u64, u64
#define SYSCALL_DECLARE(number, name, arguments) long sys_##name(SYSCALL_PARAMETERS_##arguments);
FRANK_SYSCALLS(SYSCALL_DECLARE)
#undef SYSCALL_DECLARE

/* Called by the trap vector with the user's registers as they are: a0 to a7. */
long syscall_dispatch(u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5, u64 a6, u64 number);
