/* SPDX-License-Identifier: MIT */
/* The threads of a process: making them, ending one or all but one. */
#include "kernel/futex.h"
#include "kernel/syscall.h"
#include "kernel/wait.h"
#include "string.h"

static void begin(void *unused)
{
    (void)unused;
}

struct thread *thread_create_like_this(void)
{
    struct thread *thread = thread_create(begin, NULL), *creator = thread_current();

    if (thread == NULL)
        return NULL;
    memcpy(thread->frame->x, creator->frame->x, sizeof(thread->frame->x));
    thread->frame->status = creator->frame->status;
    thread->blocked_signals = creator->blocked_signals;
    thread->signal_stack = creator->signal_stack;
    thread->signal_stack_bytes = creator->signal_stack_bytes;
    interrupts_push_off();
    arch_fp_copy(thread, creator);
    interrupts_pop();
    return thread;
}

/* Put a new thread into the current process. False: it takes no more. */
static bool join(struct thread *thread)
{
    struct process *process = process_current();
    SPIN_GUARD(&process_lock);

    if (process_sheds(thread_current()) || process->thread_count >= PROCESS_THREADS_MAX)
        return false;
    thread->process = process;
    thread->number = ++process->last_thread_number;
    list_push_back(&process->threads, &thread->process_node);
    process->thread_count++;
    if (process->is_stopped)
        thread->frame->work |= FRAME_WORK_STOP;
    return true;
}

long sys_thread_create(u64 pc, u64 sp, u64 tp, u64 argument)
{
    struct thread *thread = thread_create_like_this();
    u32 number;

    if (thread == NULL)
        return -EAGAIN;
    if (!join(thread)) {
        thread_wait_for_exits(); /* of those that were joined some may still be on their way out */
        if (!join(thread)) {
            thread_destroy(thread);
            return -EAGAIN;
        }
    }
    number = thread->number;
    thread->signal_stack_bytes = 0;
    thread->frame->x[0] = pc;
    thread->frame->x[REG_SP] = sp;
    thread->frame->x[REG_TP] = tp;
    thread->frame->x[REG_A0] = argument;
    thread->frame->x[REG_A1] = number;
    thread_start(thread);
    return number;
}

long sys_thread_exit(u64 word_address)
{
    thread_begin_exit();
    if (word_address != 0 && zero_user(word_address, sizeof(u32)) == 0)
        (void)futex_wake(word_address, PROCESS_THREADS_MAX); /* nobody is there to be told */
    spin_acquire(&process_lock);
    process_leave_locked();
}

int process_end_other_threads(void)
{
    struct thread *thread = thread_current(), *other;
    struct process *process = thread->process;
    SPIN_GUARD(&process_lock);

    if (process_sheds(thread))
        return -EINTR;
    process->survivor = thread;
    list_for_each (other, &process->threads, process_node)
        if (other != thread)
            thread_interrupt(other);
    while (process->thread_count > 1)
        wait_on_uninterruptible(&process->stop_wait, &process_lock);
    process->survivor = NULL;
    return 0;
}
