/* SPDX-License-Identifier: MIT */
/*
 * Calling the kernel: number in a7, arguments in a0 to a5, result in a0. All other registers are
 * kept. A result from -4095 to -1 is a negative error number.
 */
#pragma once

#include <errno.h>
#include <reent.h>

#include "frank/syscall.h"

static inline long system_call(enum frank_syscall number, long a, long b, long c)
{
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    register long a7 __asm__("a7") = number;

    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return a0;
}

static inline long system_call_6(enum frank_syscall number, long a, long b, long c, long d, long e,
                                 long f)
{
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    register long a3 __asm__("a3") = d;
    register long a4 __asm__("a4") = e;
    register long a5 __asm__("a5") = f;
    register long a7 __asm__("a7") = number;

    __asm__ volatile("ecall"
                     : "+r"(a0)
                     : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7)
                     : "memory");
    return a0;
}

enum { SYSTEM_CALL_ERROR_MAX = 4095 };

static inline int system_call_failed(long result)
{
    return (unsigned long)result >= (unsigned long)-SYSTEM_CALL_ERROR_MAX;
}

/* The result as POSIX functions give it: -1 and the error in this thread's errno. */
static inline long system_call_result(struct _reent *reent, long result)
{
    if (!system_call_failed(result))
        return result;
    __errno_r(reent) = (int)-result;
    return -1;
}
