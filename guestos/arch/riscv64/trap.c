/* SPDX-License-Identifier: MIT */
/*
 * Traps, from the vectors on: which are interrupts for the platform, which are page faults for the
 * space, which are signals for the process, and which are the kernel's end.
 */
#include "trap.h"

#include "frank/errno.h"
#include "frank/signal.h"
#include "frank/signo.h"
#include "kernel/account.h"
#include "kernel/addr.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/process_group.h"
#include "kernel/signal.h"
#include "kernel/space.h"
#include "kernel/thread.h"
#include "platform.h"

struct trap_signal {
    int signal;
    const char *what;
};

/* What becomes of each synchronous trap of user mode that is not repaired. */
static const struct trap_signal trap_signals[] = {
    [CAUSE_FETCH_MISALIGNED] = {SIGBUS, "misaligned fetch"},
    [CAUSE_FETCH_ACCESS] = {SIGBUS, "fetch access fault"},
    [CAUSE_ILLEGAL] = {SIGILL, "illegal instruction"},
    [CAUSE_BREAKPOINT] = {SIGTRAP, "breakpoint"},
    [CAUSE_LOAD_MISALIGNED] = {SIGBUS, "misaligned load"},
    [CAUSE_LOAD_ACCESS] = {SIGBUS, "load access fault"},
    [CAUSE_STORE_MISALIGNED] = {SIGBUS, "misaligned store"},
    [CAUSE_STORE_ACCESS] = {SIGBUS, "store access fault"},
    [CAUSE_FETCH_PAGE] = {SIGSEGV, "fetch page fault"},
    [CAUSE_LOAD_PAGE] = {SIGSEGV, "load page fault"},
    [CAUSE_STORE_PAGE] = {SIGSEGV, "store page fault"},
};

/* The access that a page fault's cause speaks of, or PLAT_PROT_NONE for another cause. */
static u32 fault_access(u64 cause)
{
    switch (cause) {
    case CAUSE_FETCH_PAGE:
        return PLAT_PROT_EXEC;
    case CAUSE_LOAD_PAGE:
        return PLAT_PROT_READ;
    case CAUSE_STORE_PAGE:
        return PLAT_PROT_WRITE;
    default:
        return PLAT_PROT_NONE;
    }
}

static void user_fault(struct trap_frame *frame, u64 cause, u64 value)
{
    struct signal_fault fault = {.address = value, .pc = frame->x[0], .what = "unknown trap"};
    u32 access = fault_access(cause);

    fault.signal = SIGILL;
    if (cause < ARRAY_SIZE(trap_signals) && trap_signals[cause].signal != 0) {
        fault.signal = trap_signals[cause].signal;
        fault.what = trap_signals[cause].what;
    }
    if (access != PLAT_PROT_NONE) {
        switch (space_fault(process_current()->space, value, access)) {
        case 0:
            return;
        case -EFAULT:
            fault.code = FRANK_SEGV_MAPERR;
            break;
        case -EACCES:
            fault.code = FRANK_SEGV_ACCERR;
            break;
        case -ENOMEM:
            fault.signal = SIGKILL;
            fault.what = "out of memory";
            break;
        default:
            fault.signal = SIGBUS;
            fault.what = "page of a file cannot be read";
            break;
        }
    }
    signal_raise_fault(frame, &fault);
}

void trap_from_user(struct trap_frame *frame, u64 cause, u64 value)
{
    if ((cause & CAUSE_INTERRUPT) != 0) {
        plat_irq(cause & ~CAUSE_INTERRUPT);
        return;
    }
    arch_interrupts_on();
    user_fault(frame, cause, value);
    arch_interrupts_off();
}

void trap_finish_user(struct trap_frame *frame)
{
    u32 work;

    while ((work = READ_ONCE(frame->work) & ~(u32)FRAME_WORK_TIMED) != 0) {
        __atomic_fetch_and(&frame->work, ~(work & ~(u32)FRAME_WORK_SIGNAL), __ATOMIC_RELAXED);
        if ((work & FRAME_WORK_STOP) != 0) {
            arch_interrupts_on();
            process_wait_while_stopped();
            arch_interrupts_off();
        }
        if ((work & FRAME_WORK_SIGNAL) != 0) {
            arch_interrupts_on();
            signal_deliver(frame);
            arch_interrupts_off();
        }
        if ((work & FRAME_WORK_PREEMPT) != 0)
            schedule_preempt();
    }
    if (READ_ONCE(frame->work) != 0)
        account_user_begin();
}

void trap_in_kernel(struct trap_frame *frame, u64 cause, u64 value)
{
    u64 pc = frame->x[0];

    if ((cause & CAUSE_INTERRUPT) != 0) {
        plat_irq(cause & ~CAUSE_INTERRUPT);
        schedule_from_idle();
        return;
    }
    if (pc >= (u64)user_access_begin && pc < (u64)user_access_end && value < USER_TOP &&
        fault_access(cause) != PLAT_PROT_NONE) {
        struct process *process = process_current();
        int error;

        kassert(cpu_this()->interrupts_off_depth == 0);
        arch_interrupts_on();
        error = space_fault(process->space, value, fault_access(cause));
        arch_interrupts_off();
        if (error != 0)
            frame->x[0] = (u64)user_access_fault;
        return;
    }
    panic_frame(frame, "trap in the kernel: cause %lu, value 0x%lx", cause, value);
}

void trap_stack_overflow(u64 sp, u64 pc)
{
    panic("kernel stack overflow: sp 0x%lx, pc 0x%lx", sp, pc);
}
