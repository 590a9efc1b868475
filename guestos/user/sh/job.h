/* SPDX-License-Identifier: MIT */
/*
 * Jobs: the processes of a pipeline, together.
 *
 * With job control (set -m, and always where somebody types) each job is a process group. The
 * shell names the group to the terminal while it waits for it: that is whom ^C and ^Z reach. When
 * the job ends or stops the shell takes the terminal back, and gives it the modes that it had.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct job;

enum job_place {
    JOB_FOREGROUND,
    JOB_BACKGROUND,
    JOB_SAME_GROUP, /* in the shell's own group: what $( ) runs */
};

/* A job without processes; `text` is copied, and may be NULL. */
struct job *job_new(const char *text);

/* Forget a job that nobody waits for. */
void job_drop(struct job *job);

/* fork(): a new process of the job. In the child the signals are as programs expect them, and
   nothing of the parent's jobs and traps is left. -1: told. */
pid_t job_fork(struct job *job, enum job_place place);

/* Wait until it has ended, or stopped: the status of its last process. One that has ended is
   gone then; one that stopped is a job of the background. */
int job_wait(struct job *job);

/* It stays in the background, as the current one: tells its number and pid where somebody types. */
void job_put_background(struct job *job);

/* Let a stopped or background job go on: in the foreground, where it is waited for, or not. */
int job_continue(struct job *job, bool in_foreground);

/* %N, %%, %+, %-, %NAME, or the pid of one of its processes. NULL: there is none. */
struct job *job_find(const char *word);
pid_t job_group(const struct job *job);
const char *job_text(const struct job *job);

/* Wait for a background job, or all of them (NULL): its status, or what a trapped signal gives. */
int job_wait_background(struct job *job);

enum jobs_form { JOBS_SHORT, JOBS_LONG, JOBS_PIDS };

/* Print the jobs; the next jobs_report() leaves out what was printed here. */
void jobs_print(enum jobs_form form);

/* Tell on standard error what has changed in the background, and forget what has ended. */
void jobs_report(void);

/* Whether there are stopped ones. */
bool jobs_any_stopped(void);

/* Get the terminal and a process group of our own; at the end give it back. */
void jobs_init_terminal(void);
void jobs_leave_terminal(void);
