/* SPDX-License-Identifier: MIT */
/* touch [-c] FILE...: make the files, or set the time of those that are there to now (-c: only
   that). */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"

enum { CREATED_MODE = 0666 };

/* A file that is given the length that it has is changed now. */
static int touch(const char *path, bool creates)
{
    int file = open(path, O_WRONLY | (creates ? O_CREAT : 0), CREATED_MODE);
    struct stat stat;
    int status = 0;

    if (file < 0)
        return !creates && errno == ENOENT ? 0 : program_complain("touch", path);
    if (fstat(file, &stat) != 0 || (S_ISREG(stat.st_mode) && ftruncate(file, stat.st_size) != 0))
        status = program_complain("touch", path);
    close(file);
    return status;
}

int main(int argc, char **argv)
{
    bool creates = true;
    int status = 0, option;

    while ((option = getopt(argc, argv, "c")) != -1) {
        if (option == '?')
            return PROGRAM_USAGE;
        creates = false;
    }
    if (optind == argc)
        return program_usage("touch [-c] FILE...");
    for (int i = optind; i < argc; i++)
        status |= touch(argv[i], creates);
    return status;
}
