/* SPDX-License-Identifier: MIT */
/*
 * The division of time into user mode and kernel: see account.h.
 *
 * The timed vector calls account_user_end, which also asks by FRAME_WORK_TIMED for
 * account_user_begin on the way back. Threads that are in the kernel when the watch begins entered
 * it by the other vector: they are asked there. Other CPUs change their vector when they are told,
 * in an interrupt, which ends a thread's stretch of user mode if the vector was the timed one.
 */
#include "kernel/account.h"

#include "kernel/process.h"

static u64 watcher_count; /* guarded by process_lock */

void account_user_end(void)
{
    struct thread *thread = thread_current();
    struct cpu *cpu = cpu_this();
    i64 now = (i64)account_clock(plat_times(cpu->number));

    if (thread->user_ticks < 0) {
        WRITE_ONCE(thread->user_ticks, thread->user_ticks + now);
        WRITE_ONCE(cpu->user_ticks, cpu->user_ticks + now);
    }
    __atomic_fetch_or(&thread->frame->work, FRAME_WORK_TIMED, __ATOMIC_RELAXED);
}

/* Somebody may watch of whom this CPU was not told yet: then this is asked for again. */
void account_user_begin(void)
{
    struct thread *thread = thread_current();
    struct cpu *cpu = cpu_this();
    i64 now = (i64)account_clock(plat_times(cpu->number));

    if (cpu->times_traps || READ_ONCE(watcher_count) == 0)
        __atomic_fetch_and(&thread->frame->work, ~(u32)FRAME_WORK_TIMED, __ATOMIC_RELAXED);
    if (cpu->times_traps) {
        WRITE_ONCE(thread->user_ticks, thread->user_ticks - now);
        WRITE_ONCE(cpu->user_ticks, cpu->user_ticks - now);
    }
}

u64 account_user_ticks(const i64 *word, u32 cpu, struct plat_times *times)
{
    i64 seen;

    do {
        seen = READ_ONCE(*word);
        *times = plat_times(cpu);
    } while (READ_ONCE(*word) != seen);
    return (u64)seen + (seen < 0 ? account_clock(*times) : 0);
}

void account_follow(void)
{
    struct cpu *cpu = cpu_this();
    bool timed = READ_ONCE(watcher_count) > 0;

    if (cpu->times_traps != timed) {
        cpu->times_traps = timed;
        plat_time_traps(timed);
    }
}

/* Somebody has begun to watch, or nobody does any more. */
static void follow_everywhere(void)
{
    account_follow();
    cpu_notify_others();
}

void account_watch_locked(struct process *process)
{
    struct thread *thread;

    if (process->watches_times)
        return;
    process->watches_times = true;
    if (watcher_count++ > 0)
        return;
    list_for_each (process, &process_list, all_node)
        list_for_each (thread, &process->threads, process_node)
            __atomic_fetch_or(&thread->frame->work, FRAME_WORK_TIMED, __ATOMIC_RELAXED);
    follow_everywhere();
}

void account_unwatch_locked(struct process *process)
{
    if (process->watches_times && --watcher_count == 0)
        follow_everywhere();
    process->watches_times = false;
}

u32 account_frame_work(void)
{
    return READ_ONCE(watcher_count) > 0 ? FRAME_WORK_TIMED : 0;
}
