/* SPDX-License-Identifier: MIT */
/* system(): run a command of the shell and wait for it. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_NO_SHELL = 127 };

/* The signals that are different while the command runs: the terminal's keys are for it alone, and
   nobody else is to wait for it. */
struct kept {
    struct sigaction interrupt, quit;
    sigset_t mask;
};

static void set_aside(struct kept *kept)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t child;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigaction(SIGINT, &ignore, &kept->interrupt);
    sigaction(SIGQUIT, &ignore, &kept->quit);
    sigprocmask(SIG_BLOCK, &child, &kept->mask);
}

static void put_back(const struct kept *kept)
{
    sigaction(SIGINT, &kept->interrupt, NULL);
    sigaction(SIGQUIT, &kept->quit, NULL);
    sigprocmask(SIG_SETMASK, &kept->mask, NULL);
}

int system(const char *command)
{
    struct kept kept;
    int status;
    pid_t pid;

    if (!command)
        return 1;
    set_aside(&kept);
    pid = fork();
    if (pid == 0) {
        put_back(&kept);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(STATUS_NO_SHELL);
    }
    if (pid < 0)
        status = -1;
    else
        while (waitpid(pid, &status, 0) < 0) {
            if (errno != EINTR) {
                status = -1;
                break;
            }
        }
    put_back(&kept);
    return status;
}
