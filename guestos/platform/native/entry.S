/* SPDX-License-Identifier: MIT */
/*
 * The first instructions: from OpenSBI (S-mode, Bare, a0 = hart, a1 = device tree) to kernel_main
 * in the upper half. The map made here has everything as large pages, at its address plus the
 * direct map's offset, and the gigabyte that this code runs in at its own; sv39_init_kernel
 * replaces it.
 */
#include "asm-offsets.h"
#include "riscv.h"
#include "sv39.h"

#define GIGABYTE_SHIFT 30
#define ENTRIES_HALF 256
#define ENTRY_GIGABYTE (1 << (GIGABYTE_SHIFT - 12 + 10)) /* one gigabyte, as entries count */

    .section .text.entry, "ax"
    .global _start
_start:
    csrw sie, zero
    csrci sstatus, SSTATUS_SIE
    csrw sscratch, zero

    la t0, kernel_bss_start
    la t1, kernel_end
1:  sd zero, 0(t0)
    addi t0, t0, 8
    bltu t0, t1, 1b

    la t0, boot_root
    li t1, ENTRIES_HALF
    slli t2, t1, 3
    add t2, t2, t0                  /* the upper half of the root */
    li t3, PTE_KERNEL_LEAF_ALL
    li t4, ENTRY_GIGABYTE
2:  sd t3, 0(t2)
    add t3, t3, t4
    addi t2, t2, 8
    addi t1, t1, -1
    bnez t1, 2b

    srli t1, t0, GIGABYTE_SHIFT
    slli t2, t1, 3
    add t2, t2, t0
    li t3, ENTRY_GIGABYTE
    mul t3, t3, t1
    ori t3, t3, PTE_KERNEL_LEAF_ALL
    sd t3, 0(t2)

    li t1, SATP_MODE_SV39
    slli t1, t1, SATP_MODE_SV39_SHIFT
    srli t2, t0, 12
    or t1, t1, t2
    sfence.vma
    csrw satp, t1

    li t1, -1
    slli t1, t1, DIRECT_MAP_SHIFT
    la t0, 3f
    add t0, t0, t1
    jr t0
3:  la sp, kernel_boot_stack
    li t0, 1 << THREAD_STACK_SHIFT
    add sp, sp, t0
    addi sp, sp, -FRAME_SIZE        /* where a thread's frame lies */
    tail kernel_main

    .bss
    .balign 4096
boot_root:
    .skip 4096
