/* SPDX-License-Identifier: MIT */
/* basename PATH [SUFFIX]: what is behind the last slash, without the suffix. */
#include <libgen.h>
#include <stdio.h>
#include <string.h>

#include "program.h"

int main(int argc, char **argv)
{
    char *name;

    if (argc != 2 && argc != 3)
        return program_usage("basename PATH [SUFFIX]");
    name = basename(argv[1]);
    if (argc == 3) {
        size_t length = strlen(name), suffix = strlen(argv[2]);

        if (suffix < length && strcmp(name + length - suffix, argv[2]) == 0)
            name[length - suffix] = '\0';
    }
    puts(name);
    return 0;
}
