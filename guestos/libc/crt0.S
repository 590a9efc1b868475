/* SPDX-License-Identifier: MIT */
/*
 * Where a program begins. The kernel leaves at sp: argc, then argv's pointers and a NULL, then the
 * environment's and a NULL. No return address: the call chain ends here.
 */
    .section .text.start, "ax", @progbits
    .globl _start
    .type _start, @function
_start:
    .option push
    .option norelax
    la      gp, __global_pointer$
    .option pop
    mv      a0, sp
    li      ra, 0
    li      s0, 0
    andi    sp, sp, -16
    tail    libc_start
    .size _start, . - _start
