/* SPDX-License-Identifier: MIT */
/*
 * The first instruction, the way in from a guest and the way out, and the two calls that are served here.
 *
 * A trap of a guest enters at trap_entry with mscratch = its struct vcpu. Candor itself runs with mtvec =
 * panic_entry: a trap there is a fault of its own, and is never mixed up with a guest's. Machine interrupts
 * stay off in Candor; they are taken when a guest runs, or found pending.
 */
#include "asm-offsets.h"
#include "candor_asm.h"
#include "csr.h"

#define X(n) (VCPU_X + 8 * (n))

/* ---- start ---- */

    .section .text.start, "ax"
    .globl _start
_start:
    csrw    mie, zero
    csrw    mip, zero
    la      t0, panic_entry
    csrw    mtvec, t0
    csrr    a0, mhartid
    /* The first to draw a ticket boots; tickets also number the stacks. */
    la      t0, boot_tickets
    li      t1, 1
    amoadd.w t2, t1, (t0)
    li      t3, HARTS_MAX_ASM
    bgeu    t2, t3, hart_park
    la      sp, hart_stacks
    addi    t4, t2, 1
    li      t5, HART_STACK_BYTES_ASM
    mul     t4, t4, t5
    add     sp, sp, t4
    bnez    t2, hart_wait
    la      t0, bss_start
    la      t1, bss_end
1:  sd      zero, 0(t0)
    addi    t0, t0, 8
    bltu    t0, t1, 1b
    li      s0, 0
    li      ra, 0
    call    boot_first

    /* The others sleep until the boot hart has set boot_done and sent them a software interrupt. */
hart_wait:
    li      t0, 1 << IRQ_M_SOFT
    csrw    mie, t0
1:  la      t0, boot_done
    lw      t1, 0(t0)
    bnez    t1, 2f
    wfi
    j       1b
2:  fence   r, rw
    mv      a1, t2
    li      s0, 0
    li      ra, 0
    call    boot_other

hart_park:
    wfi
    j       hart_park

    .section .data
    .balign 4
    .globl boot_tickets
boot_tickets:
    .word   0
    .globl boot_done
boot_done:
    .word   0

/* ---- records of the trace ---- */
/*
 * A record with `what` in a register; `p` and `t` are free. Storing the lower half of the place wraps the ring.
 */
.macro record_begin p, t, what
    ld      \p, VCPU_TRACE_NEXT(t6)
    csrr    \t, time
    sd      \t, RECORD_TIME(\p)
    sd      \what, RECORD_WHAT(\p)
.endm

.macro record_end p
    addi    \p, \p, RECORD_BYTES
    sh      \p, VCPU_TRACE_NEXT(t6)
.endm

/* A call that is served in assembly, or by light_call. */
.macro record_call p, t, kind, a, b
    ld      \p, VCPU_TRACE_NEXT(t6)
    csrr    \t, time
    sd      \t, RECORD_TIME(\p)
    li      \t, \kind
    sd      \t, RECORD_WHAT(\p)
    sd      \a, RECORD_A(\p)
    sd      \b, RECORD_B(\p)
    record_end \p
.endm

/* The way out; the guest's pc is in `pc`. */
.macro record_exit pc
    ld      t1, VCPU_TRACE_NEXT(t6)
    csrr    t2, time
    sd      t2, RECORD_TIME(t1)
    li      t2, RECORD_EXIT
    sd      t2, RECORD_WHAT(t1)
    sd      \pc, RECORD_A(t1)
    csrr    t2, mstatus
    sd      t2, RECORD_B(t1)
    record_end t1
.endm

/* ---- from a guest ---- */
/*
 * All paths between a guest and Candor, once for each level of the trace (debug/trace.h), so that none tests for
 * it: leaving by one of them makes its entry the trap vector. `v` ends their names.
 */

.macro store_all
    .irp    n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
    sd      x\n, X(\n)(t6)
    .endr
    csrr    t0, mscratch
    sd      t0, X(31)(t6)
    csrr    t0, mepc
    sd      t0, X(0)(t6)
.endm

.macro handle
    la      t0, panic_entry
    csrw    mtvec, t0
    mv      a0, t6
    ld      sp, VCPU_STACK(a0)
    ld      tp, VCPU_HART(a0)
    li      s0, 0
    call    trap_handle
