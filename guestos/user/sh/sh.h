/* SPDX-License-Identifier: MIT */
/*
 * The shell, in reading order:
 *   main.c       options, where commands come from, the loop over them
 *   memory.c     arenas, text that grows
 *   source.c     the text of commands: a file, a string, lines that are typed
 *   lex.c        text to words and operators            (syntax.h)
 *   parse.c      words to a tree, and tree.c how long it lives
 *   variable.c   variables                              (expand.h)
 *   expand.c     quotes and $ in words                  (expand.h)
 *   parameter.c  ${...}
 *   field.c      what was expanded to fields: splitting, patterns
 *   arithmetic.c $((...))
 *   run.c        walking the tree                       (run.h)
 *   command.c    simple commands: functions, builtins, programs
 *   redirect.c   redirections
 *   job.c        processes, groups, the terminal        (job.h)
 *   trap.c       signals                                (job.h)
 *   builtin*.c   what the shell does itself             (builtin.h)
 *   edit.c       the line editor, with history.c and complete.c (edit.h)
 *
 * Errors that end what is being done, and with it a shell that nobody types to, call
 * shell_abort(), which does not return: so no function hands such errors up. What must be undone
 * then is on stacks that the loop in main.c unwinds: descriptors, variables, arguments, memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "memory.h"

enum shell_status {
    STATUS_USAGE = 2,
    STATUS_NOT_EXECUTABLE = 126,
    STATUS_NOT_FOUND = 127,
    STATUS_SIGNAL_BASE = 128,
};

enum shell_limits {
    NESTING_MAX = 400, /* of what is written within each other */
    CALLS_MAX = 1000,  /* of functions, eval, `.` and traps within each other */
};

/* The options of `set`, as indices into shell.options; option_letters has a letter for each. */
enum shell_option {
    OPTION_ALL_EXPORT,
    OPTION_EXIT_ON_ERROR,
    OPTION_NO_PATTERNS,
    OPTION_MONITOR, /* jobs have process groups */
    OPTION_NO_RUN,
    OPTION_NO_UNSET,
    OPTION_TRACE,
    OPTION_NO_OVERWRITE,
    OPTION_COUNT,
};

/* What execution is on its way out of. */
enum unwind {
    UNWIND_NONE,
    UNWIND_BREAK,
    UNWIND_CONTINUE,
    UNWIND_RETURN,
};

/* $1 and the following. */
struct arguments {
    char **words;
    int count;
    bool is_owned; /* made by `set`: to be freed */
};

struct shell {
    const char *name;   /* $0 */
    const char *script; /* what messages name, or NULL: the shell */
    unsigned line;      /* of the script */
    struct arguments arguments;
    int last_status;       /* $? */
    pid_t pid;             /* $$ */
    pid_t last_background; /* $!; 0: none */
    bool interactive;      /* somebody types */
    bool is_child;         /* a subshell */
    bool options[OPTION_COUNT];
    enum unwind unwind;
    int unwind_count; /* loops that break and continue still leave */
    int loop_depth;
    int call_depth;       /* functions, eval, `.`, traps */
    int errors_expected;  /* inside conditions: set -e does not count */
    bool has_substituted; /* the command under way had a $( ) */
    struct arena scratch; /* what expansion makes, released command by command */
};

extern struct shell shell;
extern const char option_letters[OPTION_COUNT + 1];
extern const char *const option_names[OPTION_COUNT];

/* "sh: ...", in a script "FILE: LINE: ...", on standard error. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Give up: the interactive shell goes back to its prompt, any other ends with that status. */
void shell_abort(int status) __attribute__((noreturn));

/* The same, with a message; the status is STATUS_USAGE. */
void shell_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* End, after the trap for EXIT. */
void shell_exit(int status) __attribute__((noreturn));

/* Run commands from a text, as `eval` does: the status of the last. ends_shell: this process ends
   after that. */
int run_text(const char *text, unsigned line, bool ends_shell);

/* Run the commands of a file in this shell, as `.` does: their status, or -1 with errno. */
int run_file(const char *path);

/* One more level of calls; shell_fail() if that is too deep. */
void call_enter(void);
