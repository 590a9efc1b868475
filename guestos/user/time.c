/* SPDX-License-Identifier: MIT */
/* time COMMAND [WORD...]: run it; how long that took and what it used goes to standard error. */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "program.h"

enum { STATUS_NOT_RUN = 126, STATUS_NOT_FOUND = 127, STATUS_SIGNAL = 128 };

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    double start = seconds();
    struct rusage usage;
    int status;
    pid_t pid;

    if (argc < 2)
        return program_usage("time COMMAND [WORD...]");
    pid = fork();
    if (pid == 0) {
        execvp(argv[1], argv + 1);
        (void)program_complain("time", argv[1]);
        _exit(errno == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_RUN);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return program_complain("time", argv[1]);
    getrusage(RUSAGE_CHILDREN, &usage);
    fprintf(stderr, "real %.3f\nuser %.3f\nsys %.3f\n", seconds() - start,
            seconds_of(usage.ru_utime), seconds_of(usage.ru_stime));
    return WIFSIGNALED(status) ? STATUS_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}
