/* SPDX-License-Identifier: MIT */
/* kill [-SIGNAL] PID...: send a signal (TERM) to processes; a negative PID is a group's. */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int number;
} signals[] = {
    {"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"ABRT", SIGABRT},
    {"KILL", SIGKILL}, {"SEGV", SIGSEGV}, {"PIPE", SIGPIPE}, {"TERM", SIGTERM},
    {"STOP", SIGSTOP}, {"TSTP", SIGTSTP}, {"CONT", SIGCONT}, {"ALRM", SIGALRM},
    {"CHLD", SIGCHLD}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"WINCH", SIGWINCH},
};

/* A number, or a name with or without SIG before it; -1 if it is neither. */
static int parse_signal(const char *text)
{
    if (isdigit((unsigned char)text[0]))
        return atoi(text);
    if (strncmp(text, "SIG", 3) == 0)
        text += 3;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        if (strcmp(text, signals[i].name) == 0)
            return signals[i].number;
    }
    return -1;
}

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
        signal = parse_signal(argv[1] + 1);
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
