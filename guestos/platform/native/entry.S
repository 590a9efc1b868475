/* SPDX-License-Identifier: MIT */
/*
 * The first instructions: from OpenSBI (S-mode, Bare, a0 = hart, a1 = device tree) to kernel_main
 * in the upper half. The map made here has everything as large pages, at its address plus the
 * direct map's offset, and the gigabyte that this code runs in at its own; sv39_init_kernel
 * replaces it.
 *
 * Every hart begins at _start: the first boots, the others, which it starts, find their idle thread
 * in native_idle_threads. (OpenSBI 1.1 says that a hart is to start before it says where: one that
 * happens to look in between begins where the first did, without the argument meant for it.)
 */
#include "asm-offsets.h"
#include "riscv.h"
#include "sv39.h"

#define GIGABYTE_SHIFT 30
#define ENTRIES_HALF 256
#define ENTRY_GIGABYTE (1 << (GIGABYTE_SHIFT - 12 + 10)) /* one gigabyte, as entries count */

/* Turn boot_root on and go on in the upper half. */
.macro GO_UP
    la t0, boot_root
    li t1, SATP_MODE_SV39
    slli t1, t1, SATP_MODE_SV39_SHIFT
    srli t2, t0, 12
    or t1, t1, t2
    sfence.vma
    csrw satp, t1

    li t1, -1
    slli t1, t1, DIRECT_MAP_SHIFT
    la t0, 1f
    add t0, t0, t1
    jr t0
1:
.endm

    .section .text.entry, "ax"
    .global _start
_start:
    csrw sie, zero
    csrci sstatus, SSTATUS_SIE
    csrw sscratch, zero
    la t0, is_booting
    li t1, 1
    amoswap.w.aqrl t1, t1, (t0)
    bnez t1, another_hart

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

    GO_UP
    la sp, kernel_boot_stack
    li t0, 1 << THREAD_STACK_SHIFT
    add sp, sp, t0
    addi sp, sp, -FRAME_SIZE        /* where a thread's frame lies */
    tail kernel_main

/* The idle thread lies at the low end of its stack. */
another_hart:
    la t0, native_idle_threads
    slli t1, a0, 3
    add t0, t0, t1
    ld s1, 0(t0)
    GO_UP
    li t0, 1 << THREAD_STACK_SHIFT
    add sp, s1, t0
    addi sp, sp, -FRAME_SIZE
    call sv39_use_kernel
    sfence.vma
    mv a0, s1
    tail cpu_main

    .data
    .balign 4
is_booting:
    .word 0

    .bss
    .balign 4096
boot_root:
    .skip 4096
    .global native_idle_threads
native_idle_threads: /* by hart, MACHINE_HART_LIMIT of them */
    .skip 64 * 8
