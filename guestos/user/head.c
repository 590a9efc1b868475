/* SPDX-License-Identifier: MIT */
/* head [-n LINES | -c BYTES | -LINES] [FILE...]: the first lines (10) or bytes. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "program.h"

enum { LINES = 10 };

static int head(FILE *file, const char *name, long count, bool in_bytes)
{
    int c;

    while (count > 0 && (c = getc(file)) != EOF) {
        putchar(c);
        count -= in_bytes || c == '\n';
    }
    return ferror(file) ? program_complain("head", name) : 0;
}

static int head_named(const char *name, long count, bool in_bytes)
{
    FILE *file = fopen(name, "r");
    int status;

    if (!file)
        return program_complain("head", name);
    status = head(file, name, count, in_bytes);
    fclose(file);
    return status;
}

int main(int argc, char **argv)
{
    bool in_bytes = false;
    long count = LINES;
    int status = 0;
    int option;

    program_count_option(argc, argv);
    while ((option = getopt(argc, argv, "n:c:")) != -1) {
        char *end = NULL;

        if (option == '?')
            return PROGRAM_USAGE;
        count = strtol(optarg, &end, 10);
        in_bytes = option == 'c';
        if (*end || end == optarg || count < 0)
            return program_usage("head [-n LINES | -c BYTES] [FILE...]");
    }
    if (optind == argc)
        return head(stdin, "standard input", count, in_bytes);
    for (int i = optind; i < argc; i++) {
        if (argc - optind > 1)
            printf("%s==> %s <==\n", i > optind ? "\n" : "", argv[i]);
        status |= head_named(argv[i], count, in_bytes);
    }
    return status;
}
