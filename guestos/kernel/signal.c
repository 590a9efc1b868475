/* SPDX-License-Identifier: MIT */
/*
 * Signals: sending, taking, handlers and the way back from them. A handler runs on the thread's own
 * stack, below a frame that holds its registers; sigreturn puts back what it finds there.
 */
#include "kernel/signal.h"

#include "frank/wait.h"
#include "kernel/printk.h"
#include "kernel/process_group.h"
#include "kernel/syscall.h"
#include "kernel/wait.h"
#include "string.h"

enum signal_layout {
    SIGNAL_STACK_ALIGN = 16,
    SIGNAL_STACK_BYTES_MIN = 2048, /* newlib's MINSIGSTKSZ */
    PID_OF_INIT = 1,
};

enum signal_instructions {
    SYSTEM_CALL_BYTES = 4, /* ecall */
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

enum signal_masks {
    MASK_STOPS = 1 << SIGSTOP | 1 << SIGTSTP | 1 << SIGTTIN | 1 << SIGTTOU,
    MASK_IGNORED = 1 << SIGCHLD | 1 << SIGURG | 1 << SIGCONT | 1 << SIGWINCH, /* by default */
    MASK_ALWAYS = 1 << SIGKILL | 1 << SIGSTOP, /* neither blocked nor caught */
};

/* FRANK_SIG_DFL, FRANK_SIG_IGN or a function; a default that does nothing counts as ignoring. */
static u64 handler_of(const struct process *process, int signal)
{
    if ((process->set_actions & 1U << signal) != 0 &&
        process->actions[signal].handler != FRANK_SIG_DFL)
        return process->actions[signal].handler;
    return (MASK_IGNORED & 1U << signal) != 0 ? FRANK_SIG_IGN : FRANK_SIG_DFL;
}

static bool stops(const struct process *process, int signal)
{
    return (MASK_STOPS & 1U << signal) != 0 && handler_of(process, signal) == FRANK_SIG_DFL;
}

static bool is_blocked_by_all(const struct process *process, int signal)
{
    const struct thread *thread;

    list_for_each (thread, &process->threads, process_node)
        if ((READ_ONCE(thread->blocked_signals) & 1U << signal) == 0)
            return false;
    return true;
}

bool process_holds_off_locked(const struct process *process, int signal)
{
    return handler_of(process, signal) == FRANK_SIG_IGN || is_blocked_by_all(process, signal);
}

static void forget(struct process *process, u32 signals)
{
    struct thread *thread;

    __atomic_fetch_and(&process->pending_signals, ~signals, __ATOMIC_SEQ_CST);
    list_for_each (thread, &process->threads, process_node)
        __atomic_fetch_and(&thread->pending_signals, ~signals, __ATOMIC_SEQ_CST);
}

void process_signal_locked(struct process *process, const struct frank_siginfo *info)
{
    int signal = info->signal;
    u32 bit = 1U << signal;
    struct thread *thread;

    if ((MASK_STOPS & bit) != 0)
        forget(process, 1U << SIGCONT);
    if (signal == SIGCONT)
        forget(process, MASK_STOPS);
    if (signal == SIGCONT || signal == SIGKILL)
        process_continue_locked(process, signal == SIGCONT);
    if (handler_of(process, signal) == FRANK_SIG_IGN)
        return;
    if (stops(process, signal) && !is_blocked_by_all(process, signal)) {
        process_stop_locked(process, signal);
        return;
    }
    if ((process->pending_signals & bit) == 0)
        process->infos[signal] = *info;
    __atomic_fetch_or(&process->pending_signals, bit, __ATOMIC_SEQ_CST);
    /* A thread that blocks it goes on: it looks again when it blocks less (set_blocked). */
    list_for_each (thread, &process->threads, process_node)
        if ((READ_ONCE(thread->blocked_signals) & bit) == 0)
            thread_interrupt(thread);
}

/* The current thread blocks other signals from now on, and looks at those that it lets through. */
static void set_blocked(u32 signals)
{
    struct thread *thread = thread_current();

    WRITE_ONCE(thread->blocked_signals, signals & ~(u32)MASK_ALWAYS);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if ((thread_pending_signals(thread) & ~thread->blocked_signals) != 0)
        __atomic_fetch_or(&thread->frame->work, FRAME_WORK_SIGNAL, __ATOMIC_RELAXED);
}

/* Signal one process (0: only look). Init takes only what it has a handler for. */
static int send_locked(struct process *process, const struct frank_siginfo *info)
{
    if (info->signal == 0)
        return 0;
    if (process->pid == PID_OF_INIT && handler_of(process, info->signal) == FRANK_SIG_DFL)
        return -EPERM;
    process_signal_locked(process, info);
    return 0;
}

int process_signal_group(i32 group, const struct frank_siginfo *info)
{
    struct process *process;
    int error = -ESRCH;
    SPIN_GUARD(&process_lock);

    list_for_each (process, &process_list, all_node)
        if ((group != 0 ? process->group == group : process != process_current()) &&
            process->state == PROCESS_ALIVE && process->pid != PID_OF_INIT)
            error = send_locked(process, info);
    return error;
}

long sys_kill(u64 pid, u64 signal)
{
    struct frank_siginfo info = {.signal = (int)signal, .code = FRANK_SI_USER};
    i32 target = (i32)pid;
    struct process *process;

    if (signal >= SIGNAL_COUNT)
        return -EINVAL;
    info.pid = process_current()->pid;
    if (target == 0)
        return process_signal_group(process_current()->group, &info);
    if (target < 0 && target != INT32_MIN)
        return process_signal_group(target == -1 ? 0 : -target, &info);
    SPIN_GUARD(&process_lock);
    process = process_find_locked(target);
    return process != NULL ? send_locked(process, &info) : -ESRCH;
}

static struct thread *find_thread_locked(struct process *process, u64 number)
{
    struct thread *thread;

