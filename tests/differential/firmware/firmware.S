/* SPDX-License-Identifier: MIT */
/*
 * The bare machine's firmware under the differential guest: as little as there can be between the image
 * and the hardware. Everything is delegated to S-mode but its own calls, of which there are a few of SBI
 * 2.0 (timer, IPI to itself, fences, shutdown).
 *
 * OpenSBI would do as well, but that it takes illegal instructions and access faults itself and hands
 * them on to stvec with its mode still in it, which QEMU then jumps to.
 */
#define STIMECMP 0x14d
#define MENVCFG 0x30a
#define MCOUNTEREN 0x306
#define STCE_BIT 63
#define DELEGATED_EXCEPTIONS 0xb1ff     /* all but calls from S-mode and above */
#define DELEGATED_INTERRUPTS 0x222
#define PMP_ALL 0x1f                    /* R W X, naturally aligned */
#define MPP_S 0x800
#define KERNEL 0x80200000
#define FINISHER 0x100000
#define FINISHER_PASS 0x5555
#define SSIP 2
#define ERROR_NOT_SUPPORTED -2
#define TIME 0x54494d45
#define IPI 0x735049
#define RFENCE 0x52464e43
#define SRST 0x53525354

    .section .text.entry, "ax"
    .globl  _start
_start:
    la      t0, call
    csrw    mtvec, t0
    li      t0, DELEGATED_EXCEPTIONS
    csrw    medeleg, t0
    li      t0, DELEGATED_INTERRUPTS
    csrw    mideleg, t0
    li      t0, -1
    csrw    pmpaddr0, t0
    csrw    MCOUNTEREN, t0
    csrw    STIMECMP, t0
    li      t0, PMP_ALL
    csrw    pmpcfg0, t0
    li      t0, 1
    slli    t0, t0, STCE_BIT
    csrw    MENVCFG, t0
    li      t0, MPP_S
    csrs    mstatus, t0
    li      t0, KERNEL
    csrw    mepc, t0
    mret

/* a7: extension, a6: function; a0 gets the error, a1 the value. Everything else is kept. */
    .section .text.call, "ax"
    .balign 4
call:
    csrw    mscratch, t0
    li      t0, TIME
    beq     a7, t0, time
    li      t0, IPI
    beq     a7, t0, ipi
    li      t0, RFENCE
    beq     a7, t0, fence
    li      t0, SRST
    beq     a7, t0, shutdown
    li      a0, ERROR_NOT_SUPPORTED
    li      a1, 0
    j       2f
time:
    csrw    STIMECMP, a0
    j       1f
ipi:
    csrsi   mip, SSIP
    j       1f
fence:
    fence.i
    sfence.vma
1:  li      a0, 0
    li      a1, 0
2:  csrr    t0, mepc
    addi    t0, t0, 4
    csrw    mepc, t0
    csrr    t0, mscratch
    mret

shutdown:
    li      t0, FINISHER_PASS
    li      a0, FINISHER
    sw      t0, 0(a0)
3:  j       3b
