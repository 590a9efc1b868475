/* SPDX-License-Identifier: MIT */
/* What the small programs have in common: how they tell an error. */
#ifndef FRANK_LIBC_PROGRAM_H
#define FRANK_LIBC_PROGRAM_H

enum program_status {
    PROGRAM_FAILED = 1,
    PROGRAM_USAGE = 2,
};

/* "PROGRAM: WHAT: the reason in errno" on standard error: PROGRAM_FAILED. */
int program_complain(const char *program, const char *what);

/* "usage: TEXT" on standard error: PROGRAM_USAGE. */
int program_usage(const char *text);

/* Before getopt: a first argument of "-NUMBER" becomes "-nNUMBER", as head and tail had it before
   options. What is not one, or cannot be had in memory, stays. */
void program_count_option(int argc, char **argv);

#endif
