/* SPDX-License-Identifier: MIT */
/* Signals; trap.h tells what happens to them. */
#include "trap.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "sh.h"

static char *actions[NSIG]; /* NULL: the default. actions[0]: at the end of the shell */
static volatile sig_atomic_t noted[NSIG];
static volatile sig_atomic_t any_noted;
static volatile sig_atomic_t interrupted; /* a ^C of somebody who types */
static bool is_set[NSIG];                 /* the shell has changed what the signal does */

static void note(int signal)
{
    if (signal == SIGINT && !actions[SIGINT])
        interrupted = 1;
    else
        noted[signal] = 1;
    any_noted = 1;
}

static void handle(int signal, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};

    sigemptyset(&action.sa_mask);
    (void)sigaction(signal, &action, NULL);
    is_set[signal] = handler != SIG_DFL;
}

void trap_note_interrupt(void)
{
    if (shell.interactive)
        note(SIGINT);
}

void trap_forget_interrupt(void)
{
    interrupted = 0;
}

static void run_action(int signal)
{
    int status = shell.last_status;
    char *action = memory_copy(actions[signal]);

    call_enter();
    (void)run_text(action, shell.line, false);
    shell.call_depth--;
    free(action);
    shell.last_status = status;
}

void trap_check(void)
{
    if (!any_noted)
        return;
    any_noted = 0;
    for (int signal = 1; signal < NSIG; signal++) {
        if (!noted[signal])
            continue;
        noted[signal] = 0;
        if (actions[signal] && *actions[signal])
            run_action(signal);
    }
    if (interrupted) {
        interrupted = 0;
        shell_abort(STATUS_SIGNAL_BASE + SIGINT);
    }
}

bool trap_is_pending(int *status)
{
    if (!any_noted)
        return false;
    for (int signal = 1; signal < NSIG; signal++) {
        if (noted[signal])
            *status = STATUS_SIGNAL_BASE + signal;
    }
    if (interrupted)
        *status = STATUS_SIGNAL_BASE + SIGINT;
    return true;
}

const char *trap_get(int signal)
{
    return actions[signal];
}

bool trap_any(void)
{
    for (int signal = 0; signal < NSIG; signal++) {
        if (actions[signal] && *actions[signal])
            return true;
    }
    return false;
}

/* Not SIG_IGN: that would throw away what is sent to a child that has not reset it yet. */
static void survive(int signal)
{
    (void)signal;
}

/* What a signal without an action does to this shell. */
static void handle_by_default(int signal)
{
    bool ignores = signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;

    if (!shell.interactive)
        handle(signal, SIG_DFL);
    else if (signal == SIGINT)
        handle(signal, note);
    else if (signal == SIGTERM || signal == SIGQUIT)
        handle(signal, survive);
    else
        handle(signal, ignores ? SIG_IGN : SIG_DFL);
}

void trap_set(int signal, const char *action)
{
    free(actions[signal]);
    actions[signal] = action ? memory_copy(action) : NULL;
    if (signal == 0)
        return;
    if (!action)
        handle_by_default(signal);
    else
        handle(signal, *action ? note : SIG_IGN);
}

void trap_run_exit(void)
{
    char *action = actions[0];

    actions[0] = NULL;
    if (action && *action)
        (void)run_text(action, shell.line, false);
    free(action);
}

void trap_init_interactive(void)
{
    static const int signals[] = {SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU};

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        handle_by_default(signals[i]);
}

void trap_reset_child(bool ignores_interrupt)
{
    any_noted = 0;
    interrupted = 0;
    for (int signal = 0; signal < NSIG; signal++) {
        bool is_ignored = actions[signal] && !*actions[signal];

        noted[signal] = 0;
        if (is_ignored)
            continue;
        free(actions[signal]);
        actions[signal] = NULL;
        if (is_set[signal])
            handle(signal, SIG_DFL);
    }
    if (ignores_interrupt) {
        handle(SIGINT, SIG_IGN);
        handle(SIGQUIT, SIG_IGN);
    }
}
