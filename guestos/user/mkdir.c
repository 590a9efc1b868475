/* SPDX-License-Identifier: MIT */
/* mkdir [-p] DIRECTORY...: make directories; -p with those above them, and none need be new. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"
#include "program_path.h"

enum { DIRECTORY_PERMISSIONS = 0777 };

static int make_one(const char *path, bool may_exist)
{
    if (mkdir(path, DIRECTORY_PERMISSIONS) == 0)
        return 0;
    if (may_exist && errno == EEXIST) {
        if (program_is_directory(path))
            return 0;
        errno = EEXIST;
    }
    return program_complain("mkdir", path);
}

/* Each directory on the way to `path`, which is changed meanwhile, then itself. */
static int make_all(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        int status;

        *slash = '\0';
        status = make_one(path, true);
        *slash = '/';
        if (status != 0)
            return status;
    }
    return make_one(path, true);
}

int main(int argc, char **argv)
{
    bool with_parents = false;
    int status = 0;
    int option;

    while ((option = getopt(argc, argv, "p")) != -1) {
        if (option != 'p')
            return PROGRAM_USAGE;
        with_parents = true;
    }
    if (optind == argc)
        return program_usage("mkdir [-p] DIRECTORY...");
    for (int i = optind; i < argc; i++)
        status |= with_parents ? make_all(argv[i]) : make_one(argv[i], false);
    return status;
}
