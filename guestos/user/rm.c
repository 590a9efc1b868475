/* SPDX-License-Identifier: MIT */
/* rm [-rf] FILE...: remove files; -r directories with all in them, -f what is not there is well. */
#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "program.h"
#include "program_path.h"

static bool recursive;
static bool force;

static int remove_path(const char *path, void *argument)
{
    (void)argument;
    if (program_is_directory(path)) {
        int status;

        if (!recursive) {
            errno = EISDIR;
            return program_complain("rm", path);
        }
        status = program_walk(path, remove_path, NULL);
        if (status > 0)
            return status;
        if (status < 0 || rmdir(path) < 0)
            return program_complain("rm", path);
        return 0;
    }
    if (unlink(path) == 0 || (force && errno == ENOENT))
        return 0;
    return program_complain("rm", path);
}

int main(int argc, char **argv)
{
    int status = 0;
    int option;

    while ((option = getopt(argc, argv, "rRf")) != -1) {
        recursive |= option == 'r' || option == 'R';
        force |= option == 'f';
        if (option == '?')
            return PROGRAM_USAGE;
    }
    if (optind == argc && !force)
        return program_usage("rm [-rf] FILE...");
    for (int i = optind; i < argc; i++)
        status |= remove_path(argv[i], NULL);
    return status;
}
