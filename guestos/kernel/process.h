/* SPDX-License-Identifier: MIT */
/*
 * Processes: the tree of them, fork, exec, exit, wait, and the signals that end them.
 *
 * A process owns its threads, a space, a file table. It becomes a zombie when its last thread has
 * exited: then only this structure is left, until the parent waits for it. Children of a process
 * that ends pass to init (pid 1). The tree, the pids, `state` and `exit_status` are guarded by the
 * global process_lock (LOCK_PROCESS).
 */
#pragma once

#include "frank/signal.h"
#include "frank/signo.h"
#include "kernel/fs/file.h"
#include "kernel/thread.h"

struct frank_procinfo;
struct space;

enum process_limits {
    PROCESS_COUNT_MAX = 1024,
    PROCESS_PID_MAX = 32767,
    PROCESS_NAME_SIZE = 32,
    PROCESS_THREADS_MAX = 256,
};

enum process_state {
    PROCESS_ALIVE,
    PROCESS_ZOMBIE,
};

extern struct spinlock process_lock;
extern struct list_node process_list; /* all, zombies among them, by pid; under that lock */

struct process {
    i32 pid;
    char name[PROCESS_NAME_SIZE];
    struct space *space;

    /* Guarded by process_lock. */
    enum process_state state;
    bool is_ending;          /* its threads are to exit */
    struct thread *survivor; /* all others are to: it wants to exec; or NULL */
    bool watches_times;      /* account.h */
    int exit_status;         /* as waitpid reports it */
    bool has_execed;         /* since its fork */
    bool is_stopped;         /* its threads wait on stop_wait before they are in user mode again */
    int stop_status;         /* a stop or continuation that the parent was not told yet, or 0 */
    i32 group;               /* process_group.h */
    i32 session;
    struct process *parent;
    i32 parent_pid; /* 0: none; for who does not hold the lock */
    struct list_node children;
    struct list_node sibling_node; /* on the parent's children */
    struct list_node all_node;     /* on process_list */
    struct list_node threads;
    u32 thread_count;
    u32 last_thread_number;
    u64 ended_run_ticks; /* of threads that have exited */
    u64 ended_user_ticks;
    u64 children_run_ticks; /* of children that were waited for, with theirs */
    u64 children_user_ticks;
    struct wait_queue child_wait; /* a child has ended, stopped, gone on */
    struct wait_queue stop_wait;  /* it may go on, or has lost a thread for its survivor */

    struct timer alarm;       /* alarm.c */
    u64 alarm_interval_ticks; /* 0: once */
    bool alarm_is_set;

    u32 pending_signals; /* one bit a signal; atomic */
    u32 set_actions; /* one bit for each of actions[] that counts; the others are the default's */
    struct frank_sigaction actions[SIGNAL_COUNT]; /* from here on not zeros at first */
    struct frank_siginfo infos[SIGNAL_COUNT];     /* of those that are pending */
    struct file_table files;                      /* has a lock of its own */
};

static inline struct file_table *process_files(void)
{
    return &process_current()->files;
}

/* Whether a thread is to leave its process at once. */
static inline bool process_sheds(const struct thread *thread)
{
    const struct thread *survivor = READ_ONCE(thread->process->survivor);

    return READ_ONCE(thread->process->is_ending) || (survivor != NULL && survivor != thread);
}

/* The signals that wait for a thread, those that any of its process may take among them. */
static inline u32 thread_pending_signals(const struct thread *thread)
{
    return READ_ONCE(thread->process->pending_signals) | READ_ONCE(thread->pending_signals);
}

/* Make the first process: it will run the program at `path`, with the words of `arguments` (kept by
   the caller) as its arguments. */
void process_start_init(const char *path, const char *arguments);

/* End the current process with a status in waitpid's form. Thread context, no lock held. */
NORETURN void process_exit(int status);

/* End the current thread, and with the last one the process. thread_begin_exit() was called;
   process_lock is held, and released. */
NORETURN void process_leave_locked(void);

/* End all threads of the current process but this one. 0, or -EINTR: this one is to end. Thread
   context, no lock held. */
MUST_CHECK int process_end_other_threads(void);

/* A thread that will go on in user mode as the current one does, in no process yet; its system call
   returns what the caller stores in a0. NULL: out of memory. */
MUST_CHECK struct thread *thread_create_like_this(void);

/*
 * Send a signal to a process: it is dropped, stops or continues the process at once, or becomes
 * pending for the threads that do not block it. One that is pending already keeps its first info.
 * Any context; process_lock is held.
 */
void process_signal_locked(struct process *process, const struct frank_siginfo *info);

/* Whether a signal would do nothing now in this process: ignored, or blocked by all its threads.
   process_lock is held. */
bool process_holds_off_locked(const struct process *process, int signal);

/* The alarm is off from now on: the process ends. process_lock is held. */
void alarm_stop_locked(struct process *process);

/* The process with this pid that is alive, or NULL. process_lock is held. */
struct process *process_find_locked(i32 pid);

/* What procinfo tells of up to `count` processes from pid `first` on, in order. How many. */
u64 process_report(i32 first, struct frank_procinfo *info, u64 count);

/* How many there are, zombies included. */
u64 process_count(void);
