/* SPDX-License-Identifier: MIT */
/*
 * Signals: sending, taking, handlers and the way back from them. A handler runs on the thread's own
 * stack, below a frame that holds its registers; sigreturn puts back what it finds there.
 */
#include "kernel/signal.h"

#include "arch.h"
#include "frank/errno.h"
#include "frank/wait.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/process_group.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "kernel/uaccess.h"
#include "string.h"

enum signal_layout {
    SIGNAL_STACK_ALIGN = 16,
    PID_OF_INIT = 1,
};

/* What is pushed on the user's stack. */
struct signal_frame {
    struct frank_siginfo info;
    struct frank_ucontext context;
};

/* struct frank_ucontext begins as trap_frame.x does: the pc and x1 to x31. */
_Static_assert(offsetof(struct frank_ucontext, mask) == sizeof(((struct trap_frame *)0)->x),
               "user context and trap frame agree");
_Static_assert(offsetof(struct frank_ucontext, fcsr) - offsetof(struct frank_ucontext, f) ==
                   offsetof(struct arch_fp, fcsr),
               "user context and floating-point registers agree");

enum signal_sizes {
    CONTEXT_INTEGER_BYTES = offsetof(struct frank_ucontext, f),
    CONTEXT_FP_BYTES = sizeof(struct frank_ucontext) - CONTEXT_INTEGER_BYTES,
};

/* FRANK_SIG_DFL, FRANK_SIG_IGN or a function; a default that does nothing counts as ignoring. */
static u64 handler_of(const struct process *process, int signal)
{
    if ((process->set_actions & 1U << signal) != 0 &&
        process->actions[signal].handler != FRANK_SIG_DFL)
        return process->actions[signal].handler;
    return signal == SIGCHLD ? FRANK_SIG_IGN : FRANK_SIG_DFL;
}

void process_signal_locked(struct process *process, int signal)
{
    struct thread *thread;

    if (handler_of(process, signal) == FRANK_SIG_IGN)
        return;
    __atomic_fetch_or(&process->pending_signals, 1U << signal, __ATOMIC_SEQ_CST);
    /* A thread that blocks it goes on: it looks again when it blocks less (sys_sigreturn). */
    list_for_each (thread, &process->threads, process_node)
        if ((READ_ONCE(thread->blocked_signals) & 1U << signal) == 0)
            thread_interrupt(thread);
}

/* Signal one process (0: only look). Init takes only what it has a handler for. */
static int send_locked(struct process *process, int signal)
{
    if (signal == 0)
        return 0;
    if (process->pid == PID_OF_INIT && handler_of(process, signal) == FRANK_SIG_DFL)
        return -EPERM;
    process_signal_locked(process, signal);
    return 0;
}

int process_signal_group(i32 group, int signal)
{
    struct process *process = NULL;
    int error = -ESRCH;

    spin_acquire(&process_lock);
    while ((process = process_next_locked(process)) != NULL)
        if (process->group == group && process->state == PROCESS_ALIVE &&
            process->pid != PID_OF_INIT)
            error = send_locked(process, signal);
    spin_release(&process_lock);
    return error;
}

long sys_kill(u64 pid, u64 signal)
{
    i32 target = (i32)pid;
    struct process *process;
    long error = -ESRCH;

    if (signal >= SIGNAL_COUNT)
        return -EINVAL;
    if (target == 0)
        return process_signal_group(process_current()->group, (int)signal);
    if (target < -1 && target != INT32_MIN)
        return process_signal_group(-target, (int)signal);
    spin_acquire(&process_lock);
    process = process_find_locked(target);
    if (process != NULL)
        error = send_locked(process, (int)signal);
    spin_release(&process_lock);
    return error;
}

long sys_sigaction(u64 signal, u64 action_address, u64 old_address)
{
    struct process *process = process_current();
    struct frank_sigaction action, old = {0};

    if (signal == 0 || signal >= SIGNAL_COUNT || (signal == SIGKILL && action_address != 0))
        return -EINVAL;
    if (action_address != 0 && copy_from_user(&action, action_address, sizeof(action)) != 0)
        return -EFAULT;
    spin_acquire(&process_lock);
    if ((process->set_actions & 1U << signal) != 0)
        old = process->actions[signal];
    if (action_address != 0) {
        process->actions[signal] = action;
        process->set_actions |= 1U << signal;
    }
    spin_release(&process_lock);
    if (old_address != 0 && copy_to_user(old_address, &old, sizeof(old)) != 0)
        return -EFAULT;
    return 0;
}

