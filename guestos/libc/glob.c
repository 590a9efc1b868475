/* SPDX-License-Identifier: MIT */
/*
 * glob: the files whose paths match a pattern, sorted.
 *
 * The pattern is gone through component by component: one without * ? [ is only appended, any
 * other is matched with the names of the directory found so far. Of the flags there are GLOB_ERR,
 * GLOB_MARK, GLOB_NOCHECK, GLOB_NOSORT, GLOB_APPEND and GLOB_DOOFFS.
 */
#include <glob.h>

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "frank/dirent.h"

struct search {
    glob_t *result;
    int flags;
    int (*on_error)(const char *path, int error);
    char path[FRANK_PATH_SIZE]; /* found so far */
};

static int match_rest(struct search *search, size_t length, const char *pattern);

static int add_path(glob_t *result, const char *path, const char *end)
{
    size_t offset = result->gl_flags & GLOB_DOOFFS ? (size_t)result->gl_offs : 0;
    size_t count = offset + (size_t)result->gl_pathc;
    char **list = realloc(result->gl_pathv, (count + 2) * sizeof(*list));
    size_t length = strlen(path);
    char *copy = malloc(length + strlen(end) + 1);

    if (list)
        result->gl_pathv = list;
    if (!list || !copy) {
        free(copy);
        return GLOB_NOSPACE;
    }
    if (result->gl_pathc == 0)
        memset(list, 0, offset * sizeof(*list));
    memcpy(copy, path, length);
    memcpy(copy + length, end, strlen(end) + 1);
    list[count] = copy;
    list[count + 1] = NULL;
    result->gl_pathc++;
    return 0;
}

static bool has_magic(const char *pattern, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (pattern[i] == '\\')
            i++;
        else if (strchr("*?[", pattern[i]))
            return true;
    }
    return false;
}

/* Append bytes of a pattern without its backslashes: the new length, or 0 if it is too long. */
static size_t append_plain(struct search *search, size_t length, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\\' && i + 1 < count)
            i++;
        if (length + 1 >= sizeof(search->path))
            return 0;
        search->path[length++] = bytes[i];
    }
    search->path[length] = '\0';
    return length;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names that match, so that no directory stays open while deeper ones are read. */
static int read_names(struct search *search, const char *pattern, glob_t *names)
{
    DIR *directory = opendir(*search->path ? search->path : ".");
    struct dirent *entry;
    int result = 0;

    if (!directory) {
        bool ends = search->on_error && search->on_error(search->path, errno) != 0;

        return ends || (search->flags & GLOB_ERR) ? GLOB_ABEND : 0;
    }
    while (result == 0 && (entry = readdir(directory))) {
        if (fnmatch(pattern, entry->d_name, FNM_PERIOD) == 0)
            result = add_path(names, entry->d_name, "");
    }
    closedir(directory);
    return result;
}

/* A component with * ? [: go on with each name that matches. */
static int match_names(struct search *search, size_t length, const char *pattern, size_t size)
{
    char component[FRANK_PATH_SIZE];
    glob_t names = {0};
    int result;

    if (size >= sizeof(component))
        return 0;
    memcpy(component, pattern, size);
    component[size] = '\0';
    result = read_names(search, component, &names);
    for (int i = 0; result == 0 && i < names.gl_pathc; i++) {
        size_t bytes = strlen(names.gl_pathv[i]);

        if (length + bytes < sizeof(search->path)) {
            memcpy(search->path + length, names.gl_pathv[i], bytes + 1);
            result = match_rest(search, length + bytes, pattern + size);
        }
        search->path[length] = '\0';
    }
    globfree(&names);
    return result;
}

/* The pattern is used up: if the file is there, it is found. */
static int add_found(struct search *search)
{
    struct stat found;
    bool mark;

    if (stat(search->path, &found) < 0)
        return 0;
    mark = search->flags & GLOB_MARK && S_ISDIR(found.st_mode);
    return add_path(search->result, search->path, mark ? "/" : "");
}

static int match_rest(struct search *search, size_t length, const char *pattern)
{
    for (;;) {
        size_t slashes = strspn(pattern, "/"), size = strcspn(pattern + slashes, "/");
        size_t plain = has_magic(pattern + slashes, size) ? slashes : slashes + size;

        if (!*pattern)
            return add_found(search);
        if (plain > 0) {
            length = append_plain(search, length, pattern, plain);
            if (length == 0)
                return 0;
            pattern += plain;
        }
        if (plain == slashes && size > 0)
            return match_names(search, length, pattern, size);
    }
}

int glob(const char *restrict pattern, int flags, int (*on_error)(const char *path, int error),
         glob_t *restrict result)
{
    struct search search = {.result = result, .flags = flags, .on_error = on_error};
    size_t offset = flags & GLOB_DOOFFS ? (size_t)result->gl_offs : 0;
    int before, error;

    if (!(flags & GLOB_APPEND)) {
        result->gl_pathc = 0;
        result->gl_pathv = NULL;
    }
    result->gl_flags = flags;
    before = result->gl_pathc;
    error = match_rest(&search, 0, pattern);
    result->gl_matchc = result->gl_pathc - before;
    if (error != 0)
        return error;
    if (result->gl_matchc == 0 && flags & GLOB_NOCHECK)
        return add_path(result, pattern, "");
    if (!(flags & GLOB_NOSORT) && result->gl_matchc > 1)
        qsort(result->gl_pathv + offset + before, (size_t)result->gl_matchc,
              sizeof(*result->gl_pathv), compare_names);
    return 0;
}

void globfree(glob_t *result)
{
    size_t offset = result->gl_flags & GLOB_DOOFFS ? (size_t)result->gl_offs : 0;

    for (int i = 0; i < result->gl_pathc; i++)
        free(result->gl_pathv[offset + (size_t)i]);
    free(result->gl_pathv);
    result->gl_pathv = NULL;
    result->gl_pathc = 0;
}
