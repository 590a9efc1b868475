/* SPDX-License-Identifier: MIT */
/* Floating-point registers to and from a struct arch_fp. The kernel itself uses none; FS is turned
   on around each access and left on, since what user mode sees is set from its frame. */
#include "asm-offsets.h"

    .option arch, +d
    .section .text

/* void fp_store_registers(struct arch_fp *to) */
    .global fp_store_registers
fp_store_registers:
    li t0, SSTATUS_FS_BITS
    csrs sstatus, t0
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fsd f\n, (FP_F + 8 * \n)(a0)
    .endr
    frcsr t0
    sd t0, FP_FCSR(a0)
    ret

/* void fp_load_registers(const struct arch_fp *from) */
    .global fp_load_registers
fp_load_registers:
    li t0, SSTATUS_FS_BITS
    csrs sstatus, t0
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fld f\n, (FP_F + 8 * \n)(a0)
    .endr
    ld t0, FP_FCSR(a0)
    fscsr t0
    ret

/* void fp_zero_registers(void) */
    .global fp_zero_registers
fp_zero_registers:
    li t0, SSTATUS_FS_BITS
    csrs sstatus, t0
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fmv.d.x f\n, zero
    .endr
    fscsr zero
    ret
