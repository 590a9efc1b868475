/* SPDX-License-Identifier: MIT */
/* rmdir DIRECTORY...: remove empty directories. */
#include <unistd.h>

#include "program.h"

int main(int argc, char **argv)
{
    int status = 0;

    if (argc < 2)
        return program_usage("rmdir DIRECTORY...");
    for (int i = 1; i < argc; i++) {
        if (rmdir(argv[i]) < 0)
            status = program_complain("rmdir", argv[i]);
    }
    return status;
}
