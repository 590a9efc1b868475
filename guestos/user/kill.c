/* SPDX-License-Identifier: MIT */
/* kill [-SIGNAL] PID...: send a signal (TERM) to processes; a negative PID is a group's. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signal_name.h"

static int kill_named(const char *word, int signal)
{
    char *end;
    long pid = strtol(word, &end, 10);

    if (*end || end == word) {
        fprintf(stderr, "kill: %s: not a process number\n", word);
        return 1;
    }
    if (kill((pid_t)pid, signal) < 0) {
        fprintf(stderr, "kill: %s: %s\n", word, strerror(errno));
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    int signal = SIGTERM;
    int first = 1;
    int status = 0;

    if (argc > 1 && argv[1][0] == '-') {
        signal = signal_number(argv[1] + 1);
        first = 2;
    }
    if (first >= argc || signal < 0) {
        fprintf(stderr, "usage: kill [-SIGNAL] PID...\n");
        return 2;
    }
    for (int i = first; i < argc; i++)
        status |= kill_named(argv[i], signal);
    return status;
}
