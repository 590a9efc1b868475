/* SPDX-License-Identifier: MIT */
/* dirname PATH: what is before the last slash. */
#include <libgen.h>
#include <stdio.h>

#include "program.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        return program_usage("dirname PATH");
    puts(dirname(argv[1]));
    return 0;
}
