/* SPDX-License-Identifier: MIT */
/*
 * Where a test guest starts and where its traps come in.
 *
 * Entry: a0 = vCPU, a1 = start_info. The trap entry does not save: a test that expects a trap has stored where it
 * wants to go on (guest_try), and one that does not is told so and ends.
 */
#include "candor_asm.h"

    .section .text.entry, "ax"
    .globl  guest_entry
guest_entry:
    la      a0, registers_first     /* its own value is given up */
    .irp    n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    sd      x\n, 8 * \n(a0)
    .endr
    la      sp, guest_stack_top
    mv      a0, a1
    call    guest_start
1:  j       1b

/* int guest_try(void (*function)(void *), void *argument, struct guest_trap *trap)
   Calls function(argument). 0: it returned; 1: a trap ended it, which stands in *trap. */
    .text
    .globl  guest_try
guest_try:
    addi    sp, sp, -128
    sd      ra, 0(sp)
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    sd      s\n, 8 + 8 * \n(sp)
    .endr
    sd      a2, 104(sp)
    la      t0, guest_try_stack
    sd      sp, 0(t0)
    mv      t1, a0
    mv      a0, a1
    jalr    t1
    li      a0, 0
1:  la      t0, guest_try_stack
    sd      zero, 0(t0)
    ld      ra, 0(sp)
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ld      s\n, 8 + 8 * \n(sp)
    .endr
    addi    sp, sp, 128
    ret

    .balign 4
    .globl  guest_trap_entry
guest_trap_entry:
    la      t0, guest_try_stack
    ld      t1, 0(t0)
    beqz    t1, 2f
    mv      sp, t1
    ld      t2, 104(sp)
    csrr    t3, scause
    sd      t3, 0(t2)
    csrr    t3, stval
    sd      t3, 8(t2)
    csrr    t3, sepc
    sd      t3, 16(t2)
    csrr    t3, sstatus
    sd      t3, 24(t2)
    sd      a0, 32(t2)
    li      a0, 1
    j       1b
2:  la      sp, guest_trap_stack_top
    csrr    a0, scause
    csrr    a1, stval
    csrr    a2, sepc
    call    guest_unexpected_trap
3:  j       3b

/* void guest_enter_user(u64 pc, u64 stack): never returns; a trap ends it. */
    .globl  guest_enter_user
guest_enter_user:
    csrw    sepc, a0
    li      t0, 0x100               /* SPP: return to user mode */
    csrc    sstatus, t0
    mv      sp, a1
    sret

/* Floating point: all registers to and from memory. */
    .option push
    .option arch, +d
    .globl  guest_fp_load
guest_fp_load:
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    fld     f\n, 8 * \n(a0)
    .endr
    ret
    .globl  guest_fp_store
guest_fp_store:
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    fsd     f\n, 8 * \n(a0)
    .endr
    ret
    .option pop

    .section .bss
    .balign 16
    .skip   16384
guest_stack_top:
    .skip   4096
guest_trap_stack_top:
guest_try_stack:
    .skip   8
    .globl  registers_first
registers_first:
    .skip   8 * 32

/* What makes this a paravirtual image: see `image_note` in the ABI. */
    .section .note.candor, "a", @note
    .balign 4
    .word   2f - 1f
    .word   4f - 3f
    .word   CANDOR_NOTE_TYPE
1:  .asciz  CANDOR_NOTE_OWNER
2:  .balign 4
3:  .word   CANDOR_ABI_VERSION
    .word   0
    .quad   0x80000000
    .quad   0x200000
4:
