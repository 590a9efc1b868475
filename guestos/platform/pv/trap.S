/* SPDX-License-Identifier: MIT */
/*
 * The trap vectors of a guest. One returns to users by sret; the other, for when Candor bounces their
 * traps, by the hypercall trap_return, which finds the two registers it is made with, a6 and a7, in the
 * shared page: they are still in the trap frame, to which sscratch points.
 */
#include "candor_asm.h"
#include "trap_vector.h"

.macro RETURN_BY_HYPERCALL
    csrrw sp, sscratch, sp
    ld a6, FRAME_CPU(sp)
    lw a6, CPU_NUMBER(a6)
    slli a6, a6, 12                 /* a page for each CPU */
    la a7, pv_shared_pages
    add a7, a7, a6
    ld a6, (FRAME_X + 8 * 16)(sp)
    sd a6, SHARED_PAGE_RETURN_A6(a7)
    ld a6, (FRAME_X + 8 * 17)(sp)
    sd a6, SHARED_PAGE_RETURN_A7(a7)
    csrrw sp, sscratch, sp
    li a6, HC_CALL_TRAP_RETURN
    li a7, CANDOR_EXTENSION
    ecall
.endm

    TRAP_VECTOR pv_trap_direct, 0, sret
    TRAP_VECTOR pv_trap_direct_timed, 1, sret
    TRAP_VECTOR pv_trap_bounced, 0, RETURN_BY_HYPERCALL
    TRAP_VECTOR pv_trap_bounced_timed, 1, RETURN_BY_HYPERCALL
