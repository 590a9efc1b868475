/* SPDX-License-Identifier: MIT */
/*
 * The division of time into user mode and kernel: see account.h.
 *
 * A thread's stretch of user mode goes from account_user_begin to account_user_end. The timed
 * vector calls the latter, which also asks by FRAME_WORK_TIMED for the former on the way back.
 * Threads that are in the kernel when the watch begins entered it by the other vector: they are
 * asked there.
 */
#include "kernel/account.h"

#include "arch.h"
#include "kernel/process.h"
#include "kernel/thread.h"

static u64 watcher_count; /* guarded by process_lock */
static u64 watched_since; /* by account_clock(); an older beginning is of an earlier watch */

void account_user_end(void)
{
    struct thread *thread = thread_current();
    u64 now = account_clock(plat_times());

    if (thread->user_since >= watched_since) {
        thread->user_ticks += now - thread->user_since;
        cpu_this()->user_ticks += now - thread->user_since;
    }
    __atomic_fetch_or(&thread->frame->work, FRAME_WORK_TIMED, __ATOMIC_RELAXED);
}

void account_user_begin(void)
{
    struct thread *thread = thread_current();

    __atomic_fetch_and(&thread->frame->work, ~(u32)FRAME_WORK_TIMED, __ATOMIC_RELAXED);
    thread->user_since = account_clock(plat_times());
}

void account_watch_locked(struct process *process)
{
    struct thread *thread;

    if (process->watches_times)
        return;
    process->watches_times = true;
    if (watcher_count++ > 0)
        return;
    watched_since = account_clock(plat_times());
    plat_time_traps(true);
    for (process = process_next_locked(NULL); process != NULL;
         process = process_next_locked(process))
        list_for_each (thread, &process->threads, process_node)
            __atomic_fetch_or(&thread->frame->work, FRAME_WORK_TIMED, __ATOMIC_RELAXED);
}

void account_unwatch_locked(struct process *process)
{
    if (process->watches_times && --watcher_count == 0)
        plat_time_traps(false);
    process->watches_times = false;
}

u32 account_frame_work(void)
{
    return READ_ONCE(watcher_count) > 0 ? FRAME_WORK_TIMED : 0;
}

u64 account_user_ticks(void)
{
    return READ_ONCE(cpu_this()->user_ticks);
}
