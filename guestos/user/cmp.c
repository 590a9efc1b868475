/* SPDX-License-Identifier: MIT */
/* cmp [-s] FILE FILE: whether two files are the same (0, 1; 2: an error), and where they differ
   first, which -s leaves out. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "program.h"

static FILE *open_named(const char *name)
{
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");

    if (!file)
        (void)program_complain("cmp", name);
    return file;
}

static int compare(FILE *first, FILE *second, char **names, bool is_silent)
{
    unsigned long byte = 1, line = 1;

    for (;; byte++) {
        int a = getc(first), b = getc(second);

        if (ferror(first) || ferror(second))
            return program_complain("cmp", names[ferror(first) ? 0 : 1]), PROGRAM_USAGE;
        if (a == b && a == EOF)
            return 0;
        if (a != b && !is_silent && (a == EOF || b == EOF))
            fprintf(stderr, "cmp: end of %s after byte %lu\n", names[a == EOF ? 0 : 1], byte - 1);
        else if (a != b && !is_silent)
            printf("%s %s differ: byte %lu, line %lu\n", names[0], names[1], byte, line);
        if (a != b)
            return 1;
        line += a == '\n';
    }
}

int main(int argc, char **argv)
{
    bool is_silent = false;
    FILE *first, *second;
    int option;

    while ((option = getopt(argc, argv, "s")) != -1) {
        if (option == '?')
            return PROGRAM_USAGE;
        is_silent = true;
    }
    if (argc - optind != 2)
        return program_usage("cmp [-s] FILE FILE");
    first = open_named(argv[optind]);
    second = open_named(argv[optind + 1]);
    return first && second ? compare(first, second, argv + optind, is_silent) : PROGRAM_USAGE;
}
