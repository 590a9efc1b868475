/* SPDX-License-Identifier: MIT */
/* Jobs; job.h tells what they are. */
#include "job.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "memory.h"
#include "run.h"
#include "sh.h"
#include "trap.h"

enum {
    PROCESSES_FIRST = 2,
    BACKGROUND_TRIES = 10,
    JOBS_KEPT = 200, /* of those that have ended and that nobody has asked for */
};

enum process_state { PROCESS_RUNNING, PROCESS_STOPPED, PROCESS_ENDED };

struct process {
    pid_t pid;
    enum process_state state;
    int status; /* as waitpid gives it */
};

struct job {
    struct job *next; /* the most recent ones first */
    int number;       /* 0: only the shell's own, in the foreground */
    pid_t group;      /* 0: the shell's */
    struct process *processes;
    size_t count;
    size_t room;
    bool is_told; /* its present state */
    bool has_modes;
    struct termios modes; /* of the terminal, when it stopped */
    char *text;
};

static struct job *jobs;
static bool has_terminal;
static struct termios shell_modes;
static pid_t own_group;
static pid_t outer_group; /* whom the terminal goes back to at the end; 0: nobody */

/* ---- the table ---------------------------------------------------------------------------------
 */

struct job *job_new(const char *text)
{
    struct job *job = memory_resize(NULL, sizeof(*job));

    *job = (struct job){.next = jobs, .is_told = true};
    jobs = job;
    job->text = memory_copy(text ? text : "");
    return job;
}

void job_drop(struct job *job)
{
    struct job **place = &jobs;

    while (*place != job)
        place = &(*place)->next;
    *place = job->next;
    free(job->processes);
    free(job->text);
    free(job);
}

static void add_process(struct job *job, pid_t pid)
{
    if (job->count == job->room) {
        job->room = job->room * 2 + PROCESSES_FIRST;
        job->processes = memory_resize(job->processes, job->room * sizeof(*job->processes));
    }
    job->processes[job->count++] = (struct process){.pid = pid};
}

static enum process_state job_state(const struct job *job)
{
    enum process_state state = PROCESS_ENDED;

    for (size_t i = 0; i < job->count; i++) {
        if (job->processes[i].state == PROCESS_RUNNING)
            return PROCESS_RUNNING;
        if (job->processes[i].state == PROCESS_STOPPED)
            state = PROCESS_STOPPED;
    }
    return state;
}

/* As $? has it, from the last process. */
static int job_status(const struct job *job)
{
    int status = job->count > 0 ? job->processes[job->count - 1].status : 0;

    if (job_state(job) == PROCESS_STOPPED) {
        for (size_t i = 0; i < job->count; i++) {
            if (job->processes[i].state == PROCESS_STOPPED)
                return STATUS_SIGNAL_BASE + WSTOPSIG(job->processes[i].status);
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_SIGNAL_BASE + WTERMSIG(status);
}

static void make_first(struct job *job)
{
    struct job **place = &jobs;

    while (*place != job)
        place = &(*place)->next;
    *place = job->next;
    job->next = jobs;
    jobs = job;
}

/* A number of its own, and the first place. */
static void make_numbered(struct job *job)
{
    int highest = 0;

    make_first(job);
    if (job->number != 0)
        return;
    for (const struct job *at = jobs; at; at = at->next)
        highest = at->number > highest ? at->number : highest;
    job->number = highest + 1;
}

/* ---- waiting -----------------------------------------------------------------------------------
 */

static struct process *find_process(pid_t pid, struct job **of)
{
    for (struct job *job = jobs; job; job = job->next) {
        for (size_t i = 0; i < job->count; i++) {
            if (job->processes[i].pid == pid && job->processes[i].state != PROCESS_ENDED) {
                *of = job;
                return &job->processes[i];
            }
        }
    }
    return NULL;
}

static void note_status(pid_t pid, int status)
{
    struct job *job = NULL;
    struct process *process = find_process(pid, &job);

    if (!process)
        return;
    process->status = status;
    process->state = WIFSTOPPED(status) ? PROCESS_STOPPED : PROCESS_ENDED;
    if (WIFCONTINUED(status))
        process->state = PROCESS_RUNNING;
    job->is_told = false;
}

/* Take note of one child that has ended or stopped: false: there is none; with errno. */
static bool note_one(int options)
{
    int status;
    pid_t pid;

    if (shell.options[OPTION_MONITOR])
        options |= WUNTRACED;
    pid = waitpid(-1, &status, options);
    if (pid <= 0)
        return false;
    note_status(pid, status);
    return true;
}

static void note_all(void)
{
    while (note_one(WNOHANG)) {
    }
}

/* Nobody is left whom one could wait for: what is not known to have ended is lost. */
static void give_up(struct job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        if (job->processes[i].state != PROCESS_ENDED) {
            job->processes[i].state = PROCESS_ENDED;
            job->processes[i].status = STATUS_NOT_FOUND << 8;
        }
    }
}

static void tell_signals(const struct job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        int status = job->processes[i].status;

        if (WIFSIGNALED(status) && WTERMSIG(status) != SIGINT && WTERMSIG(status) != SIGPIPE)
            write_format(STDERR_FILENO, "%s (process %ld)\n", strsignal(WTERMSIG(status)),
                         (long)job->processes[i].pid);
    }
}

