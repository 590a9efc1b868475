/* SPDX-License-Identifier: MIT */
/* Paths as the programs that copy, move and link files put them together. */
#include "program_path.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int program_join(const char *directory, const char *name, char path[PROGRAM_PATH_BYTES])
{
    size_t length = strlen(directory);
    const char *slash = length > 0 && directory[length - 1] == '/' ? "" : "/";

    if (snprintf(path, PROGRAM_PATH_BYTES, "%s%s%s", directory, slash, name) < PROGRAM_PATH_BYTES)
        return 0;
    errno = ENAMETOOLONG;
    return -1;
}

bool program_is_directory(const char *path)
{
    struct stat found;

    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

int program_target(const char *from, const char *to, char path[PROGRAM_PATH_BYTES])
{
    char name[PROGRAM_PATH_BYTES];
    size_t length = strlen(from);
    size_t start;

    if (!program_is_directory(to)) {
        if (strlcpy(path, to, PROGRAM_PATH_BYTES) < PROGRAM_PATH_BYTES)
            return 0;
        errno = ENAMETOOLONG;
        return -1;
    }
    while (length > 1 && from[length - 1] == '/')
        length--;
    for (start = length; start > 0 && from[start - 1] != '/';)
        start--;
    if (length - start >= sizeof(name)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(name, from + start, length - start);
    name[length - start] = '\0';
    return program_join(to, name, path);
}

/* The directory's names, one behind the other, each ended by a zero; the last is empty. */
static char *read_names(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    char *names = NULL;
    size_t length = 0;

    if (!directory)
        return NULL;
    names = calloc(1, 1);
    while (names && (entry = readdir(directory))) {
        size_t bytes = strlen(entry->d_name) + 1;
        char *longer;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        longer = realloc(names, length + bytes + 1);
        if (!longer) {
            free(names);
            names = NULL;
            break;
        }
        names = longer;
        memcpy(names + length, entry->d_name, bytes);
        length += bytes;
        names[length] = '\0';
    }
    closedir(directory);
    if (!names)
        errno = ENOMEM;
    return names;
}

int program_walk(const char *directory, int (*visit)(const char *path, void *argument),
                 void *argument)
{
    char path[PROGRAM_PATH_BYTES];
    char *names = read_names(directory);
    int result = 0;

    if (!names)
        return -1;
    for (const char *name = names; *name; name += strlen(name) + 1) {
        int one = program_join(directory, name, path) < 0 ? -1 : visit(path, argument);

        if (one != 0)
            result = one;
        if (one < 0)
            break;
    }
    free(names);
    return result;
}
