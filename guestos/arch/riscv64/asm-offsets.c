/* SPDX-License-Identifier: MIT */
/* Offsets and constants that the assembly needs, taken from the structures themselves. */
#include "asm_offset.h"

#include "arch.h"
#include "frank/errno.h"
#include "kernel/thread.h"

void asm_offsets(void);

void asm_offsets(void)
{
    OFFSET(FRAME_X, struct trap_frame, x);
    OFFSET(FRAME_STATUS, struct trap_frame, status);
    OFFSET(FRAME_CPU, struct trap_frame, cpu);
    OFFSET(FRAME_WORK, struct trap_frame, work);
    SIZE(FRAME_SIZE, struct trap_frame);
    OFFSET(CPU_NUMBER, struct cpu, number);
    OFFSET(CPU_CURRENT, struct cpu, current);
    OFFSET(CONTEXT_RA, struct arch_context, ra);
    OFFSET(CONTEXT_SP, struct arch_context, sp);
    OFFSET(CONTEXT_S, struct arch_context, s);
    OFFSET(FP_F, struct arch_fp, f);
    OFFSET(FP_FCSR, struct arch_fp, fcsr);
    DEFINE(THREAD_STACK_SHIFT, __builtin_ctz(THREAD_STACK_SIZE));
    SIZE(THREAD_SIZE, struct thread);
    DEFINE(CAUSE_USER_ECALL_NUMBER, CAUSE_USER_ECALL);
    DEFINE(SSTATUS_SUM_MASK, SSTATUS_SUM);
    DEFINE(SSTATUS_FS_BITS, SSTATUS_FS_MASK);
    DEFINE(EFAULT_NUMBER, EFAULT);
    DEFINE(DIRECT_MAP_SHIFT, 38);
}
