/* SPDX-License-Identifier: MIT */
/*
 * Control and status registers of RISC-V (privileged specification 1.12), by name. Also for
 * assembly.
 */
#pragma once

/* Exception numbers, as in mcause, scause, medeleg. */
#define CAUSE_FETCH_MISALIGNED 0
#define CAUSE_FETCH_ACCESS 1
#define CAUSE_ILLEGAL 2
#define CAUSE_BREAKPOINT 3
#define CAUSE_LOAD_MISALIGNED 4
#define CAUSE_LOAD_ACCESS 5
#define CAUSE_STORE_MISALIGNED 6
#define CAUSE_STORE_ACCESS 7
#define CAUSE_ECALL_U 8
#define CAUSE_ECALL_S 9
#define CAUSE_ECALL_M 11
#define CAUSE_FETCH_PAGE 12
#define CAUSE_LOAD_PAGE 13
#define CAUSE_STORE_PAGE 15

/* Interrupt numbers, as in mie, mip, mideleg. */
#define IRQ_S_SOFT 1
#define IRQ_M_SOFT 3
#define IRQ_S_TIMER 5
#define IRQ_M_TIMER 7
#define IRQ_S_EXTERNAL 9
#define IRQ_M_EXTERNAL 11

#ifndef __ASSEMBLER__
#include "types.h"

#define CAUSE_INTERRUPT BIT(63)

enum {
    MSTATUS_SIE = 1 << 1,
    MSTATUS_SPIE = 1 << 5,
    MSTATUS_MPIE = 1 << 7,
    MSTATUS_SPP = 1 << 8,
    MSTATUS_MPP_SHIFT = 11,
    MSTATUS_MPP = 3 << 11,
    MSTATUS_FS = 3 << 13,
    MSTATUS_SUM = 1 << 18,
    MSTATUS_MXR = 1 << 19,
    MSTATUS_TVM = 1 << 20,
    MSTATUS_TW = 1 << 21,
    MODE_U = 0,
    MODE_S = 1,
    MODE_M = 3,
};

#define MSTATUS_UXL_64 (2UL << 32)
#define MSTATUS_UXL (3UL << 32)

/* The fields of mstatus that S may see and change (sstatus), but for UXL, which is kept at 64 bits.
 */
#define MSTATUS_GUEST_FIELDS \
    (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_FS | MSTATUS_SUM | MSTATUS_MXR)

#define MENVCFG_STCE BIT(63)
#define MENVCFG_ADUE BIT(61)

enum {
    COUNTEREN_CYCLE = 1 << 0,
    COUNTEREN_TIME = 1 << 1,
    COUNTEREN_INSTRET = 1 << 2,
    MISA_H = 1 << 7,
    MISA_V = 1 << 21,
};

#define SATP_SV39 (8UL << 60)
#define SATP_MODE (15UL << 60)
enum { SATP_ASID_SHIFT = 44 };
#define SATP_ASID_MASK 0xffffUL
#define SATP_PPN_MASK (BIT(44) - 1)

/* pmpcfg fields (3.7.1). */
enum {
    PMP_READ = 1,
    PMP_WRITE = 2,
    PMP_EXECUTE = 4,
    PMP_TOR = 1 << 3,
    PMP_NAPOT = 3 << 3,
    PMP_LOCK = 1 << 7,
    PMP_ADDRESS_SHIFT = 2,
};

#define csr_read(name)                                                       \
    ({                                                                       \
        u64 csr_value_;                                                      \
        __asm__ volatile("csrr %0, " #name : "=r"(csr_value_) : : "memory"); \
        csr_value_;                                                          \
    })
#define csr_write(name, value) \
    __asm__ volatile("csrw " #name ", %0" : : "rK"((u64)(value)) : "memory")
#define csr_set(name, bits) __asm__ volatile("csrs " #name ", %0" : : "rK"((u64)(bits)) : "memory")
#define csr_clear(name, bits) \
    __asm__ volatile("csrc " #name ", %0" : : "rK"((u64)(bits)) : "memory")
#endif