    list_for_each (thread, &process->threads, process_node)
        if (thread->number == number)
            return thread;
    return NULL;
}

/* What concerns the process as a whole goes to it, whichever of its threads is meant. */
long sys_thread_kill(u64 number, u64 signal)
{
    struct process *process = process_current();
    struct frank_siginfo info = {.signal = (int)signal, .code = FRANK_SI_USER, .pid = process->pid};
    struct thread *thread = thread_current();
    u32 bit = 1U << signal % SIGNAL_COUNT;

    if (signal >= SIGNAL_COUNT)
        return -EINVAL;
    SPIN_GUARD(&process_lock);
    if (number != 0 && (thread = find_thread_locked(process, number)) == NULL)
        return -ESRCH;
    if ((bit & (MASK_STOPS | 1U << SIGCONT | 1U << SIGKILL)) != 0) {
        process_signal_locked(process, &info);
    } else if (signal != 0 && handler_of(process, (int)signal) != FRANK_SIG_IGN) {
        __atomic_fetch_or(&thread->pending_signals, bit, __ATOMIC_SEQ_CST);
        if ((READ_ONCE(thread->blocked_signals) & bit) == 0)
            thread_interrupt(thread);
    }
    return 0;
}

long sys_sigaction(u64 signal, u64 action_address, u64 old_address)
{
    struct process *process = process_current();
    struct frank_sigaction action, old = {0};

    if (signal == 0 || signal >= SIGNAL_COUNT ||
        ((MASK_ALWAYS & 1U << signal) != 0 && action_address != 0))
        return -EINVAL;
    if (action_address != 0 && copy_from_user(&action, action_address, sizeof(action)) != 0)
        return -EFAULT;
    spin_acquire(&process_lock);
    if ((process->set_actions & 1U << signal) != 0)
        old = process->actions[signal];
    if (action_address != 0) {
        process->actions[signal] = action;
        process->set_actions |= 1U << signal;
        if (handler_of(process, (int)signal) == FRANK_SIG_IGN)
            forget(process, 1U << signal);
    }
    spin_release(&process_lock);
    if (old_address != 0 && copy_to_user(old_address, &old, sizeof(old)) != 0)
        return -EFAULT;
    return 0;
}

/* sigsuspend: wait with another mask. The old one comes back behind the handler (call_handler). */
static long suspend(u32 signals)
{
    struct thread *thread = thread_current();

    thread->resumed_signals = thread->blocked_signals;
    thread->resumes_signals = true;
    set_blocked(signals);
    while (thread_sleep_until(WAIT_FOREVER) == 0 || !thread_has_signal()) {
    }
    thread->restarts_call = false;
    return -EINTR;
}

long sys_sigmask(u64 how, u64 set_address, u64 old_address)
{
    u32 blocked = thread_current()->blocked_signals;
    u64 set, old = blocked;

    if (how > FRANK_SIG_PENDING)
        return -EINVAL;
    if (how == FRANK_SIG_PENDING)
        old = thread_pending_signals(thread_current()) & blocked;
    if (set_address != 0 && copy_from_user(&set, set_address, sizeof(set)) != 0)
        return -EFAULT;
    if (old_address != 0 && copy_to_user(old_address, &old, sizeof(old)) != 0)
        return -EFAULT;
    if (set_address == 0)
        return how == FRANK_SIG_SUSPEND ? -EFAULT : 0;
    if (how == FRANK_SIG_SUSPEND)
        return suspend((u32)set);
    if (how == FRANK_SIG_SETMASK)
        set_blocked((u32)set);
    else if (how != FRANK_SIG_PENDING)
        set_blocked(how == FRANK_SIG_BLOCK ? blocked | (u32)set : blocked & ~(u32)set);
    return 0;
}

static bool is_on_signal_stack(const struct thread *thread, u64 sp)
{
    return sp - thread->signal_stack - 1 < thread->signal_stack_bytes;
}

long sys_sigaltstack(u64 new_address, u64 old_address)
{
    struct thread *thread = thread_current();
    bool is_on = is_on_signal_stack(thread, thread->frame->x[REG_SP]);
    struct frank_stack new, old = {thread->signal_stack, 0, thread->signal_stack_bytes};

    old.flags = old.bytes == 0 ? FRANK_SS_DISABLE : is_on ? FRANK_SS_ONSTACK : 0;
    if (new_address != 0 && copy_from_user(&new, new_address, sizeof(new)) != 0)
        return -EFAULT;
    if (new_address != 0 && is_on)
        return -EPERM;
    if (new_address != 0 && (new.flags & ~(u64)FRANK_SS_DISABLE) != 0)
        return -EINVAL;
    if (new_address != 0 && new.flags == 0 && new.bytes < SIGNAL_STACK_BYTES_MIN)
        return -ENOMEM;
    if (old_address != 0 && copy_to_user(old_address, &old, sizeof(old)) != 0)
        return -EFAULT;
    if (new_address != 0) {
        thread->signal_stack = new.start;
        thread->signal_stack_bytes = new.flags == 0 ? new.bytes : 0;
    }
    return 0;
}

/* Push the frame and enter the handler. False: the stack cannot take it. */
static bool call_handler(struct trap_frame *frame, const struct frank_siginfo *info,
                         const struct frank_sigaction *action)
{
    struct thread *thread = thread_current();
    bool changes_stack = (action->flags & FRANK_SA_ONSTACK) != 0 &&
                         thread->signal_stack_bytes != 0 &&
                         !is_on_signal_stack(thread, frame->x[REG_SP]);
    u64 top = changes_stack ? thread->signal_stack + thread->signal_stack_bytes : frame->x[REG_SP];
    uva_t at = ALIGN_DOWN(top - sizeof(struct signal_frame), (u64)SIGNAL_STACK_ALIGN);
    uva_t context = at + offsetof(struct signal_frame, context);
    u64 words[2] = {thread->resumes_signals ? thread->resumed_signals : thread->blocked_signals,
                    false};
    u32 own = (action->flags & FRANK_SA_NODEFER) != 0 ? 0 : 1U << info->signal;

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

    thread->blocked_signals |= (own | (u32)action->mask) & ~(u32)MASK_ALWAYS;
    thread->resumes_signals = false;
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
    __atomic_fetch_or(&frame->work, FRAME_WORK_RESTORE, __ATOMIC_RELAXED);
    set_blocked((u32)words[0]);
    return (long)x[REG_A0];
}

/* What to do about a signal: as handler_of(); *action is there if that is a function. One that is
   for once is gone then. */
static u64 take_action_locked(struct process *process, int signal, struct frank_sigaction *action)
{
    u64 handler = handler_of(process, signal);

    if (handler > FRANK_SIG_IGN) {
        *action = process->actions[signal];
        if ((action->flags & FRANK_SA_RESETHAND) != 0)
            process->set_actions &= ~(1U << signal);
    }
    return handler;
}

/* Call the handler of a fault. False: there is none, or it could not be. */
static bool handle_fault(struct trap_frame *frame, const struct frank_siginfo *info)
{
    struct frank_sigaction action;
    u64 handler;

    spin_acquire(&process_lock);
    handler = take_action_locked(process_current(), info->signal, &action);
    spin_release(&process_lock);
    return handler > FRANK_SIG_IGN && call_handler(frame, info, &action);
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

    if (fault->signal != SIGKILL && !blocked && handle_fault(frame, &info))
        return;
    printk("%s[%d]: %s, address 0x%lx, pc 0x%lx\n", process->name, process->pid, fault->what,
           fault->address, fault->pc);
    process_exit(wait_status_signalled(fault->signal));
}

/* Take a pending signal that needs a handler or ends the process: its handler. 0: there is none;
   what stops the process has done so. */
static int take_signal_locked(struct process *process, struct frank_siginfo *info, u64 *handler,
                              struct frank_sigaction *action)
{
    struct thread *thread = thread_current();

