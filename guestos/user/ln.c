/* SPDX-License-Identifier: MIT */
/* ln FILE NAME: a further name for a file; in the directory NAME if that is one. */
#include <stdio.h>
#include <unistd.h>

#include "program.h"
#include "program_path.h"

int main(int argc, char **argv)
{
    char name[PROGRAM_PATH_BYTES];

    if (argc != 3)
        return program_usage("ln FILE NAME");
    if (program_target(argv[1], argv[2], name) < 0 || link(argv[1], name) < 0)
        return program_complain("ln", argv[2]);
    return 0;
}
