/* SPDX-License-Identifier: MIT */
/*
 * What all trap vectors share: traps of the kernel's own, and switching between threads.
 *
 * A trap in the kernel is an interrupt, or a fault in a copy to or from a user; anything else is a
 * bug. The frame goes on the stack that is in use. tp is not put back: a copy's fault may sleep,
 * and the thread may go on on another CPU.
 */
#include "trap_vector.h"

/* A kernel trap needs this much stack above the thread's structure, or the stack counts as full. */
#define STACK_RESERVE 512

    .section .text
    .global trap_from_kernel
trap_from_kernel:
    csrrw sp, sscratch, zero
    addi sp, sp, -FRAME_SIZE
    sd t0, (FRAME_X + 8 * 5)(sp)
    sd t1, (FRAME_X + 8 * 6)(sp)
    ld t0, CPU_CURRENT(tp)
    sub t0, sp, t0
    srli t1, t0, THREAD_STACK_SHIFT
    bnez t1, stack_overflow
    li t1, THREAD_SIZE + STACK_RESERVE
    bltu t0, t1, stack_overflow
    addi t0, sp, FRAME_SIZE
    sd t0, (FRAME_X + 8 * 2)(sp)
    FRAME_STORE 1, 3, 4, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17
    FRAME_STORE 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    csrr t0, sepc
    csrr t1, sstatus
    sd t0, FRAME_X(sp)
    sd t1, FRAME_STATUS(sp)
    li t2, SSTATUS_SUM_MASK
    csrc sstatus, t2
    mv a0, sp
    csrr a1, scause
    csrr a2, stval
    call trap_in_kernel
    FRAME_LOAD_STATE
    FRAME_LOAD 1, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17
    FRAME_LOAD 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ld sp, (FRAME_X + 8 * 2)(sp)
    sret

/* sp is not to be trusted: the end is told from a stack kept for that. */
stack_overflow:
    mv a0, sp
    la sp, panic_stack_top
    csrr a1, sepc
    call trap_stack_overflow

    .bss
    .balign 16
panic_stack:
    .skip 4096
panic_stack_top:

    .section .text
/* void arch_switch(struct arch_context *from, const struct arch_context *to) */
    .global arch_switch
arch_switch:
    sd ra, CONTEXT_RA(a0)
    sd sp, CONTEXT_SP(a0)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    sd s\n, (CONTEXT_S + 8 * \n)(a0)
    .endr
    ld ra, CONTEXT_RA(a1)
    ld sp, CONTEXT_SP(a1)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ld s\n, (CONTEXT_S + 8 * \n)(a1)
    .endr
    ret

/* A new thread's first step (arch_context_init): s0 is a function, s1 the way to user mode, and the
   user's frame is at sp. */
    .global arch_context_start
arch_context_start:
    jalr s0
    csrci sstatus, SSTATUS_SIE
    mv a0, sp
    call trap_finish_user
    jr s1

    .global arch_idle_spin
arch_idle_spin:
    csrsi sstatus, SSTATUS_SIE
1:  j 1b
