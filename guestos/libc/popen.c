/* SPDX-License-Identifier: MIT */
/* popen and pclose: a stream from or to a command of the shell. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_NO_SHELL = 127 };

struct command {
    struct command *next;
    FILE *stream;
    pid_t pid;
};

static struct command *commands; /* those that are not closed yet */

/* The child's part: the command, with `end` in the place of `standard`. No earlier command's stream
   is open in it, so that who waits for its end sees it. */
static void run_command(const char *text, int end, int standard)
{
    for (const struct command *other = commands; other; other = other->next)
        close(fileno(other->stream));
    if (end != standard) {
        dup2(end, standard);
        close(end);
    }
    execl("/bin/sh", "sh", "-c", text, (char *)NULL);
    _exit(STATUS_NO_SHELL);
}

/* Our end of the pipe, or -1. */
static int start(struct command *command, const char *text, bool reads)
{
    int ends[2], ours, theirs;

    if (pipe(ends) != 0)
        return -1;
    ours = ends[!reads];
    theirs = ends[reads];
    command->pid = fork();
    if (command->pid == 0) {
        close(ours);
        run_command(text, theirs, reads ? STDOUT_FILENO : STDIN_FILENO);
    }
    close(theirs);
    if (command->pid > 0)
        return ours;
    close(ours);
    return -1;
}

FILE *popen(const char *text, const char *mode)
{
    bool reads = mode[0] == 'r', closes_on_exec = mode[0] != '\0' && mode[1] == 'e';
    struct command *command;
    int end;

    if ((!reads && mode[0] != 'w') || mode[closes_on_exec ? 2 : 1] != '\0') {
        errno = EINVAL;
        return NULL;
    }
    command = malloc(sizeof(*command));
    end = command ? start(command, text, reads) : -1;
    if (end >= 0)
        command->stream = fdopen(end, reads ? "r" : "w");
    if (end < 0 || !command->stream) {
        if (end >= 0)
            close(end); /* which ends the command */
        free(command);
        return NULL;
    }
    if (closes_on_exec)
        fcntl(end, F_SETFD, FD_CLOEXEC);
    command->next = commands;
    commands = command;
    return command->stream;
}

int pclose(FILE *stream)
{
    struct command **link = &commands, *command;
    pid_t pid;
    int status;

    while (*link && (*link)->stream != stream)
        link = &(*link)->next;
    command = *link;
    if (!command) {
        errno = ECHILD;
        return -1;
    }
    *link = command->next;
    pid = command->pid;
    free(command);
    fclose(stream);
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return -1;
    }
    return status;
}
