/* SPDX-License-Identifier: MIT */
/* What the shell does itself. */
#pragma once

#include <stdbool.h>

#include "memory.h"

struct builtin {
    const char *name;
    int (*run)(int argc, char **argv);
    bool is_special; /* assignments before it last; it goes before functions */
};

const struct builtin *builtin_find(const char *name);
void builtins_each(void (*visit)(const char *name, void *argument), void *argument);

/* Those of other files. */
int builtin_test(int argc, char **argv);
int builtin_printf(int argc, char **argv);
int builtin_echo(int argc, char **argv);
int builtin_read(int argc, char **argv);
int builtin_set(int argc, char **argv);
int builtin_shift(int argc, char **argv);
int builtin_export(int argc, char **argv);
int builtin_read_only(int argc, char **argv);
int builtin_unset(int argc, char **argv);
int builtin_local(int argc, char **argv);
int builtin_getopts(int argc, char **argv);
int builtin_trap(int argc, char **argv);
int builtin_kill(int argc, char **argv);
int builtin_wait(int argc, char **argv);
int builtin_jobs(int argc, char **argv);
int builtin_fg(int argc, char **argv);
int builtin_bg(int argc, char **argv);

/* Set the options that a word as "-ex" or "+o" says, the next word for an "o": how many words were
   used, or -1 and it was told. */
int options_parse(char **words);

/* "usage: TEXT" on standard error: STATUS_USAGE. */
int builtin_usage(const char *text);

/* A number: false, and it is told, if it is none. */
bool builtin_number(const char *name, const char *text, long *number);