/* Push the frame and enter the handler. False: the stack cannot take it. */
static bool call_handler(struct trap_frame *frame, const struct frank_siginfo *info,
                         const struct frank_sigaction *action)
{
    struct thread *thread = thread_current();
    uva_t at = ALIGN_DOWN(frame->x[REG_SP] - sizeof(struct signal_frame), (u64)SIGNAL_STACK_ALIGN);
    uva_t context = at + offsetof(struct signal_frame, context);
    u64 words[2] = {thread->blocked_signals, false};

    interrupts_push_off();
    words[1] = arch_fp_save(thread);
    interrupts_pop();
    if (copy_to_user(at, info, sizeof(*info)) != 0 ||
        copy_to_user(context, frame->x, sizeof(frame->x)) != 0 ||
        copy_to_user(context + sizeof(frame->x), words, sizeof(words)) != 0)
        return false;
    if (words[1] &&
        copy_to_user(context + CONTEXT_INTEGER_BYTES, &thread->fp, CONTEXT_FP_BYTES) != 0)
        return false;

    thread->blocked_signals |= (1U << info->signal | (u32)action->mask) & ~(1U << SIGKILL);
    frame->x[0] = action->handler;
    frame->x[REG_RA] = action->restorer;
    frame->x[REG_SP] = at;
    frame->x[REG_A0] = (u64)info->signal;
    frame->x[REG_A1] = at + offsetof(struct signal_frame, info);
    frame->x[REG_A2] = context;
    return true;
}

long sys_sigreturn(void)
{
    struct thread *thread = thread_current();
    struct trap_frame *frame = thread->frame;
    uva_t context = frame->x[REG_SP] + offsetof(struct signal_frame, context);
    u64 x[REG_COUNT], words[2];

    if (copy_from_user(x, context, sizeof(x)) != 0 ||
        copy_from_user(words, context + sizeof(x), sizeof(words)) != 0 ||
        (words[1] != 0 &&
         copy_from_user(&thread->fp, context + CONTEXT_INTEGER_BYTES, CONTEXT_FP_BYTES) != 0))
        process_exit(wait_status_signalled(SIGSEGV));

    interrupts_push_off();
    if (words[1] != 0)
        arch_fp_load(thread);
    else
        arch_fp_reset(thread);
    interrupts_pop();
    memcpy(frame->x, x, sizeof(x));
    WRITE_ONCE(thread->blocked_signals, (u32)words[0] & ~(1U << SIGKILL));
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    __atomic_fetch_or(&frame->work, FRAME_WORK_RESTORE, __ATOMIC_RELAXED);
    if ((READ_ONCE(thread->process->pending_signals) & ~thread->blocked_signals) != 0)
        __atomic_fetch_or(&frame->work, FRAME_WORK_SIGNAL, __ATOMIC_RELAXED);
    return (long)x[REG_A0];
}

/* Let the process's action for a signal happen. False: it was not a handler's, or could not be. */
static bool handle(struct trap_frame *frame, const struct frank_siginfo *info)
{
    struct process *process = process_current();
    struct frank_sigaction action;
    bool has_handler;

    spin_acquire(&process_lock);
    has_handler = handler_of(process, info->signal) > FRANK_SIG_IGN;
    action = process->actions[info->signal];
    spin_release(&process_lock);
    return has_handler && call_handler(frame, info, &action);
}

void signal_raise_fault(struct trap_frame *frame, const struct signal_fault *fault)
{
    struct process *process = process_current();
    struct frank_siginfo info = {
        .signal = fault->signal,
        .code = fault->code,
        .address = fault->address,
    };
    bool blocked = (thread_current()->blocked_signals >> fault->signal & 1) != 0;

    if (fault->signal != SIGKILL && !blocked && handle(frame, &info))
        return;
    printk("%s[%d]: %s, address 0x%lx, pc 0x%lx\n", process->name, process->pid, fault->what,
           fault->address, fault->pc);
    process_exit(wait_status_signalled(fault->signal));
}

void signal_deliver(struct trap_frame *frame)
{
    struct process *process = process_current();
    u32 takeable;

    __atomic_fetch_and(&frame->work, ~(u32)FRAME_WORK_SIGNAL, __ATOMIC_ACQ_REL);
    if (process->is_ending)
        process_exit(process->exit_status);
    takeable = READ_ONCE(process->pending_signals) & ~thread_current()->blocked_signals;
    for (int signal = 1; signal < SIGNAL_COUNT && takeable >> signal != 0; signal++) {
        struct frank_siginfo info = {.signal = signal};
        u32 bit = 1U << signal;

        if ((takeable & bit) == 0 ||
            (__atomic_fetch_and(&process->pending_signals, ~bit, __ATOMIC_RELAXED) & bit) == 0)
            continue;
        if (handler_of(process, signal) == FRANK_SIG_IGN)
            continue;
        if (!handle(frame, &info))
            process_exit(wait_status_signalled(signal));
        /* What the handler blocks waits; the rest is looked at again before user mode. */
        __atomic_fetch_or(&frame->work, FRAME_WORK_SIGNAL, __ATOMIC_RELAXED);
        return;
    }
}