/* ---- the terminal ------------------------------------------------------------------------------
 */

static void give_terminal(pid_t group)
{
    if (has_terminal)
        (void)tcsetpgrp(STDIN_FILENO, group);
}

static void take_terminal_back(struct job *job)
{
    if (!has_terminal)
        return;
    (void)tcsetpgrp(STDIN_FILENO, own_group);
    job->has_modes = job_state(job) == PROCESS_STOPPED && tcgetattr(STDIN_FILENO, &job->modes) == 0;
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &shell_modes);
}

void jobs_init_terminal(void)
{
    /* Whoever is in the background waits until somebody brings it to the foreground. */
    for (int i = 0; i < BACKGROUND_TRIES; i++) {
        outer_group = tcgetpgrp(STDIN_FILENO);
        if (outer_group <= 0 || outer_group == getpgrp())
            break;
        (void)kill(0, SIGTTIN);
    }
    own_group = getpid();
    (void)setpgid(0, 0);
    has_terminal = outer_group >= 0 && tcsetpgrp(STDIN_FILENO, own_group) == 0 &&
                   tcgetattr(STDIN_FILENO, &shell_modes) == 0;
    shell.options[OPTION_MONITOR] = has_terminal;
}

void jobs_leave_terminal(void)
{
    if (has_terminal && outer_group > 0 && outer_group != own_group)
        (void)tcsetpgrp(STDIN_FILENO, outer_group);
}

/* ---- starting and waiting ----------------------------------------------------------------------
 */

/* Parent and child both say which group the child is in, and name it to the terminal: whoever comes
   first, neither an exec nor a ^C can come before it. */
static void join_group(struct job *job, pid_t pid, enum job_place place)
{
    if (!shell.options[OPTION_MONITOR] || place == JOB_SAME_GROUP)
        return;
    if (job->group == 0)
        job->group = pid;
    (void)setpgid(pid, job->group);
    if (place == JOB_FOREGROUND)
        give_terminal(job->group);
}

static void become_child(enum job_place place, bool monitored)
{
    bool alone = place == JOB_BACKGROUND && !monitored;

    shell.interactive = false;
    shell.is_child = true;
    shell.options[OPTION_MONITOR] = false;
    has_terminal = false;
    redirect_forget();
    while (jobs)
        job_drop(jobs);
    trap_reset_child(alone);
    if (alone) {
        close(STDIN_FILENO);
        (void)open("/dev/null", O_RDONLY);
    }
}

