/* SPDX-License-Identifier: MIT */
/* What the shell does itself: the table, and what is about execution. */
#include "builtin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "expand.h"
#include "job.h"
#include "run.h"
#include "sh.h"
#include "trap.h"

enum {
    DECIMAL = 10,
    OCTAL = 8,
    PERMISSION_MASK = 0777,
    PATH_BYTES = 1024,
};

int builtin_usage(const char *text)
{
    complain("usage: %s", text);
    return STATUS_USAGE;
}

bool builtin_number(const char *name, const char *text, long *number)
{
    char *end;

    errno = 0;
    *number = strtol(text, &end, DECIMAL);
    if (end != text && !*end && errno == 0)
        return true;
    complain("%s: %s: not a number", name, text);
    return false;
}

/* ---- directories and files ---------------------------------------------------------------------
 */

static void note_directory(void)
{
    char path[PATH_BYTES];
    const char *old = variable_get("PWD");

    if (old)
        variable_set("OLDPWD", arena_copy(&shell.scratch, old, strlen(old)));
    if (getcwd(path, sizeof(path)))
        variable_set("PWD", path);
}

static int builtin_cd(int argc, char **argv)
{
    bool is_back = argc > 1 && strcmp(argv[1], "-") == 0;
    const char *target = argc > 1 ? argv[1] : variable_get("HOME");

    if (is_back)
        target = variable_get("OLDPWD");
    if (!target && is_back) {
        complain("cd: OLDPWD is not set");
        return 1;
    }
    if (!target)
        target = "/";
    target = arena_copy(&shell.scratch, target, strlen(target));
    if (chdir(target) < 0) {
        complain("cd: %s: %s", target, strerror(errno));
        return 1;
    }
    note_directory();
    if (is_back)
        out_format("%s\n", target);
    return 0;
}

static int builtin_pwd(int argc, char **argv)
{
    char path[PATH_BYTES];

    (void)argc, (void)argv;
    if (!getcwd(path, sizeof(path))) {
        complain("pwd: %s", strerror(errno));
        return 1;
    }
    out_string(path);
    out_string("\n");
    return 0;
}

static int builtin_umask(int argc, char **argv)
{
    char *end;
    long number;

    if (argc < 2) {
        mode_t mask = umask(0);

        (void)umask(mask);
        out_format("%04o\n", (unsigned)mask);
        return 0;
    }
    number = strtol(argv[1], &end, OCTAL);
    if (*end || number < 0 || number > PERMISSION_MASK)
        return builtin_usage("umask [MODE]");
    (void)umask((mode_t)number);
    return 0;
}

/* ---- leaving -----------------------------------------------------------------------------------
 */

static int leave_loops(int argc, char **argv, enum unwind unwind)
{
    long count = 1;

    if (argc > 1 && (!builtin_number(argv[0], argv[1], &count) || count < 1))
        return STATUS_USAGE;
    if (shell.loop_depth == 0)
        return 0;
    shell.unwind = unwind;
    shell.unwind_count = count < shell.loop_depth ? (int)count : shell.loop_depth;
    return 0;
}

static int builtin_break(int argc, char **argv)
{
    return leave_loops(argc, argv, UNWIND_BREAK);
}

static int builtin_continue(int argc, char **argv)
{
    return leave_loops(argc, argv, UNWIND_CONTINUE);
}

static int builtin_return(int argc, char **argv)
{
    long status = shell.last_status;

    if (argc > 1 && !builtin_number(argv[0], argv[1], &status))
        return STATUS_USAGE;
    shell.unwind = UNWIND_RETURN;
    shell.last_status = (int)status;
    return (int)status;
}

static int builtin_exit(int argc, char **argv)
{
    long status = shell.last_status;

    if (argc > 1 && !builtin_number(argv[0], argv[1], &status))
        status = STATUS_USAGE;
    shell_exit((int)status);
}

/* ---- running -----------------------------------------------------------------------------------
 */

static int builtin_eval(int argc, char **argv)
{
    struct text text = {.arena = &shell.scratch};

    for (int i = 1; i < argc; i++) {
        if (i > 1)
            text_add_byte(&text, ' ');
        text_add_string(&text, argv[i]);
    }
    return run_text(text_string(&text), shell.line, false);
}