.endm

.macro fast_return
    csrr    t5, mepc
    addi    t5, t5, 4
    csrw    mepc, t5
    li      t5, 0
    li      a0, 0
    csrrw   t6, mscratch, t6
    mret
.endm

.macro guest_paths level, v
    .text
    /* For a vCPU whose calls are none of Candor's own, or all served by C: at TRAP_ENTRY_FAST_BYTES before the other. */
    .balign 4
    .option push
    .option norvc
    .globl trap_entry_plain\v
trap_entry_plain\v:
    csrrw   t6, mscratch, t6
    sd      t5, X(30)(t6)
    j       trap_plain\v
    nop
    .option pop
    .globl trap_entry\v
trap_entry\v:
    csrrw   t6, mscratch, t6        /* t6 = vCPU; its own t6 waits in mscratch */
    sd      t5, X(30)(t6)
    csrr    t5, mcause
    xori    t5, t5, CAUSE_ECALL_S
    bnez    t5, trap_slow\v
    ld      t5, VCPU_EXTENSION(t6)
    bne     a7, t5, trap_slow\v
    /* From here on it is a call of Candor's own: t0 to t6 and a2 to a7 are given up by the caller. */
    li      t5, HC_CALL_SPACE_SWITCH
    beq     a6, t5, fast_space_switch\v
    li      t5, HC_CALL_PTE_SET
    beq     a6, t5, fast_pte_set\v
    /* Calls on tables follow; those before them may switch, or load all registers, and go the long way. */
    addi    t5, a6, -HC_CALL_TABLE_MAKE
    bltz    t5, trap_call\v

/*
 * A call of C by the C convention: what the callee keeps is not stored. The handler's result is in a0 and a1.
 */
light_call\v:
    sd      ra, X(1)(t6)
    sd      sp, X(2)(t6)
    sd      gp, X(3)(t6)
    sd      tp, X(4)(t6)
    .irp    n, 10, 11, 12, 13, 14, 15
    sd      x\n, X(\n)(t6)
    .endr
    csrr    t0, mepc
    addi    t0, t0, 4
    csrw    mepc, t0
    sd      t0, X(0)(t6)
    .if \level != LEVEL_OFF
    record_call t1, t2, RECORD_CALL, a6, a1
    .endif
    la      t0, panic_entry
    csrw    mtvec, t0
    mv      a0, t6
    mv      a1, a6
    addi    a2, t6, X(10)
    ld      sp, VCPU_STACK(t6)
    ld      tp, VCPU_HART(t6)
    call    trap_light_call
    ld      t6, HART_LOADED(tp)
    lbu     t0, HART_RESCHEDULE(tp)
    bnez    t0, light_reschedule\v
    la      t0, trap_entry\v
    csrw    mtvec, t0
    csrw    mscratch, t6
    .if \level == LEVEL_DETAIL
    csrr    t0, mepc
    record_exit t0
    .endif
    ld      ra, X(1)(t6)
    ld      sp, X(2)(t6)
    ld      gp, X(3)(t6)
    ld      tp, X(4)(t6)
    .irp    n, 12, 13, 14, 15, 16, 17, 5, 6, 7, 28, 29, 30, 31
    li      x\n, 0
    .endr
    mret

    /* Another vCPU's turn has come meanwhile: what is not stored yet is stored now. */
light_reschedule\v:
    .irp    n, 8, 9, 10, 11, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
    sd      x\n, X(\n)(t6)
    .endr
    .irp    n, 12, 13, 14, 15, 16, 17, 5, 6, 7, 28, 29, 30, 31
    sd      zero, X(\n)(t6)
    .endr
    csrr    t0, mepc
    sd      t0, X(0)(t6)
    mv      a0, tp
    call    trap_resume

    /* The return of a bounced trap has no record of its own: it would cost a bounced system call one per cent. */
trap_call\v:
    .if \level == LEVEL_ON
    addi    t5, t5, HC_CALL_TABLE_MAKE - HC_CALL_TRAP_RETURN
    beqz    t5, 1f
    addi    t5, t5, HC_CALL_TRAP_RETURN - HC_CALL_TABLE_MAKE
    .endif

    .if \level == LEVEL_OFF