/* fork(). A signal that comes before the child has its own ways with signals waits until then. */
static pid_t fork_blocked(struct job *job, enum job_place place)
{
    bool monitored = shell.options[OPTION_MONITOR];
    sigset_t all, old;
    pid_t pid;

    sigfillset(&all);
    (void)sigprocmask(SIG_BLOCK, &all, &old);
    pid = fork();
    if (pid >= 0)
        join_group(job, pid == 0 ? getpid() : pid, place);
    if (pid == 0)
        become_child(place, monitored);
    (void)sigprocmask(SIG_SETMASK, &old, NULL);
    return pid;
}

pid_t job_fork(struct job *job, enum job_place place)
{
    int status = 0;
    pid_t pid;

    (void)out_flush();
    pid = fork_blocked(job, place);
    if (pid < 0)
        complain("fork: %s", strerror(errno));
    if (pid <= 0)
        return pid;
    add_process(job, pid);
    /* A ^C that came before the child could be reached is meant for it. */
    if (place != JOB_BACKGROUND && trap_is_pending(&status) &&
        status == STATUS_SIGNAL_BASE + SIGINT)
        (void)kill(pid, SIGINT);
    return pid;
}

static void job_tell(const struct job *job, bool with_pids);

/* It stopped in the foreground. */
static void put_aside(struct job *job)
{
    make_numbered(job);
    job_tell(job, false);
    job->is_told = true;
    /* Loops that it was started in do not go on without it. */
    if (shell.loop_depth > 0) {
        shell.unwind = UNWIND_BREAK;
        shell.unwind_count = shell.loop_depth;
    }
}

int job_wait(struct job *job)
{
    int status;

    while (job_state(job) == PROCESS_RUNNING) {
        if (!note_one(0) && errno != EINTR)
            give_up(job);
    }
    status = job_status(job);
    take_terminal_back(job);
    if (job_state(job) == PROCESS_STOPPED) {
        put_aside(job);
        return status;
    }
    tell_signals(job);
    if (job->group != 0 && status == STATUS_SIGNAL_BASE + SIGINT)
        trap_note_interrupt();
    job_drop(job);
    return status;
}

/* Ended jobs that nobody asks for do not pile up. */
static void drop_old(void)
{
    int ended = 0;
    struct job *next;

    for (struct job *job = jobs; job; job = next) {
        next = job->next;
        if (job->number != 0 && job_state(job) == PROCESS_ENDED && ++ended > JOBS_KEPT)
            job_drop(job);
    }
}

void job_put_background(struct job *job)
{
    note_all();
    drop_old();
    make_numbered(job);
    job->is_told = true;
    if (shell.interactive)
        write_format(STDERR_FILENO, "[%d] %ld\n", job->number, (long)shell.last_background);
}

int job_continue(struct job *job, bool in_foreground)
{
    for (size_t i = 0; i < job->count; i++) {
        if (job->processes[i].state == PROCESS_STOPPED)
            job->processes[i].state = PROCESS_RUNNING;
    }
    job->is_told = true;
    make_first(job);
    if (in_foreground) {
        if (has_terminal && job->has_modes)
            (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &job->modes);
        give_terminal(job->group);
    }
    (void)kill(-job->group, SIGCONT);
    return in_foreground ? job_wait(job) : 0;
}

pid_t job_group(const struct job *job)
{
    return job->group;
}

const char *job_text(const struct job *job)
{
    return job->text;
}

/* Wait until a background job has ended, or a signal comes whose status is then *status. */
static bool wait_for_end(struct job *job, int *status)
{
    while (job_state(job) == PROCESS_RUNNING) {
        if (trap_is_pending(status))
            return false;
        if (!note_one(0) && errno != EINTR)
            give_up(job);
    }
    *status = job_status(job);
    return true;
}

int job_wait_background(struct job *job)
{
    struct job *next;
    int status = 0;

    if (job) {
        if (wait_for_end(job, &status) && job_state(job) == PROCESS_ENDED)
            job_drop(job);
        return status;
    }
    for (job = jobs; job; job = next) {
        next = job->next;
        if (job->number == 0 || job_state(job) == PROCESS_STOPPED)
            continue;
        if (!wait_for_end(job, &status))
            return status;
        if (job_state(job) == PROCESS_ENDED)
            job_drop(job);
    }
    return 0;
}

