/* SPDX-License-Identifier: MIT */
/*
 * What the processor's time goes to. How long each thread has run is always known, to the tick,
 * from the switches between threads; time that a hypervisor gave to another machine is not counted.
 *
 * How much of that was user mode is known only while some process watches (account_watch): then
 * each trap from user mode and each return to it looks at the clock. While nobody does, a system
 * call pays nothing for it: the traps go through another vector (plat_time_traps), on each CPU.
 *
 * What a thread and a CPU were in user mode is one word, so that other CPUs can read it at any
 * time: while they are, it is less by the clock at which that began, and so negative.
 */
#pragma once

#include "platform.h"

struct process;

/* The clock by which threads are charged: it stands still while the CPU is stolen. */
static inline u64 account_clock(struct plat_times times)
{
    return times.now - times.stolen;
}

/* That word of a thread or CPU as ticks, and the times of its CPU at the same moment. */
u64 account_user_ticks(const i64 *word, u32 cpu, struct plat_times *times);

/* User mode has ended, or is about to begin, on this CPU. Interrupts off; for the trap path. */
void account_user_end(void);
void account_user_begin(void);

/* This CPU's traps are timed from now on if, and only if, somebody watches. Interrupts off. */
void account_follow(void);

/* The process watches from now on, or does so no longer. process_lock is held. */
void account_watch_locked(struct process *process);
void account_unwatch_locked(struct process *process);

/* The work with which a new thread's frame begins. */
u32 account_frame_work(void);