trap_plain\v:
    .endif
trap_slow\v:
    store_all
    .if \level != LEVEL_OFF
    record_begin t1, t2, t5
    sd      t0, RECORD_A(t1)
    .if \level == LEVEL_DETAIL
    sd      a7, RECORD_B(t1)
    .endif
    record_end t1
    .endif
2:  handle

    /* void trap_leave(struct vcpu *): enters the guest that is loaded. */
    .globl trap_leave\v
trap_leave\v:
    mv      t6, a0
    ld      t1, VCPU_ENTRY_OFFSET(t6)
    la      t0, trap_entry_plain\v
    add     t0, t0, t1
    csrw    mtvec, t0
    ld      t0, X(0)(t6)
    csrw    mepc, t0
    csrw    mscratch, t6
    .if \level == LEVEL_DETAIL
    record_exit t0
    .endif
    .irp    n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    ld      x\n, X(\n)(t6)
    .endr
    ld      t6, X(31)(t6)
    mret

    .if \level == LEVEL_ON
1:  store_all
    j       2b
    .endif

    .if \level != LEVEL_OFF
trap_plain\v:
    csrr    t5, mcause
    xori    t5, t5, CAUSE_ECALL_S
    j       trap_slow\v
    .endif

/*
 * Calls served here: the usual cases only. Whatever is unusual goes to light_call, whose C is the reference: hc_space_switch
 * and hc_pte_set. Both work from what arch_space_remember_* left in the vCPU; a VM here has one vCPU, so nothing
 * needs a lock. Registers that held Candor's values are cleared before returning.
 */

fast_space_switch\v:                /* a0 = root */
    srli    t5, a0, 12 - 4
    andi    t5, t5, (FAST_ROOTS_COUNT - 1) << 4
    add     t5, t5, t6
    ld      t4, VCPU_ROOTS + FAST_ROOT_NAME(t5)
    bne     t4, a0, light_call\v     /* covers misalignment and what is no root */
    ld      t5, VCPU_ROOTS + FAST_ROOT_SATP(t5)
    csrw    satp, t5
    sd      t5, VCPU_SATP(t6)
    ld      t4, VCPU_COUNT_SPACE_SWITCH(t6)
    addi    t4, t4, 1
    sd      t4, VCPU_COUNT_SPACE_SWITCH(t6)
    .if \level != LEVEL_OFF
    record_call t4, t5, RECORD_CALL_FAST + HC_CALL_SPACE_SWITCH, a0, zero
    .endif
    li      t4, 0
    li      a1, 0
    fast_return

fast_pte_set\v:                       /* a0 = root, a1 = address, a2 = entry */
    srli    t4, a1, 21
    srli    t5, a0, 12
    add     t5, t5, t4
    andi    t5, t5, FAST_TABLES_COUNT - 1
    slli    t5, t5, 5
    add     t5, t5, t6
    ld      t3, VCPU_TABLES + FAST_TABLE_ROOT(t5)
    bne     t3, a0, light_call\v
    ld      t3, VCPU_TABLES + FAST_TABLE_REGION(t5)
    bne     t3, t4, light_call\v
    ld      t5, VCPU_TABLES + FAST_TABLE_TABLE(t5)
    slli    t3, a1, 52
    bnez    t3, light_call\v           /* misaligned */
    slli    t3, a1, 43
    srli    t3, t3, 52
    add     t5, t5, t3              /* t5 = where the entry stands */
    andi    t3, a2, 3
    addi    t3, t3, -3
    bnez    t3, 3f                  /* not both valid and readable */
    srli    t3, a2, 10
    ld      t4, VCPU_P2M_BASE(t6)
    sub     t3, t3, t4
    ld      t4, VCPU_P2M_COUNT(t6)
    bgeu    t3, t4, light_call\v       /* a foreign frame, or bits above it */
    ld      t4, VCPU_P2M_ENTRIES(t6)
    slli    t3, t3, 2
    add     t3, t3, t4
    lw      t3, 0(t3)
    blez    t3, light_call\v           /* of the pool, or none */
    slli    t3, t3, 10
    andi    t4, a2, 0x31f           /* without G, A, D, which ... */
    ori     t4, t4, 0xc0            /* ... Candor chooses: no hardware writes to a table */
    or      t3, t3, t4
