/* SPDX-License-Identifier: MIT */
/* Builtins on jobs and signals. */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "builtin.h"
#include "job.h"
#include "sh.h"
#include "signal_name.h"
#include "trap.h"

/* ---- jobs --------------------------------------------------------------------------------------
 */

int builtin_jobs(int argc, char **argv)
{
    enum jobs_form form = JOBS_SHORT;

    if (argc > 1 && strcmp(argv[1], "-l") == 0)
        form = JOBS_LONG;
    else if (argc > 1 && strcmp(argv[1], "-p") == 0)
        form = JOBS_PIDS;
    else if (argc > 1)
        return builtin_usage("jobs [-l | -p]");
    jobs_print(form);
    return 0;
}

/* The job that a word names, which has a group of its own. NULL: it was told. */
static struct job *controlled_job(const char *command, const char *word)
{
    struct job *job = job_find(word);

    if (!job)
        complain("%s: %s: no such job", command, word);
    else if (job_group(job) == 0)
        complain("%s: no job control", command);
    else
        return job;
    return NULL;
}

int builtin_fg(int argc, char **argv)
{
    struct job *job = controlled_job("fg", argc > 1 ? argv[1] : "%+");

    if (!job)
        return 1;
    out_format("%s\n", job_text(job));
    (void)out_flush();
    return job_continue(job, true);
}

int builtin_bg(int argc, char **argv)
{
    struct job *job = controlled_job("bg", argc > 1 ? argv[1] : "%+");

    if (!job)
        return 1;
    out_format("%s &\n", job_text(job));
    return job_continue(job, false);
}

int builtin_wait(int argc, char **argv)
{
    int status = 0;

    if (argc == 1)
        return job_wait_background(NULL);
    for (int i = 1; i < argc; i++) {
        struct job *job = job_find(argv[i]);

        status = job ? job_wait_background(job) : STATUS_NOT_FOUND;
    }
    return status;
}

/* ---- kill --------------------------------------------------------------------------------------
 */

static int list_signals(void)
{
    for (int signal = 1; signal < NSIG; signal++) {
        const char *name = signal_name(signal);

        if (name)
            out_format("%2d %s\n", signal, name);
    }
    return 0;
}

static int kill_one(const char *word, int signal)
{
    long pid;

    if (*word == '%') {
        struct job *job = controlled_job("kill", word);

        if (!job)
            return 1;
        pid = -job_group(job);
    } else if (!builtin_number("kill", word, &pid)) {
        return 1;
    }
    if (kill((pid_t)pid, signal) < 0) {
        complain("kill: %s: %s", word, strerror(errno));
        return 1;
    }
    /* A stopped job is to see its end, as somebody who types expects. */
    if (*word == '%' && (signal == SIGTERM || signal == SIGHUP))
        (void)kill((pid_t)pid, SIGCONT);
    return 0;
}

int builtin_kill(int argc, char **argv)
{
    int signal = SIGTERM, first = 1, status = 0;

    if (argc > 1 && strcmp(argv[1], "-l") == 0)
        return list_signals();
    if (argc > 2 && strcmp(argv[1], "-s") == 0) {
        signal = signal_number(argv[2]);
        first = 3;
    } else if (argc > 1 && argv[1][0] == '-' && strcmp(argv[1], "--") != 0) {
        signal = signal_number(argv[1] + 1);
        first = 2;
    } else if (argc > 1 && strcmp(argv[1], "--") == 0) {
        first = 2;
    }
    if (first >= argc || signal < 0)
        return builtin_usage("kill [-SIGNAL] PID... | kill -l");
    for (int i = first; i < argc; i++)
        status |= kill_one(argv[i], signal);
    return status;
}

/* ---- trap --------------------------------------------------------------------------------------
 */

static int trap_signal(const char *word)
{
    int signal = strcmp(word, "EXIT") == 0 ? 0 : signal_number(word);

    if (signal < 0 || signal >= NSIG) {
        complain("trap: %s: no such signal", word);
        return -1;
    }
    return signal;
}

static int print_traps(void)
{
    for (int signal = 0; signal < NSIG; signal++) {
        const char *name = signal == 0 ? "EXIT" : signal_name(signal);

        if (!trap_get(signal) || !name)
            continue;
        out_string("trap -- ");
        out_quoted(trap_get(signal));
        out_format(" %s\n", name);
    }
    return 0;
}

int builtin_trap(int argc, char **argv)
{
    int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1, status = 0;
    const char *action = argv[first];

    if (first >= argc)
        return print_traps();
    /* A number first, or "-": back to the default. */
    if (strcmp(action, "-") == 0 || isdigit((unsigned char)*action) || first + 1 == argc) {
        first += strcmp(action, "-") == 0;
        action = NULL;
    } else {
        first++;
    }
    for (int i = first; i < argc; i++) {
        int signal = trap_signal(argv[i]);

        if (signal < 0)
            status = 1;
        else
            trap_set(signal, action);
    }
    return status;
}