/* ---- finding and showing -----------------------------------------------------------------------
 */

/* The current job (0) or the one before it (1), or NULL. */
static struct job *nth_job(int n)
{
    for (struct job *job = jobs; job; job = job->next) {
        if (job->number != 0 && n-- == 0)
            return job;
    }
    return NULL;
}

struct job *job_find(const char *word)
{
    long number = strtol(word + (*word == '%'), NULL, 10);
    struct job *job = NULL;

    note_all();
    if (*word != '%') {
        for (job = jobs; job; job = job->next) {
            for (size_t i = 0; i < job->count; i++) {
                if (job->processes[i].pid == number)
                    return job;
            }
        }
        return NULL;
    }
    word++;
    if (*word == '\0' || strcmp(word, "%") == 0 || strcmp(word, "+") == 0)
        return nth_job(0);
    if (strcmp(word, "-") == 0)
        return nth_job(1);
    for (job = jobs; job; job = job->next) {
        if (job->number == 0)
            continue;
        if (isdigit((unsigned char)*word) ? job->number == number
                                          : strncmp(job->text, word, strlen(word)) == 0)
            return job;
    }
    return NULL;
}

static const char *state_text(const struct job *job)
{
    int status = job->count > 0 ? job->processes[job->count - 1].status : 0;

    switch (job_state(job)) {
    case PROCESS_RUNNING:
        return "Running";
    case PROCESS_STOPPED:
        return "Stopped";
    default:
        if (WIFSIGNALED(status))
            return strsignal(WTERMSIG(status));
        return status == 0 ? "Done" : arena_format(&shell.scratch, "Done(%d)", WEXITSTATUS(status));
    }
}

static const char *job_line(const struct job *job, bool with_pids)
{
    char mark = job == nth_job(0) ? '+' : job == nth_job(1) ? '-' : ' ';
    const char *pid = with_pids && job->count > 0
                          ? arena_format(&shell.scratch, "%ld ", (long)job->processes[0].pid)
                          : "";

    return arena_format(&shell.scratch, "[%d]%c %s%-22s %s\n", job->number, mark, pid,
                        state_text(job), job->text);
}

static void job_tell(const struct job *job, bool with_pids)
{
    struct arena_mark mark = arena_mark(&shell.scratch);
    const char *line = job_line(job, with_pids);

    (void)write_all(STDERR_FILENO, line, strlen(line));
    arena_release(&shell.scratch, mark);
}

/* By number. */
static struct job *next_by_number(int after)
{
    struct job *best = NULL;

    for (struct job *job = jobs; job; job = job->next) {
        if (job->number > after && (!best || job->number < best->number))
            best = job;
    }
    return best;
}

void jobs_print(enum jobs_form form)
{
    struct job *job;
    int number = 0;

    note_all();
    while ((job = next_by_number(number))) {
        number = job->number;
        if (form == JOBS_PIDS)
            out_format("%ld\n", (long)(job->group ? job->group : job->processes[0].pid));
        else
            out_string(job_line(job, form == JOBS_LONG));
        job->is_told = true;
    }
    /* Only now, so that + and - stand beside the right ones. */
    for (number = 0; (job = next_by_number(number));) {
        number = job->number;
        if (shell.interactive && job_state(job) == PROCESS_ENDED)
            job_drop(job);
    }
}

void jobs_report(void)
{
    struct job *job;
    int number = 0;

    note_all();
    while ((job = next_by_number(number))) {
        number = job->number;
        if (!job->is_told && job_state(job) != PROCESS_RUNNING)
            job_tell(job, false);
        job->is_told = true;
        if (job_state(job) == PROCESS_ENDED)
            job_drop(job);
    }
}

bool jobs_any_stopped(void)
{
    for (const struct job *job = jobs; job; job = job->next) {
        if (job_state(job) == PROCESS_STOPPED)
            return true;
    }
    return false;
}
