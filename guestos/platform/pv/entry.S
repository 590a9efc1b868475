/* SPDX-License-Identifier: MIT */
/*
 * Where Candor enters the kernel: in S-mode, with translation on (the direct map), everything that is
 * not in the image zero, a0 the number of the vCPU and a1 the address of struct start_info.
 */
#include "asm-offsets.h"

    .section .text.entry, "ax"
    .global _start
_start:
    la sp, kernel_boot_stack + (1 << THREAD_STACK_SHIFT) - FRAME_SIZE /* where a thread's frame lies */
    tail kernel_main

/* Where another CPU starts: a1 is its idle thread, at the low end of its stack. */
    .global pv_start_other
pv_start_other:
    li sp, (1 << THREAD_STACK_SHIFT) - FRAME_SIZE
    add sp, sp, a1
    mv a0, a1
    tail cpu_main
