/* SPDX-License-Identifier: MIT */
/*
 * init [WORD...]: the first process.
 *
 * It opens the console as descriptors 0 to 2, makes /tmp, greets, and keeps a shell running; it
 * waits for every process whose parent has ended. The words are those of the kernel's arguments:
 *   host=NAME              the name in the shell's prompt
 *   run=PROGRAM[,ARG...]   instead of a shell: run it once, print its status, power off
 * Others are the kernel's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frank_system.h"

enum {
    ARGUMENT_MAX = 32,
    STATUS_NO_PROGRAM = 127,
    STATUS_SIGNAL_BASE = 128, /* as shells report a signal's end */
};

/* Nobody else has standard descriptors to give: make them. */
static void open_console(void)
{
    int descriptor = open("/dev/console", O_RDWR);

    while (descriptor >= 0 && descriptor < STDERR_FILENO)
        descriptor = dup(descriptor);
}

static void print_file(const char *path)
{
    char line[128];
    FILE *file = fopen(path, "r");

    if (!file)
        return;
    while (fgets(line, sizeof(line), file))
        fputs(line, stdout);
    fclose(file);
    fflush(stdout);
}

/* The last value that the words give to `name` (with its "="), or NULL. */
static const char *find_word(int argc, char **argv, const char *name)
{
    const char *value = NULL;

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], name, strlen(name)) == 0)
            value = argv[i] + strlen(name);
    }
    return value;
}

/* A child that runs the program in a session of its own, whose terminal is the console, with the
   program in the foreground or with none there. Its pid, or -1. */
static pid_t start(char **words, bool in_foreground)
{
    pid_t pid = fork();

    if (pid == 0) {
        (void)setsid();
        (void)ioctl(STDIN_FILENO, TIOCSCTTY, 0L);
        if (in_foreground)
            (void)tcsetpgrp(STDIN_FILENO, getpid());
        execv(words[0], words);
        fprintf(stderr, "init: %s: %s\n", words[0], strerror(errno));
        _exit(STATUS_NO_PROGRAM);
    }
    if (pid < 0)
        fprintf(stderr, "init: fork: %s\n", strerror(errno));
    return pid;
}

/* Wait for one process, and for orphans meanwhile. Its status as a shell would give it. */
static int wait_for(pid_t pid)
{
    int status;
    pid_t ended;

    do {
        ended = wait(&status);
    } while (ended != pid && !(ended < 0 && errno == ECHILD));
    if (ended < 0)
        return STATUS_NO_PROGRAM;
    return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_SIGNAL_BASE + WTERMSIG(status);
}

/* Run "PROGRAM,ARG,..." once and end the machine. */
static void run_once(const char *command)
{
    char *words[ARGUMENT_MAX + 1];
    char *rest = strdup(command);
    int count = 0;
    int status = STATUS_NO_PROGRAM;
    pid_t pid;

    while (rest && count < ARGUMENT_MAX)
        words[count++] = strsep(&rest, ",");
    words[count] = NULL;
    pid = count > 0 ? start(words, true) : -1;
    if (pid > 0)
        status = wait_for(pid);
    printf("init: %s ended with status %d\n", words[0] ? words[0] : command, status);
    fflush(stdout);
    (void)frank_reboot(FRANK_REBOOT_POWEROFF);
}

static void set_environment(const char *host)
{
    setenv("PATH", "/bin", 1);
    setenv("HOME", "/", 1);
    setenv("HOSTNAME", host ? host : "frank", 1);
}

int main(int argc, char **argv)
{
    static char shell_path[] = "/bin/sh";
    char *shell[] = {shell_path, NULL};
    const char *command = find_word(argc, argv, "run=");

    open_console();
    (void)umask(022);
    (void)mkdir("/tmp", 0777);
    set_environment(find_word(argc, argv, "host="));
    if (command)
        run_once(command);
    print_file("/etc/motd");
    for (;;) {
        pid_t pid = start(shell, false);
        int status;

        if (pid < 0) {
            sleep(1);
            continue;
        }
        status = wait_for(pid);
        printf("init: the shell ended with status %d; here is another\n", status);
        fflush(stdout);
        if (status == STATUS_NO_PROGRAM)
            sleep(1);
    }
}
