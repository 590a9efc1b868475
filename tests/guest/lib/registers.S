/* SPDX-License-Identifier: MIT */
/*
 * All integer registers at once, around a call or a while: see attacks.h. The structure's address waits in sscratch.
 */
#define OUT 256
#define KEPT 512

.macro registers_load
    addi    sp, sp, -128
    sd      ra, 0(sp)
    sd      gp, 8(sp)
    sd      tp, 16(sp)
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    sd      s\n, 24 + 8 * \n(sp)
    .endr
    sd      sp, KEPT(a0)
    csrw    sscratch, a0
    mv      x31, a0
    .irp    n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ld      x\n, 8 * \n(x31)
    .endr
.endm

.macro registers_store
    csrrw   x31, sscratch, x31
    .irp    n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    sd      x\n, OUT + 8 * \n(x31)
    .endr
    csrr    t0, sscratch
    sd      t0, OUT + 8 * 31(x31)
    csrw    sscratch, zero
    ld      sp, KEPT(x31)
    ld      ra, 0(sp)
    ld      gp, 8(sp)
    ld      tp, 16(sp)
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ld      s\n, 24 + 8 * \n(sp)
    .endr
    addi    sp, sp, 128
    ret
.endm

    .text
    .globl  registers_call
registers_call:
    registers_load
    ecall
    .globl  registers_call_end
registers_call_end:
    registers_store

    .globl  registers_spin
registers_spin:
    registers_load
1:  rdtime  x5
    bltu    x5, x6, 1b
    registers_store