/* Without a slash the file is looked for along PATH first, then here. */
static int builtin_dot(int argc, char **argv)
{
    const char *path;
    int status;

    if (argc < 2)
        return builtin_usage(". FILE [ARG...]");
    path = strchr(argv[1], '/') ? argv[1] : command_find(argv[1]);
    if (argc > 2)
        arguments_replace(argv + 2, argc - 2);
    status = run_file(path ? path : argv[1]);
    if (status < 0) {
        complain(".: %s: %s", argv[1], strerror(errno));
        return 1;
    }
    return status;
}

static int builtin_exec(int argc, char **argv)
{
    int status;

    if (argc < 2)
        return 0;
    status = command_exec(argv + 1);
    if (!shell.interactive)
        shell_exit(status);
    return status;
}

enum description { DESCRIBE_COMMAND, DESCRIBE_TYPE };

static int describe(const char *name, enum description how)
{
    const struct builtin *builtin = builtin_find(name);
    const char *path = NULL;

    if (function_exists(name)) {
        out_format(how == DESCRIBE_TYPE ? "%s is a function\n" : "%s\n", name);
    } else if (builtin) {
        out_format(how == DESCRIBE_TYPE ? "%s is a builtin\n" : "%s\n", name);
    } else if ((path = command_find(name))) {
        if (how == DESCRIBE_TYPE)
            out_format("%s is ", name);
        out_format("%s\n", path);
    } else {
        if (how == DESCRIBE_TYPE)
            complain("type: %s: not found", name);
        return 1;
    }
    return 0;
}

static int builtin_type(int argc, char **argv)
{
    int status = 0;

    for (int i = 1; i < argc; i++)
        status |= describe(argv[i], DESCRIBE_TYPE);
    return status;
}

static int builtin_command(int argc, char **argv)
{
    struct words words = {.arena = &shell.scratch};
    int first = 1;

    if (argc > 1 && (strcmp(argv[1], "-v") == 0 || strcmp(argv[1], "-V") == 0)) {
        int status = 0;

        for (int i = 2; i < argc; i++)
            status |= describe(argv[i], argv[1][1] == 'V' ? DESCRIBE_TYPE : DESCRIBE_COMMAND);
        return status;
    }
    if (argc > 1 && (strcmp(argv[1], "--") == 0 || strcmp(argv[1], "-p") == 0))
        first = 2;
    for (int i = first; i < argc; i++)
        words_add(&words, argv[i]);
    return words.count > 0 ? command_run_words(&words, false) : 0;
}

static int builtin_true(int argc, char **argv)
{
    (void)argc, (void)argv;
    return 0;
}

static int builtin_false(int argc, char **argv)
{
    (void)argc, (void)argv;
    return 1;
}

/* ---- the table ---------------------------------------------------------------------------------
 */

static const struct builtin builtins[] = {
    {".", builtin_dot, true},
    {":", builtin_true, true},
    {"[", builtin_test, false},
    {"bg", builtin_bg, false},
    {"break", builtin_break, true},
    {"cd", builtin_cd, false},
    {"command", builtin_command, false},
    {"continue", builtin_continue, true},
    {"echo", builtin_echo, false},
    {"eval", builtin_eval, true},
    {"exec", builtin_exec, true},
    {"exit", builtin_exit, true},
    {"export", builtin_export, true},
    {"false", builtin_false, false},
    {"fg", builtin_fg, false},
    {"getopts", builtin_getopts, false},
    {"jobs", builtin_jobs, false},
    {"kill", builtin_kill, false},
    {"local", builtin_local, false},
    {"printf", builtin_printf, false},
    {"pwd", builtin_pwd, false},
    {"read", builtin_read, false},
    {"readonly", builtin_read_only, true},
    {"return", builtin_return, true},
    {"set", builtin_set, true},
    {"shift", builtin_shift, true},
    {"test", builtin_test, false},
    {"trap", builtin_trap, true},
    {"true", builtin_true, false},
    {"type", builtin_type, false},
    {"umask", builtin_umask, false},
    {"unset", builtin_unset, true},
    {"wait", builtin_wait, false},
};

const struct builtin *builtin_find(const char *name)
{
    for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++) {
        if (strcmp(name, builtins[i].name) == 0)
            return &builtins[i];
    }
    return NULL;
}

void builtins_each(void (*visit)(const char *name, void *argument), void *argument)
{
    for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
        visit(builtins[i].name, argument);
}
