/* SPDX-License-Identifier: MIT */
/*
 * Job control: process groups, sessions, stopping and going on.
 *
 * A group is what a terminal's ^C, or one kill, reaches together; a session is the groups of one
 * login, with one terminal. Both are numbers that processes carry and their children inherit, and
 * there are as long as some process, be it a zombie, carries them.
 *
 * A stop takes effect where each thread is next on its way to user mode: one that sleeps in the
 * kernel sleeps on, and its call is not interrupted. A group is orphaned when no member has a
 * parent in another group of the session, who could continue it: the terminal does not stop it.
 */
#pragma once

#include "kernel/process.h"

/*
 * Send a signal (0: only look) to each living process of a group, or with group 0 to all but the
 * caller; init is excepted. Any context; takes
 * process_lock. -ESRCH if there is none.
 */
int process_signal_group(i32 group, const struct frank_siginfo *info);

/* Whether some process of the session is in the group. Takes process_lock. */
bool process_group_exists(i32 group, i32 session);

/*
 * Whether the caller may use the terminal of `session` whose foreground is `foreground` (0: there
 * is none, and everybody may). In the background its group gets the signal, SIGTTIN or SIGTTOU:
 * then -EINTR, and the call begins anew when the process goes on. Where the signal would do
 * nothing, reading is -EIO and writing is allowed; in an orphaned group both are -EIO. Thread
 * context; takes process_lock.
 */
MUST_CHECK int process_use_terminal(i32 session, i32 foreground, int signal);

/* Stop a process by a signal's default action, and tell its parent. process_lock is held. */
void process_stop_locked(struct process *process, int signal);

/* Let a stopped process go on, and tell its parent or not. process_lock is held. */
void process_continue_locked(struct process *process, bool tell);

/* The current thread sleeps while its process is stopped. Thread context, no lock held. */
void process_wait_while_stopped(void);

/* Send SIGCHLD with this code (enum frank_siginfo_code) and status to the parent, and wake it if it
   waits. process_lock is held. */
void process_tell_parent_locked(struct process *process, int code, int status);

/* A process is about to end and still has its children: groups that it leaves orphaned with stopped
   members get SIGHUP and SIGCONT. process_lock is held. */
void process_group_leave_locked(struct process *process);
