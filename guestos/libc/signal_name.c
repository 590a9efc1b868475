/* SPDX-License-Identifier: MIT */
/* Signals by name. */
#include "signal_name.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int number;
} signals[] = {
    {"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT},   {"ILL", SIGILL},   {"TRAP", SIGTRAP},
    {"ABRT", SIGABRT}, {"FPE", SIGFPE},   {"KILL", SIGKILL},   {"BUS", SIGBUS},   {"SEGV", SIGSEGV},
    {"SYS", SIGSYS},   {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},   {"TERM", SIGTERM}, {"STOP", SIGSTOP},
    {"TSTP", SIGTSTP}, {"CONT", SIGCONT}, {"CHLD", SIGCHLD},   {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},
    {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"WINCH", SIGWINCH},
};

enum { SIGNAL_COUNT = sizeof(signals) / sizeof(signals[0]) };

int signal_number(const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (end != text)
        return *end || number < 0 || number >= NSIG ? -1 : (int)number;
    if (strncmp(text, "SIG", 3) == 0)
        text += 3;
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        if (strcmp(text, signals[i].name) == 0)
            return signals[i].number;
    }
    return -1;
}

const char *signal_name(int signal)
{
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        if (signals[i].number == signal)
            return signals[i].name;
    }
    return NULL;
}
