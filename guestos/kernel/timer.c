/* SPDX-License-Identifier: MIT */
/*
 * Timers and the end of slices, multiplexed on the machine's one timer. Lock level LOCK_TIMER.
 *
 * The machine's timer is moved only when something earlier comes up, or when the CPU goes idle: an
 * interrupt that turns out to be for nobody is cheaper than setting the timer at every switch.
 */
#include "kernel/timer.h"

#include "kernel/main.h"
#include "kernel/thread.h"

enum timer_units {
    NS_PER_SECOND = 1000000000,
};

static u64 timebase_hz;

void timer_set_timebase(u64 hz)
{
    timebase_hz = hz;
}

void timer_init(struct timer *timer, void (*expire)(struct timer *timer))
{
    list_init(&timer->node);
    timer->cpu = NULL;
    timer->expire = expire;
}

static u64 first_deadline_locked(const struct cpu *cpu)
{
    if (list_empty(&cpu->timers))
        return TIMER_NEVER;
    return list_entry(cpu->timers.next, struct timer, node)->deadline_ticks;
}

/* Another CPU may be cancelling one. */
static u64 first_deadline(struct cpu *cpu)
{
    SPIN_GUARD(&cpu->timer_lock);
    return first_deadline_locked(cpu);
}

static void program_by(struct cpu *cpu, u64 deadline_ticks)
{
    if (deadline_ticks < cpu->timer_programmed_ticks) {
        cpu->timer_programmed_ticks = deadline_ticks;
        plat_timer_set(deadline_ticks);
    }
}

void timer_start(struct timer *timer, u64 deadline_ticks)
{
    struct cpu *cpu;
    struct timer *other;

    interrupts_push_off();
    cpu = cpu_this();
    spin_acquire(&cpu->timer_lock);
    timer->cpu = cpu;
    timer->deadline_ticks = deadline_ticks;
    list_for_each (other, &cpu->timers, node)
        if (other->deadline_ticks > deadline_ticks)
            break;
    list_insert_before(&other->node, &timer->node);
    program_by(cpu, deadline_ticks);
    spin_release(&cpu->timer_lock);
    interrupts_pop();
}

void timer_cancel(struct timer *timer)
{
    struct cpu *cpu = timer->cpu;

    if (cpu == NULL)
        return;
    SPIN_GUARD(&cpu->timer_lock);
    list_remove(&timer->node);
}

void timer_finish(struct timer *timer)
{
    timer_cancel(timer);
    while (timer->cpu != NULL && __atomic_load_n(&timer->cpu->expiring, __ATOMIC_ACQUIRE) == timer)
        arch_relax();
}

void timer_begin_slice(struct cpu *cpu, u64 end_ticks)
{
    cpu->slice_end_ticks = end_ticks;
    if (end_ticks != TIMER_NEVER)
        program_by(cpu, end_ticks);
}

u64 timer_program_idle(void)
{
    struct cpu *cpu = cpu_this();
    u64 deadline = first_deadline(cpu);

    if (deadline != cpu->timer_programmed_ticks) {
        cpu->timer_programmed_ticks = deadline;
        plat_timer_set(deadline);
    }
    return deadline;
}

/* The first timer that is due, taken off the list, or NULL. */
static struct timer *take_expired(struct cpu *cpu, u64 now)
{
    struct timer *timer = NULL;

    SPIN_GUARD(&cpu->timer_lock);
    if (first_deadline_locked(cpu) <= now) {
        timer = list_entry(cpu->timers.next, struct timer, node);
        list_remove(&timer->node);
    }
    cpu->expiring = timer;
    return timer;
}

void timer_interrupt(void)
{
    struct cpu *cpu = cpu_this();
    u64 now = plat_time_now();
    struct timer *timer;

    cpu->timer_programmed_ticks = TIMER_NEVER;
    while ((timer = take_expired(cpu, now)) != NULL)
        timer->expire(timer);
    if (cpu->slice_end_ticks <= now) {
        cpu->slice_end_ticks = TIMER_NEVER;
        thread_request_preempt();
    }
    cpu->timer_programmed_ticks = min(first_deadline(cpu), cpu->slice_end_ticks);
    plat_timer_set(cpu->timer_programmed_ticks);
}

u64 timer_ticks_from_ns(u64 ns)
{
    u64 seconds = ns / NS_PER_SECOND, rest = ns % NS_PER_SECOND;

    if (seconds >= TIMER_NEVER / timebase_hz - 1)
        return TIMER_NEVER - 1;
    return seconds * timebase_hz + rest * timebase_hz / NS_PER_SECOND;
}

u64 timer_ns_from_ticks(u64 ticks)
{
    u64 seconds = ticks / timebase_hz, rest = ticks % timebase_hz;

    if (seconds >= TIMER_NEVER / NS_PER_SECOND - 1)
        return TIMER_NEVER;
    return seconds * NS_PER_SECOND + rest * NS_PER_SECOND / timebase_hz;
}

u64 timer_deadline(u64 ns)
{
    u64 now = plat_time_now();

    return now + min(timer_ticks_from_ns(ns), TIMER_NEVER - 1 - now);
}

u64 timer_wall_ns(void)
{
    return kernel_plat_info->wall_base_ns + timer_ns_from_ticks(plat_time_now());
}
