/* SPDX-License-Identifier: MIT */
/*
 * From a system call's number to its body. The vector passes the user's argument registers on as
 * they are, and the compiler turns this into a bounds check, a table and a jump.
 */
#include "kernel/syscall.h"

#define ARGUMENTS_0
#define ARGUMENTS_1 a0
#define ARGUMENTS_2 a0, a1
#define ARGUMENTS_3 a0, a1, a2
#define ARGUMENTS_4 a0, a1, a2, a3
#define ARGUMENTS_5 a0, a1, a2, a3, a4
#define ARGUMENTS_6 a0, a1, a2, a3, a4, a5
#define DISPATCH(number, name, arguments) \
    case FRANK_SYS_##name:                \
        return sys_##name(ARGUMENTS_##arguments);

long syscall_dispatch(u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5, u64 a6, u64 number)
{
    (void)a6;
    switch (number) {
        FRANK_SYSCALLS(DISPATCH)
    default:
        return -ENOSYS;
    }
}