4:  ld      a2, 0(t5)
    sd      t3, 0(t5)
    ld      t4, VCPU_COUNT_PTE_SET(t6)
    addi    t4, t4, 1
    sd      t4, VCPU_COUNT_PTE_SET(t6)
    .if \level != LEVEL_OFF
    record_call t4, t5, RECORD_CALL_FAST + HC_CALL_PTE_SET, a0, a1
    .endif
    bnez    a2, 1f
    mv      a1, a2
2:  li      t3, 0
    li      t4, 0
    fast_return

    /* There was an entry: flush its translation, and name its frame as the guest does. */
1:  sfence.vma a1
    ld      t4, VCPU_COUNT_FLUSHES(t6)
    addi    t4, t4, 1
    sd      t4, VCPU_COUNT_FLUSHES(t6)
    srli    t3, a2, 10
    slli    t3, t3, FRAME_SIZE_SHIFT
    ld      t4, VCPU_FRAME_TABLE(t6)
    add     t3, t3, t4
    lwu     t3, FRAME_GFN(t3)
    slli    t3, t3, 10
    andi    a1, a2, 0x3ff
    or      a1, a1, t3
    li      a2, 0
    j       2b

3:  li      t3, 0
    beqz    a2, 4b                  /* the entry is cleared */
    j       light_call\v
.endm

    guest_paths LEVEL_OFF
    guest_paths LEVEL_ON, _traced
    guest_paths LEVEL_DETAIL, _detailed

/* ---- faults of Candor's own ---- */
/*
 * The first hart to come here reports; another one stands still for good. A fault of the report itself comes here again, on
 * an empty stack: the report goes on with its next part (debug/panic.c), so it needs no more than that. The guest's sscratch
 * is used up: no guest runs any more.
 */

    .text
    .balign 4
    .globl panic_entry
panic_entry:
    csrw    sscratch, t5
    csrrw   t6, mscratch, t6
    la      t5, panic_taken
    li      t6, 1
    amoswap.w t6, t6, (t5)
    la      t5, panic_hart
    bnez    t6, 1f
    csrr    t6, mhartid
    sd      t6, 0(t5)
    la      t6, panic_registers
    j       2f
1:  csrr    t6, mhartid
    ld      t5, 0(t5)
    bne     t5, t6, panic_lost
    la      t6, panic_registers_nested
2:  .irp    n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
    sd      x\n, 8 * \n(t6)
    .endr
    csrr    t0, sscratch
    sd      t0, 8 * 30(t6)
    csrr    t0, mscratch
    sd      t0, 8 * 31(t6)
    csrr    t0, mepc
    sd      t0, 0(t6)
    la      sp, panic_stack_top
    mv      a0, t6
    call    trap_own

    /* A fault of this hart's too: it is counted. */
panic_lost:
    la      t5, panic_others
    li      t6, 1
    amoadd.w zero, t6, (t5)
    j       hart_park

    /* void arch_here(struct backtrace_start *): where its caller is. */
    .globl arch_here
arch_here:
    sd      ra, HERE_PC(a0)
    sd      sp, HERE_STACK(a0)
    sd      zero, HERE_LINK(a0)
    ret

    .section .bss
    .balign 16
panic_stack:
    .skip   8192
panic_stack_top:
panic_registers:
    .skip   8 * 32
panic_registers_nested:
    .skip   8 * 32
    .section .data
    .balign 8
panic_hart:
    .dword  -1
panic_taken:
    .word   0
    .globl panic_others
panic_others:
    .word   0

/* ---- floating point: all registers, for a machine switch; mstatus.FS is on ---- */

    .text
    .option push
    .option arch, +d
    .globl cpu_fp_save
cpu_fp_save:                        /* a0 = struct arch_vcpu_saved */
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    fsd     f\n, SAVED_F + 8 * \n(a0)
    .endr
    frcsr   t0
    sd      t0, SAVED_FCSR(a0)
    ret

    .globl cpu_fp_load
cpu_fp_load:
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    fld     f\n, SAVED_F + 8 * \n(a0)
    .endr
    ld      t0, SAVED_FCSR(a0)
    fscsr   t0
    ret
    .option pop
