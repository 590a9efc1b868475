/* SPDX-License-Identifier: MIT */
/*
 * One-shot timers. The machine's timer is set to the earliest one, or to the end of the running
 * thread's slice when somebody else waits to run; with neither it is off: there is no periodic
 * tick.
 */
#pragma once

#include "list.h"

struct cpu;

#define TIMER_NEVER (~(u64)0)

struct timer {
    struct list_node node; /* on its CPU's list, by deadline; guarded by that CPU's timer lock */
    struct cpu *cpu;       /* where it was started */
    u64 deadline_ticks;
    void (*expire)(struct timer *timer); /* in interrupt context, no lock held */
};

void timer_init(struct timer *timer, void (*expire)(struct timer *timer));

/* Start on this CPU, or cancel. A started timer is not started again. Cancelling an expired one is
   harmless; it may still be running on another CPU then. timer_finish() waits for that, too: the
   caller holds no lock that expire() takes. */
void timer_start(struct timer *timer, u64 deadline_ticks);
void timer_cancel(struct timer *timer);
void timer_finish(struct timer *timer);

/* The running thread's turn on this CPU, `cpu`, ends then; TIMER_NEVER: it may run on. Interrupts
 * off. */
void timer_begin_slice(struct cpu *cpu, u64 end_ticks);

/* The CPU is about to idle: set the machine's timer exactly, and say for when. Interrupts off. */
u64 timer_program_idle(void);

/* The machine's timer went off. Interrupt context. */
void timer_interrupt(void);

/* Once, while booting. */
void timer_set_timebase(u64 hz);

/* Conversions by the machine's timebase; they saturate. */
u64 timer_ticks_from_ns(u64 ns);
u64 timer_ns_from_ticks(u64 ticks);

/* The time so long from now, which is before TIMER_NEVER. */
u64 timer_deadline(u64 ns);

/* Nanoseconds since 1970 (UTC), or since the start where no clock tells them. */
u64 timer_wall_ns(void);
