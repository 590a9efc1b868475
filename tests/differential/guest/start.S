/* SPDX-License-Identifier: MIT */
/*
 * The differential guest's entry from the firmware (S-mode, Bare, a0 = hart, a1 = device tree), its trap
 * entries, and the way into a program and back. tp holds the context as long as a program runs.
 */
#include "differential-offsets.h"

    .section .text.entry, "ax"
    .globl  guest_entry
guest_entry:
    csrw    sie, zero
    la      t0, bss_start
    la      t1, bss_end
1:  sd      zero, 0(t0)
    addi    t0, t0, 8
    bltu    t0, t1, 1b
    la      sp, stack_top
    la      t0, trap_of_harness
    csrw    stvec, t0
    tail    guest_main

/* The harness itself does not trap. */
    .section .text.harness, "ax"
    .balign 4
    .globl  trap_of_harness
trap_of_harness:
    csrw    satp, zero
    csrr    a0, scause
    csrr    a1, stval
    csrr    a2, sepc
    la      sp, stack_top
    call    harness_failed
1:  j       1b

    .text
/* void context_enter(struct context *): sepc and sstatus say where and how it begins. */
    .globl  context_enter
context_enter:
    addi    sp, sp, -112
    sd      ra, 0(sp)
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    sd      s\n, 8 + 8 * \n(sp)
    .endr
    mv      tp, a0
    sd      sp, CONTEXT_SP(tp)
to_program:
    .irp    n, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ld      x\n, CONTEXT_X + 8 * \n(tp)
    .endr
    sret

/* Each in a section of its own, which the linker aligns: `.balign` behind compressed code does not. */
    .section .text.vector, "ax"
    .option push
    .option norvc
    .balign 4
    .globl  trap_vectored
trap_vectored:
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    j       trap_\n
    .endr
    .option pop

    .section .text.direct, "ax"
    .balign 4
    .globl  trap_direct
trap_direct:
    sd      t0, CONTEXT_X + 8 * 5(tp)
    li      t0, ENTRY_DIRECT_NUMBER
    j       trap_common

    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
trap_\n:
    sd      t0, CONTEXT_X + 8 * 5(tp)
    li      t0, \n
    j       trap_common
    .endr

trap_common:
    .irp    n, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    sd      x\n, CONTEXT_X + 8 * \n(tp)
    .endr
    sd      t0, CONTEXT_ENTRY(tp)
    csrr    t0, scause
    sd      t0, CONTEXT_CAUSE(tp)
    csrr    t0, sepc
    sd      t0, CONTEXT_PC(tp)
    csrr    t0, stval
    sd      t0, CONTEXT_VALUE(tp)
    csrr    t0, sstatus
    sd      t0, CONTEXT_STATUS(tp)
    csrr    t0, sip
    sd      t0, CONTEXT_PENDING(tp)
    csrr    t0, satp
    sd      t0, CONTEXT_SATP(tp)
    ld      sp, CONTEXT_SP(tp)
    mv      a0, tp
    call    trap_take
    bnez    a0, to_program
    ld      ra, 0(sp)
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ld      s\n, 8 + 8 * \n(sp)
    .endr
    addi    sp, sp, 112
    ret

    .option push
    .option arch, +d
/* void floating_load(const u64 *), void floating_store(u64 *): f0 to f7, with FS on. */
    .globl  floating_load
floating_load:
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7
    fld     f\n, 8 * \n(a0)
    .endr
    ret
    .globl  floating_store
floating_store:
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7
    fsd     f\n, 8 * \n(a0)
    .endr
    ret
    .option pop

    .section .bss
    .balign 16
    .skip   16384
stack_top:
