/* SPDX-License-Identifier: MIT */
/*
 * Threads and their scheduling: per-CPU round robin.
 *
 * A thread is RUNNING on its CPU, RUNNABLE on its CPU's queue, SLEEPING, NEW while it is on no
 * queue yet (or between two), or DEAD until the thread that runs next frees it. `state`, `cpu` and
 * `run_node` are guarded by its CPU's run_lock: who has taken that looks again whether it still is
 * the thread's CPU. That lock is held across a switch and released by the thread switched to, so a
 * thread can be woken, or taken elsewhere, only after its registers are saved.
 *
 * A thread that begins to run or is woken goes to its last CPU if that is idle, else to the one
 * that has least to do; a CPU without work takes a thread that waits elsewhere. A thread that ran
 * on another CPU before finds nothing of its own in this one: instructions that it wrote are made
 * visible, and floating-point registers are loaded (arch_fp_enter).
 *
 * The structure lies at the low end of the pages that hold the thread's kernel stack. Above it is a
 * word that must not change, then the stack, then the registers of user mode at the very top.
 */
#pragma once

#include "frank/errno.h"
#include "kernel/cpu.h"
#include "kernel/timer.h"

struct process;

enum thread_state {
    THREAD_NEW,
    THREAD_RUNNING,
    THREAD_RUNNABLE,
    THREAD_SLEEPING,
    THREAD_DEAD,
};

enum thread_sizes {
    THREAD_STACK_SIZE = 8192, /* with the structure; aligned to its size */
};

#define THREAD_STACK_CANARY 0x57ac4b0770335afeUL

struct thread {
    struct arch_context context;   /* where it left off in the kernel */
    void (*entry)(void *argument); /* where it begins */
    void *argument;
    struct trap_frame *frame; /* its registers of user mode */
    struct cpu *cpu;          /* whose queue it is or was last on */
    struct process *process;  /* NULL: a kernel thread */
    struct list_node process_node;
    u32 number; /* in its process, from 1 on */

    enum thread_state state;
    bool interruptible; /* while SLEEPING: a signal ends the sleep */
    int wake_reason;    /* 0, -EINTR, -ETIMEDOUT */
    struct list_node run_node;
    u32 pending_signals;  /* one bit each, meant for this thread; atomic */
    u32 blocked_signals;  /* one bit each; changed by the thread alone */
    u32 resumed_signals;  /* sigsuspend: the mask that counts again behind it */
    bool resumes_signals; /* resumed_signals counts */
    bool restarts_call;   /* its system call was interrupted, and may begin anew with a0 as: */
    u64 call_a0;
    u64 signal_stack;           /* for handlers that want it */
    u64 signal_stack_bytes;     /* 0: none */
    struct list_node wait_node; /* guarded by the wait queue's lock, as is: */
    const void *waits_for;      /* what tells it from others there, where that matters */
    struct timer timer;         /* ends a sleep */

    u64 started_ticks; /* when it last began to run, by account_clock() */
    u64 run_ticks;     /* how long it ran before that */
    i64 user_ticks;    /* of that, user mode while it was watched (account.h) */
    struct arch_fp fp; /* its floating-point registers while no CPU holds them */
    u64 canary;        /* last: what an overflowing stack overwrites first */
};

static inline struct thread *thread_current(void)
{
    return arch_this_cpu()->current;
}

static inline struct process *process_current(void)
{
    return thread_current()->process;
}

/*
 * A thread that will begin in entry(argument) in the kernel; it is not yet runnable. entry may
 * return: the thread then goes to user mode with the registers in its frame (zeros until somebody
 * fills them). NULL: out of memory.
 */
MUST_CHECK struct thread *thread_create(void (*entry)(void *argument), void *argument);

/* Free a thread that never ran or that is DEAD and off its CPU; its memory is kept for the next
   one. NULL: give back what is kept. */
void thread_destroy(struct thread *thread);

/* Let a NEW thread run. */
void thread_start(struct thread *thread);

/* Let a sleeping thread run, to see `reason`. False if it was not asleep. Any context. */
bool thread_wake(struct thread *thread, int reason);

/* End the thread's sleep if it may be interrupted, and have it look for signals. Any context. */
void thread_interrupt(struct thread *thread);

/* Its frame's work has grown: should it run on another CPU, have it look. Any context. */
void thread_notify(struct thread *thread);

/* The current thread's system call gives -EINTR: unless a handler wants that seen, it is to begin
   anew when the signal is dealt with. */
void thread_restart_call(void);

/* Whether the current thread should leave its system call to take a signal. */
bool thread_has_signal(void);

/* Sleep until a time of plat_time_now(). 0, or -EINTR. */
MUST_CHECK int thread_sleep_until(u64 deadline_ticks);

/* End the current thread, which no longer has a process. What others may see only when its memory
   is free again comes behind thread_begin_exit(): thread_wait_for_exits() waits, for a second at
   most, until all that have said so are gone. */
void thread_begin_exit(void);
NORETURN void thread_exit(void);
void thread_wait_for_exits(void);

/* Ticks that it has run, and of those in user mode while somebody watched. Takes its run_lock. */
struct thread_ticks {
    u64 run, user;
};
struct thread_ticks thread_ticks(struct thread *thread);

/* --- for waiting, timers and the trap path --- */

/* Switch to the next thread. Called with this CPU's run_lock held as the only lock and the current
   thread's state changed; on return the lock is released. */
void schedule_locked(void);

/* The running thread's slice is over: have it give way before it is in user mode again. */
void thread_request_preempt(void);

/* Give way if anybody waits to run. Interrupts off or on, no lock held. */
void schedule_preempt(void);

/* In an interrupt: if the idle thread was running and somebody wants to run, here or waiting on
   another CPU, switch. */
void schedule_from_idle(void);

/* In an interrupt: another CPU may have queued a thread here. */
void thread_begin_slice(void);

/* Make a stack, which begins with room for the structure, the idle thread of a CPU; or take one
   from the page allocator (NULL: out of memory). */
void thread_init_idle(struct cpu *cpu, struct thread *thread);
MUST_CHECK struct thread *thread_create_idle(struct cpu *cpu);

/* The idle thread's work. `spin`: without telling the platform. */
NORETURN void thread_idle(bool spin);
