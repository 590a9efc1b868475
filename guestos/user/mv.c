/* SPDX-License-Identifier: MIT */
/* mv FILE... TO: rename a file, or move files into the directory TO. On one file system only. */
#include <errno.h>
#include <stdio.h>

#include "program.h"
#include "program_path.h"

int main(int argc, char **argv)
{
    char target[PROGRAM_PATH_BYTES];
    const char *to = argv[argc - 1];
    int status = 0;

    if (argc < 3)
        return program_usage("mv FILE... TO");
    if (argc > 3 && !program_is_directory(to)) {
        errno = ENOTDIR;
        return program_complain("mv", to);
    }
    for (int i = 1; i < argc - 1; i++) {
        if (program_target(argv[i], to, target) < 0 || rename(argv[i], target) < 0)
            status = program_complain("mv", argv[i]);
    }
    return status;
}
