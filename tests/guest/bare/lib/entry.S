/* SPDX-License-Identifier: MIT */
/*
 * Where an unmodified test guest starts and where its traps come in.
 *
 * Entry: a0 = hart, a1 = device tree. The trap entry does not return: it goes on where bare_try stands, in S-mode,
 * with interrupts off.
 */
    .section .text.entry, "ax"
    .globl  bare_entry
bare_entry:
    csrw    sscratch, a0
    la      a0, bare_registers_first    /* what the others hold at the start */
    .irp    n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    sd      x\n, 8 * \n(a0)
    .endr
    la      sp, bare_stack_top
    la      t0, bare_trap_entry
    csrw    stvec, t0
    csrr    a0, sscratch
    call    bare_start
1:  j       1b

/* int bare_try(void (*function)(void *), void *argument, struct bare_trap *trap)
   Calls function(argument). 0: it returned; 1: a trap ended it, which stands in *trap. */
    .text
    .globl  bare_try
bare_try:
    addi    sp, sp, -128
    sd      ra, 0(sp)
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    sd      s\n, 8 + 8 * \n(sp)
    .endr
    sd      a2, 104(sp)
    sd      gp, 112(sp)
    sd      tp, 120(sp)
    la      t0, bare_try_stack
    sd      sp, 0(t0)
    mv      t1, a0
    mv      a0, a1
    jalr    t1
    li      a0, 0
1:  la      t0, bare_try_stack
    sd      zero, 0(t0)
    ld      ra, 0(sp)
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ld      s\n, 8 + 8 * \n(sp)
    .endr
    ld      gp, 112(sp)
    ld      tp, 120(sp)
    addi    sp, sp, 128
    ret

/* A vectored one may come in at any of the first words. */
    .balign 256
    .globl  bare_trap_entry
bare_trap_entry:
    .option push
    .option norvc
    .rept   16
    j       2f
    .endr
    .option pop
2:  la      t0, bare_try_stack
    ld      t1, 0(t0)
    beqz    t1, 3f
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
3:  la      sp, bare_trap_stack_top
    csrr    a0, scause
    csrr    a1, stval
    csrr    a2, sepc
    call    bare_unexpected_trap
4:  j       4b

/* void bare_return(u64 pc, u64 status): sret with these bits of sstatus; a0 and a1 go along. */
    .globl  bare_return
bare_return:
    csrw    sepc, a0
    li      t0, 0x122               /* SPP, SPIE, SIE */
    csrc    sstatus, t0
    csrs    sstatus, a1
    sret

/* Code for users and kernels alike: at the address in a0 a load, a store, a jump; then a call. */
    .balign 64
    .globl  bare_user_load, bare_user_store, bare_user_jump, bare_user_end
bare_user_load:
    ld      a0, 0(a0)
    ecall
bare_user_store:
    sd      a1, 0(a0)
    ecall
bare_user_jump:
    jalr    a0
    ecall
bare_user_end:

    .option push
    .option arch, +d
    .globl  bare_fp_load, bare_fp_store
bare_fp_load:
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    fld     f\n, 8 * \n(a0)
    .endr
    ret
bare_fp_store:
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    fsd     f\n, 8 * \n(a0)
    .endr
    ret
    .option pop

    .bss
    .balign 16
    .skip   16384
bare_stack_top:
    .skip   4096
bare_trap_stack_top:
bare_try_stack:
    .skip   8
    .globl  bare_registers_first
bare_registers_first:
    .skip   8 * 32
