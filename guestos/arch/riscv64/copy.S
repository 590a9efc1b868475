/* SPDX-License-Identifier: MIT */
/*
 * Copies to and from users, and whole pages.
 *
 * User memory is touched only between user_access_begin and user_access_end, with SUM on. A fault
 * there that the space cannot repair goes on at user_access_fault, which is to the three functions
 * alike: they keep nothing on the stack. (See trap_in_kernel.)
 */
#include "asm-offsets.h"

    .section .text
    .global user_access_begin
    .global user_access_end
    .global user_access_fault

.macro USER_ACCESS_ON
    li t6, SSTATUS_SUM_MASK
    csrs sstatus, t6
.endm

.macro USER_ACCESS_OFF
    csrc sstatus, t6
.endm

user_access_begin:

/* long arch_user_copy(void *to, const void *from, size_t bytes) */
    .global arch_user_copy
arch_user_copy:
    USER_ACCESS_ON
    or t0, a0, a1
    andi t0, t0, 7
    add a2, a0, a2              /* end of destination */
    bnez t0, 3f
    addi t5, a2, -32
    bgtu a0, t5, 2f
1:  ld t0, 0(a1)
    ld t1, 8(a1)
    ld t2, 16(a1)
    ld t3, 24(a1)
    sd t0, 0(a0)
    sd t1, 8(a0)
    sd t2, 16(a0)
    sd t3, 24(a0)
    addi a1, a1, 32
    addi a0, a0, 32
    bleu a0, t5, 1b
2:  addi t5, a2, -8
    bgtu a0, t5, 3f
4:  ld t0, 0(a1)
    sd t0, 0(a0)
    addi a1, a1, 8
    addi a0, a0, 8
    bleu a0, t5, 4b
3:  bgeu a0, a2, 6f
5:  lbu t0, 0(a1)
    sb t0, 0(a0)
    addi a1, a1, 1
    addi a0, a0, 1
    bltu a0, a2, 5b
6:  USER_ACCESS_OFF
    li a0, 0
    ret

/* long arch_user_zero(void *to, size_t bytes) */
    .global arch_user_zero
arch_user_zero:
    USER_ACCESS_ON
    add a1, a0, a1
1:  bgeu a0, a1, 3f
    andi t0, a0, 7
    bnez t0, 2f
    addi t0, a0, 8
    bgtu t0, a1, 2f
    sd zero, 0(a0)
    mv a0, t0
    j 1b
2:  sb zero, 0(a0)
    addi a0, a0, 1
    j 1b
3:  USER_ACCESS_OFF
    li a0, 0
    ret

/* long arch_user_string(char *to, const void *from, size_t size) */
    .global arch_user_string
arch_user_string:
    USER_ACCESS_ON
    mv t1, a0
    add a2, a0, a2
1:  bgeu a0, a2, 2f
    lbu t0, 0(a1)
    sb t0, 0(a0)
    beqz t0, 2f
    addi a0, a0, 1
    addi a1, a1, 1
    j 1b
2:  USER_ACCESS_OFF
    sub a0, a0, t1
    ret

user_access_end:

user_access_fault:
    li t6, SSTATUS_SUM_MASK
    USER_ACCESS_OFF
    li a0, -EFAULT_NUMBER
    ret

/* void arch_page_zero(void *page) */
    .global arch_page_zero
arch_page_zero:
    li t0, 4096
    add t0, a0, t0
1:  .irp offset, 0, 32, 64, 96, 128, 160, 192, 224
    sd zero, \offset(a0)
    sd zero, (\offset + 8)(a0)
    sd zero, (\offset + 16)(a0)
    sd zero, (\offset + 24)(a0)
    .endr
    addi a0, a0, 256
    bne a0, t0, 1b
    ret

/* void arch_page_copy(void *to, const void *from) */
    .global arch_page_copy
arch_page_copy:
    li t0, 4096
    add t0, a0, t0
1:  .irp offset, 0, 32, 64, 96
    ld a2, \offset(a1)
    ld a3, (\offset + 8)(a1)
    ld a4, (\offset + 16)(a1)
    ld a5, (\offset + 24)(a1)
    sd a2, \offset(a0)
    sd a3, (\offset + 8)(a0)
    sd a4, (\offset + 16)(a0)
    sd a5, (\offset + 24)(a0)
    .endr
    addi a0, a0, 128
    addi a1, a1, 128
    bne a0, t0, 1b
    ret
