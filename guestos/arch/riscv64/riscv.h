/* SPDX-License-Identifier: MIT */
/* Control and status registers, causes and instructions of supervisor mode (RISC-V privileged
   specification 1.12, chapter 4), by their names. C and assembly. */
#pragma once

#define SSTATUS_SIE_BIT 1
#define SSTATUS_SIE (1 << SSTATUS_SIE_BIT)

#ifndef __ASSEMBLER__

#include "types.h"

enum sstatus_bits {
    SSTATUS_SPIE = 1 << 5,
    SSTATUS_SPP = 1 << 8,
    SSTATUS_FS_SHIFT = 13,
    SSTATUS_FS_INITIAL = 1 << SSTATUS_FS_SHIFT,
    SSTATUS_FS_CLEAN = 2 << SSTATUS_FS_SHIFT,
    SSTATUS_FS_DIRTY = 3 << SSTATUS_FS_SHIFT,
    SSTATUS_FS_MASK = 3 << SSTATUS_FS_SHIFT,
    SSTATUS_SUM = 1 << 18,
};

/* Users may read cycle, time and instret. */
enum scounteren_bits {
    SCOUNTEREN_ALL = 7,
};

#define SSTATUS_UXL_64 (2UL << 32)

enum trap_cause {
    CAUSE_FETCH_MISALIGNED = 0,
    CAUSE_FETCH_ACCESS = 1,
    CAUSE_ILLEGAL = 2,
    CAUSE_BREAKPOINT = 3,
    CAUSE_LOAD_MISALIGNED = 4,
    CAUSE_LOAD_ACCESS = 5,
    CAUSE_STORE_MISALIGNED = 6,
    CAUSE_STORE_ACCESS = 7,
    CAUSE_USER_ECALL = 8,
    CAUSE_FETCH_PAGE = 12,
    CAUSE_LOAD_PAGE = 13,
    CAUSE_STORE_PAGE = 15,
};

#define CAUSE_INTERRUPT (1UL << 63)

enum interrupt_number {
    IRQ_SOFTWARE = 1,
    IRQ_TIMER = 5,
    IRQ_EXTERNAL = 9,
};

/* The registers by name, or by a macro that expands to a number. */
#define CSR_STIMECMP 0x14d /* Sstc, which this assembler does not know */

#define CSR_TEXT_(name) #name
#define CSR_TEXT(name) CSR_TEXT_(name)

/* Counters that user mode may read, in scounteren: cycle, time and instret. */
#define SCOUNTEREN_BASE 7

#define csr_read(name)                                                   \
    ({                                                                   \
        u64 csr_value_;                                                  \
        __asm__ volatile("csrr %0, " CSR_TEXT(name) : "=r"(csr_value_)); \
        csr_value_;                                                      \
    })

#define csr_write(name, value) \
    ({ __asm__ volatile("csrw " CSR_TEXT(name) ", %0" : : "rK"((u64)(value)) : "memory"); })

#define csr_set(name, bits) \
    ({ __asm__ volatile("csrs " CSR_TEXT(name) ", %0" : : "rK"((u64)(bits)) : "memory"); })

#define csr_clear(name, bits) \
    ({ __asm__ volatile("csrc " CSR_TEXT(name) ", %0" : : "rK"((u64)(bits)) : "memory"); })

#define csr_read_clear(name, bits)                          \
    ({                                                      \
        u64 csr_value_;                                     \
        __asm__ volatile("csrrc %0, " CSR_TEXT(name) ", %1" \
                         : "=r"(csr_value_)                 \
                         : "rK"((u64)(bits))                \
                         : "memory");                       \
        csr_value_;                                         \
    })

#endif
