/* SPDX-License-Identifier: MIT */
/* seq [FIRST [STEP]] LAST: whole numbers, a line each. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "program.h"

static bool parse(const char *text, long *value)
{
    char *end;

    *value = strtol(text, &end, 10);
    return *text != '\0' && *end == '\0';
}

int main(int argc, char **argv)
{
    long first = 1, step = 1, last;
    bool good = argc >= 2 && argc <= 4 && parse(argv[argc - 1], &last);

    if (good && argc > 2)
        good = parse(argv[1], &first);
    if (good && argc > 3)
        good = parse(argv[2], &step) && step != 0;
    if (!good)
        return program_usage("seq [FIRST [STEP]] LAST");
    for (long i = first; step > 0 ? i <= last : i >= last;) {
        printf("%ld\n", i);
        if (__builtin_add_overflow(i, step, &i))
            break;
    }
    return 0;
}
