/* SPDX-License-Identifier: MIT */
/* What each CPU has of its own. The architecture keeps a pointer to it at hand (arch_this_cpu). */
#ifndef FRANK_KERNEL_CPU_H
#define FRANK_KERNEL_CPU_H

#include "arch.h"
#include "kernel/lock.h"
#include "list.h"
#include "types.h"

enum cpu_limits {
    CPU_COUNT_MAX = 8,
};

struct space;
struct thread;

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
    u64 user_ticks;      /* user mode, while it was watched (account.h) */

    struct spinlock run_lock; /* level LOCK_RUN_QUEUE; guards the three below and threads' states */
    struct list_node run_queue;
    u32 runnable_count;
    u64 switch_count;

    struct spinlock timer_lock; /* level LOCK_TIMER */
    struct list_node timers;
};

extern struct cpu cpus[CPU_COUNT_MAX];

/* Interrupts are off, or the caller does not mind to be moved. */
static inline struct cpu *cpu_this(void)
{
    return arch_this_cpu();
}

/* Set up the entry of the CPU that calls. */
void cpu_init(u32 number);

#endif