    for (int signal = 1; signal < SIGNAL_COUNT; signal++) {
        u32 bit = 1U << signal;

        if ((thread_pending_signals(thread) & ~thread->blocked_signals & bit) == 0)
            continue;
        if ((__atomic_fetch_and(&thread->pending_signals, ~bit, __ATOMIC_SEQ_CST) & bit) != 0) {
            *info = (struct frank_siginfo){
                .signal = signal, .code = FRANK_SI_USER, .pid = process->pid};
        } else {
            __atomic_fetch_and(&process->pending_signals, ~bit, __ATOMIC_SEQ_CST);
            *info = process->infos[signal];
        }
        *handler = take_action_locked(process, signal, action);
        if (stops(process, signal))
            process_stop_locked(process, signal);
        else if (*handler != FRANK_SIG_IGN)
            return signal;
    }
    return 0;
}

/* The call that was interrupted, if one was, begins anew unless a handler is to know. */
static void finish_call(struct trap_frame *frame, bool restarts)
{
    struct thread *thread = thread_current();

    if (thread->restarts_call && restarts && frame->x[REG_A0] == (u64)-EINTR) {
        frame->x[REG_A0] = thread->call_a0;
        frame->x[0] -= SYSTEM_CALL_BYTES;
    }
    thread->restarts_call = false;
}

void signal_deliver(struct trap_frame *frame)
{
    struct process *process = process_current();
    struct thread *thread = thread_current();
    struct frank_sigaction action = {0};
    struct frank_siginfo info;
    u64 handler;
    int signal;

    __atomic_fetch_and(&frame->work, ~(u32)FRAME_WORK_SIGNAL, __ATOMIC_ACQ_REL);
    if (process_sheds(thread)) {
        thread_begin_exit();
        spin_acquire(&process_lock);
        process_leave_locked();
    }
    spin_acquire(&process_lock);
    signal = take_signal_locked(process, &info, &handler, &action);
    spin_release(&process_lock);
    finish_call(frame, signal == 0 || (action.flags & FRANK_SA_RESTART) != 0);
    if (signal == 0) {
        if (thread->resumes_signals) {
            thread->resumes_signals = false;
            set_blocked(thread->resumed_signals);
        }
        return;
    }
    if (handler == FRANK_SIG_DFL || !call_handler(frame, &info, &action))
        process_exit(wait_status_signalled(signal));
    /* What the handler blocks waits; the rest is looked at again before user mode. */
    if ((thread_pending_signals(thread) & ~thread->blocked_signals) != 0)
        __atomic_fetch_or(&frame->work, FRAME_WORK_SIGNAL, __ATOMIC_RELAXED);
}
