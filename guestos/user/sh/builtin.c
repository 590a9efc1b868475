/* SPDX-License-Identifier: MIT */
/* What the shell does itself, because a child could not. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sh.h"

static int builtin_cd(int argc, char **argv)
{
    const char *target = argc > 1 ? argv[1] : getenv("HOME");

    if (!target)
        target = "/";
    if (chdir(target) < 0) {
        complain("cd: %s: %s", target, strerror(errno));
        return 1;
    }
    return 0;
}

static int builtin_exit(int argc, char **argv)
{
    exit(argc > 1 ? atoi(argv[1]) : shell.last_status);
}

static int builtin_wait(int argc, char **argv)
{
    return wait_for_background(argc > 1 ? (pid_t)atoi(argv[1]) : 0);
}

static int builtin_source(int argc, char **argv)
{
    if (argc != 2) {
        complain("usage: . FILE");
        return STATUS_USAGE;
    }
    return run_file(argv[1]);
}

static int builtin_true(int argc, char **argv)
{
    (void)argc, (void)argv;
    return 0;
}

builtin_t find_builtin(const char *name)
{
    static const struct {
        const char *name;
        builtin_t run;
    } builtins[] = {
        {"cd", builtin_cd},    {"exit", builtin_exit}, {"wait", builtin_wait},
        {".", builtin_source}, {":", builtin_true},
    };

    for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++) {
        if (strcmp(name, builtins[i].name) == 0)
            return builtins[i].run;
    }
    return NULL;
}
