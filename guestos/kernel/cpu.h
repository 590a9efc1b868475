/* SPDX-License-Identifier: MIT */
/*
 * What each CPU has of its own. The architecture keeps a pointer to it at hand (arch_this_cpu).
 *
 * CPUs tell each other that something is to be looked at by an interrupt that carries nothing: who
 * gets one sees in memory what it is about (cpu_interrupted).
 */
#pragma once

#include "arch.h"
#include "kernel/lock.h"

enum cpu_limits {
    CPU_COUNT_MAX = 8,
};

struct space;
struct thread;
struct timer;

struct cpu {
    u32 number;

    /* Touched by this CPU alone, with interrupts off. */
    struct thread *current;
    struct thread *idle;
    struct thread *previous;  /* whom the switch under way leaves */
    struct thread *fp_holder; /* whose floating-point values the registers have; NULL: nobody's */
    struct space *space;      /* whose translations are in force; NULL: the kernel's alone */
    u32 interrupts_off_depth;
    bool interrupts_were_on; /* before the depth became 1 */
    u32 lock_levels_held;    /* one bit a level, kept when FRANK_LOCK_CHECKS */
    u64 timer_programmed_ticks;
    u64 slice_end_ticks; /* TIMER_NEVER: nobody else waits to run */
    i64 user_ticks;      /* user mode, while it was watched (account.h) */
    bool times_traps;    /* account.h */

    /* Level LOCK_RUN_QUEUE; guards the three below, `current`, and the states of threads whose CPU
       this is. Of two CPUs' never more than one is held. */
    struct spinlock run_lock;
    struct list_node run_queue;
    u32 runnable_count;
    u64 switch_count;

    struct spinlock timer_lock; /* level LOCK_TIMER; guards the two below */
    struct list_node timers;
    struct timer *expiring; /* whose expire() runs now */
};

extern struct cpu cpus[CPU_COUNT_MAX];

/* How many run, by number from 0 on. Grows while the first one boots. */
extern u32 cpu_count;

/* Interrupts are off, or the caller does not mind to be moved. */
static inline struct cpu *cpu_this(void)
{
    return arch_this_cpu();
}

/* Set up a CPU's entry. */
struct cpu *cpu_init(u32 number);

/* Start the other CPUs that the platform has. Once, on the first, when it can switch threads. */
void cpu_start_others(void);

/* Where a CPU that was started begins, on the stack of its idle thread. */
NORETURN void cpu_main(struct thread *idle);

/* Have every other CPU look. Any context. */
void cpu_notify_others(void);

/* Another CPU wants this one to look. Interrupt context. */
void cpu_interrupted(void);
