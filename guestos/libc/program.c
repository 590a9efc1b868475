/* SPDX-License-Identifier: MIT */
/* How the small programs tell an error. */
#include "program.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int program_complain(const char *program, const char *what)
{
    const char *reason = strerror(errno);

    fflush(stdout);
    fprintf(stderr, "%s: %s: %s\n", program, what, reason);
    return PROGRAM_FAILED;
}

int program_usage(const char *text)
{
    fprintf(stderr, "usage: %s\n", text);
    return PROGRAM_USAGE;
}

void program_count_option(int argc, char **argv)
{
    char *option = NULL;

    if (argc > 1 && argv[1][0] == '-' && isdigit((unsigned char)argv[1][1]) &&
        asprintf(&option, "-n%s", argv[1] + 1) >= 0)
        argv[1] = option;
}
