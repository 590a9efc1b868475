/* SPDX-License-Identifier: MIT */
/* Calls into the firmware or, under a hypervisor, what stands in for it (SBI specification 2.0). */
#pragma once

#include "types.h"

enum sbi_extension {
    SBI_TIME = 0x54494d45, /* timer, chapter 6 */
    SBI_IPI = 0x735049,    /* interrupts between harts, chapter 7 */
    SBI_RFNC = 0x52464e43, /* remote fences, chapter 8 */
    SBI_HSM = 0x48534d,    /* hart states, chapter 9 */
    SBI_SRST = 0x53525354, /* system reset, chapter 10 */
    SBI_DBCN = 0x4442434e, /* debug console, chapter 12 */
};

enum { SBI_TIME_SET = 0 };  /* its argument: when */
enum { SBI_IPI_SEND = 0 };  /* a mask of harts, the hart of its first bit */
enum { SBI_HSM_START = 0 }; /* hart, physical address, what it finds in a1 */

enum sbi_rfnc {
    SBI_RFNC_FENCE_I = 0,    /* as SBI_IPI_SEND; returns when all have done it */
    SBI_RFNC_SFENCE_VMA = 1, /* the same, from an address on, bytes; of all ASIDs */
};

enum sbi_srst {
    SBI_SRST_RESET = 0,
    SBI_SRST_SHUTDOWN = 0, /* its argument: the type */
    SBI_SRST_COLD_REBOOT = 1,
    SBI_SRST_NO_REASON = 0, /* the next argument */
    SBI_SRST_FAILURE = 1,
};

enum sbi_dbcn {
    SBI_DBCN_WRITE = 0, /* bytes, physical address, its upper half: how many were written */
    SBI_DBCN_READ = 1,  /* the same: how many were read */
};

struct sbi_result {
    i64 error; /* 0 or negative */
    u64 value;
};

static inline struct sbi_result sbi_call_4(enum sbi_extension extension, u64 function,
                                           u64 argument0, u64 argument1, u64 argument2,
                                           u64 argument3)
{
    register u64 a0 __asm__("a0") = argument0;
    register u64 a1 __asm__("a1") = argument1;
    register u64 a2 __asm__("a2") = argument2;
    register u64 a3 __asm__("a3") = argument3;
    register u64 a6 __asm__("a6") = function;
    register u64 a7 __asm__("a7") = extension;

    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a6), "r"(a7) : "memory");
    return (struct sbi_result){(i64)a0, a1};
}

static inline struct sbi_result sbi_call(enum sbi_extension extension, u64 function, u64 argument0,
                                         u64 argument1)
{
    return sbi_call_4(extension, function, argument0, argument1, 0, 0);
}
