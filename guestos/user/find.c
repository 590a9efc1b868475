/* SPDX-License-Identifier: MIT */
/* find [PATH...] [-name PATTERN] [-type f|d|c]: print the paths below each PATH (.), or those whose
   name fits and that are a file, a directory, a device. */
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "program.h"
#include "program_path.h"

static const char *pattern; /* NULL: every name */
static char type;           /* 0: every type */

static bool fits(const char *path, const struct stat *stat)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash && slash[1] ? slash + 1 : path;

    if (pattern && fnmatch(pattern, name, 0) != 0)
        return false;
    return type == 0 || (type == 'f' && S_ISREG(stat->st_mode)) ||
           (type == 'd' && S_ISDIR(stat->st_mode)) || (type == 'c' && S_ISCHR(stat->st_mode));
}

static int visit(const char *path, void *failed)
{
    struct stat stat;

    if (lstat(path, &stat) != 0) {
        *(bool *)failed = program_complain("find", path);
        return 0;
    }
    if (fits(path, &stat))
        puts(path);
    if (S_ISDIR(stat.st_mode) && program_walk(path, visit, failed) != 0)
        *(bool *)failed = program_complain("find", path);
    return 0;
}

static int usage(void)
{
    return program_usage("find [PATH...] [-name PATTERN] [-type f|d|c]");
}

/* The tests behind the paths. */
static bool parse(char **words)
{
    for (; *words; words += 2) {
        if (!words[1])
            return false;
        if (strcmp(words[0], "-name") == 0)
            pattern = words[1];
        else if (strcmp(words[0], "-type") == 0 && strlen(words[1]) == 1 &&
                 strchr("fdc", *words[1]))
            type = *words[1];
        else
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    bool failed = false;
    int paths = 1;

    while (paths < argc && argv[paths][0] != '-')
        paths++;
    if (!parse(argv + paths))
        return usage();
    if (paths == 1)
        (void)visit(".", &failed);
    for (int i = 1; i < paths; i++)
        (void)visit(argv[i], &failed);
    return failed ? PROGRAM_FAILED : 0;
}
