/* SPDX-License-Identifier: MIT */
/* Completion of commands and files. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builtin.h"
#include "edit.h"
#include "expand.h"
#include "run.h"
#include "sh.h"

/* What is being completed, and the names that fit. */
struct search {
    const char *prefix;
    struct words *found;
};

static void visit_name(const char *name, void *argument)
{
    struct search *search = argument;

    if (strncmp(name, search->prefix, strlen(search->prefix)) == 0)
        words_add(search->found, arena_copy(&shell.scratch, name, strlen(name)));
}

/* Names in a directory; hidden ones only if a dot was typed. */
static void visit_directory(const char *path, struct search *search)
{
    DIR *directory = opendir(path);
    struct dirent *entry;

    if (!directory)
        return;
    while ((entry = readdir(directory))) {
        bool is_self = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;

        if (!is_self && (entry->d_name[0] != '.' || search->prefix[0] == '.'))
            visit_name(entry->d_name, search);
    }
    closedir(directory);
}

static void find_commands(struct search *search)
{
    const char *path = variable_get("PATH");

    builtins_each(visit_name, search);
    functions_each(visit_name, search);
    for (const char *from = path ? path : "/bin"; from;) {
        size_t length = strcspn(from, ":");

        visit_directory(length > 0 ? arena_copy(&shell.scratch, from, length) : ".", search);
        from = from[length] ? from + length + 1 : NULL;
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_names(struct words *names)
{
    size_t kept = 0;

    if (names->count == 0)
        return;
    qsort(names->list, names->count, sizeof(*names->list), compare_names);
    for (size_t i = 1; i < names->count; i++) {
        if (strcmp(names->list[i], names->list[kept]) != 0)
            names->list[++kept] = names->list[i];
    }
    names->count = kept + 1;
}

/* How much all names have in common. */
static size_t common_length(const struct words *names)
{
    size_t length = strlen(names->list[0]);

    for (size_t i = 1; i < names->count; i++) {
        size_t same = 0;

        while (same < length && names->list[i][same] == names->list[0][same])
            same++;
        length = same;
    }
    return length;
}

/* Backslashes before what means something to the shell. */
static void add_quoted(struct text *text, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (strchr(" \t'\"\\$`;&|<>()*?[#~", bytes[i]))
            text_add_byte(text, '\\');
        text_add_byte(text, bytes[i]);
    }
}

/* Whether nothing but blanks stands between the start of a command and `at`. */
static bool begins_command(const char *line, size_t at)
{
    while (at > 0 && strchr(" \t", line[at - 1]))
        at--;
    return at == 0 || strchr(";|&(", line[at - 1]);
}

static bool is_directory(const char *directory, const char *name)
{
    struct stat found;

    return stat(arena_format(&shell.scratch, "%s%s", directory, name), &found) == 0 &&
           S_ISDIR(found.st_mode);
}

struct completion complete(const char *line)
{
    struct completion completion = {.found = {.arena = &shell.scratch}};
    struct text addition = {.arena = &shell.scratch};
    struct search search = {NULL, &completion.found};
    size_t length = strlen(line), start = length;
    const char *directory, *slash;

    while (start > 0 && !strchr(" \t;|&<>(=", line[start - 1]))
        start--;
    slash = strrchr(line + start, '/');
    search.prefix = slash ? slash + 1 : line + start;
    directory = slash ? arena_copy(&shell.scratch, line + start, (size_t)(slash + 1 - line) - start)
                      : "";
    if (!slash && begins_command(line, start))
        find_commands(&search);
    else
        visit_directory(*directory ? directory : ".", &search);
    sort_names(&completion.found);
    completion.typed = strlen(search.prefix);
    if (completion.found.count > 0) {
        const char *name = completion.found.list[0];

        add_quoted(&addition, name + completion.typed,
                   common_length(&completion.found) - completion.typed);
        if (completion.found.count == 1)
            text_add_byte(&addition, is_directory(directory, name) ? '/' : ' ');
    }
    completion.addition = text_string(&addition);
    return completion;
}
