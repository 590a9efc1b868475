/* SPDX-License-Identifier: MIT */
/* Each process's real-time timer, which sends SIGALRM: setitimer, and alarm in the library. */
#include "kernel/syscall.h"

/* The process may have ended, or set its alarm anew, while another CPU came here: so it is looked
   for among those that are, and the deadline is looked at again. */
static void expire(struct timer *timer)
{
    static const struct frank_siginfo info = {.signal = SIGALRM, .code = FRANK_SI_TIMER};
    u64 now = plat_time_now();
    struct process *process;
    SPIN_GUARD(&process_lock);

    list_for_each (process, &process_list, all_node) {
        if (&process->alarm != timer || !process->alarm_is_set || timer->deadline_ticks > now)
            continue;
        process->alarm_is_set = process->alarm_interval_ticks != 0;
        if (process->alarm_is_set)
            timer_start(timer, now + process->alarm_interval_ticks);
        process_signal_locked(process, &info);
    }
}

void alarm_stop_locked(struct process *process)
{
    if (process->alarm_is_set)
        timer_cancel(&process->alarm);
    process->alarm_is_set = false;
}

static void start_locked(struct process *process, const struct frank_itimer *new)
{
    process->alarm_interval_ticks = min(timer_ticks_from_ns(new->interval_ns), TIMER_NEVER / 2) +
                                    (new->interval_ns != 0);
    process->alarm_is_set = true;
    timer_init(&process->alarm, expire);
    timer_start(&process->alarm, timer_deadline(new->value_ns));
}

long sys_itimer(u64 new_address, u64 old_address)
{
    struct process *process = process_current();
    struct frank_itimer new, old = {0, 0};
    u64 now = plat_time_now();

    if (new_address != 0 && copy_from_user(&new, new_address, sizeof(new)) != 0)
        return -EFAULT;
    spin_acquire(&process_lock);
    if (process->alarm_is_set) {
        u64 end = max(process->alarm.deadline_ticks, now + 1);

        old.value_ns = max(timer_ns_from_ticks(end - now), (u64)1);
        old.interval_ns = timer_ns_from_ticks(process->alarm_interval_ticks);
    }
    if (new_address != 0) {
        alarm_stop_locked(process);
        if (new.value_ns != 0)
            start_locked(process, &new);
    }
    spin_release(&process_lock);
    return old_address != 0 ? copy_to_user(old_address, &old, sizeof(old)) : 0;
}
