/* SPDX-License-Identifier: MIT */
/*
 * The trap vector, for assembly. TRAP_VECTOR name, timed, user_return makes `name`, for stvec, and
 * `name_return`, the way from a complete trap frame (sp points to it, interrupts off) to user mode.
 * Only the last step to user mode differs between platforms: it is the macro or instruction
 * `user_return`, reached with every register already the user's. So each platform instantiates the
 * vectors it needs and none of them tests for another.
 *
 * A timed vector notes when user mode ended (account_user_end) before it does anything else; when
 * user mode begins again is noted by trap_finish_user, to which the frame's work then leads.
 *
 * sscratch holds the address of the thread's frame while user mode runs, and 0 in the kernel.
 *
 * A system call is the quick way through: C functions preserve s0 to s11, so they are saved (fork
 * and signals need the whole frame) but not loaded again, unless the frame says that there is work.
 */
#pragma once

#include "asm-offsets.h"
#include "riscv.h"

/* Store, or load, the numbered registers in the frame at sp. */
.macro FRAME_STORE registers:vararg
    .irp n, \registers
    sd x\n, (FRAME_X + 8 * \n)(sp)
    .endr
.endm

.macro FRAME_LOAD registers:vararg
    .irp n, \registers
    ld x\n, (FRAME_X + 8 * \n)(sp)
    .endr
.endm

/* pc (in the slot of x0) and status from the frame into the processor. */
.macro FRAME_LOAD_STATE
    ld t0, FRAME_X(sp)
    ld t1, FRAME_STATUS(sp)
    csrw sepc, t0
    csrw sstatus, t1
.endm

.macro TRAP_VECTOR name, timed, user_return:vararg
    .section .text
    .balign 64
    .global \name
\name:
    csrrw sp, sscratch, sp
    beqz sp, trap_from_kernel
    FRAME_STORE 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17
    FRAME_STORE 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    csrrw t0, sscratch, zero
    csrr t1, sepc
    csrr t2, sstatus
    csrr t3, scause
    ld tp, FRAME_CPU(sp)
    sd t0, (FRAME_X + 8 * 2)(sp)
    sd t2, FRAME_STATUS(sp)
    .if \timed
    call account_user_end
    FRAME_LOAD 10, 11, 12, 13, 14, 15, 16, 17
    csrr t1, sepc
    csrr t3, scause
    .endif
    li t4, CAUSE_USER_ECALL_NUMBER
    bne t3, t4, 1f

    addi t1, t1, 4
    sd t1, FRAME_X(sp)
    csrsi sstatus, SSTATUS_SIE
    call syscall_dispatch
    csrci sstatus, SSTATUS_SIE
    lw t0, FRAME_WORK(sp)
    bnez t0, 2f
    FRAME_LOAD_STATE
    FRAME_LOAD 1, 3, 4, 5, 6, 7, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31
    csrw sscratch, sp
    ld sp, (FRAME_X + 8 * 2)(sp)
    \user_return

1:  sd t1, FRAME_X(sp)
    mv a0, sp
    mv a1, t3
    csrr a2, stval
    call trap_from_user
    j 3f
2:  sd a0, (FRAME_X + 8 * 10)(sp)
3:  mv a0, sp
    call trap_finish_user

    .global \name\()_return
\name\()_return:
    FRAME_LOAD_STATE
    FRAME_LOAD 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17
    FRAME_LOAD 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    csrw sscratch, sp
    ld sp, (FRAME_X + 8 * 2)(sp)
    \user_return
.endm
