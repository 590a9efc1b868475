/* SPDX-License-Identifier: MIT */
/* basename and dirname as POSIX describes them: the path may be changed. */
#include <libgen.h>
#include <string.h>

/* Cut off slashes at the end, but for the first character. */
static void cut_slashes(char *path)
{
    size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        path[--length] = '\0';
}

char *basename(char *path)
{
    static char here[] = ".";
    char *slash;

    if (!path || !*path)
        return here;
    cut_slashes(path);
    slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

char *dirname(char *path)
{
    static char here[] = ".";
    char *slash;

    if (!path || !*path)
        return here;
    cut_slashes(path);
    slash = strrchr(path, '/');
    if (!slash)
        return here;
    slash[slash == path] = '\0';
    cut_slashes(path);
    return path;
}
