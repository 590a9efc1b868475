/* SPDX-License-Identifier: MIT */
/* Variables: lists behind a table of hashes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expand.h"
#include "sh.h"
#include "syntax.h"

enum {
    TABLE_SIZE = 64,
    HASH_FACTOR = 31,
};

struct variable {
    struct variable *next;
    char *value; /* NULL: not set, but exported or read-only */
    unsigned flags;
    char name[];
};

static struct variable *table[TABLE_SIZE];

/* What variables were before a function or an assignment for one command. */
struct saved_variable {
    struct saved_variable *older;
    char *name;
    char *value; /* NULL: was not set */
    unsigned flags;
};

static struct saved_variable *saved;
static size_t saved_count;

static struct variable **bucket_of(const char *name, size_t length)
{
    unsigned hash = 0;

    for (size_t i = 0; i < length; i++)
        hash = hash * HASH_FACTOR + (unsigned char)name[i];
    return &table[hash % TABLE_SIZE];
}

static struct variable **find_place(const char *name, size_t length)
{
    struct variable **place = bucket_of(name, length);

    while (*place && (strncmp((*place)->name, name, length) != 0 || (*place)->name[length] != '\0'))
        place = &(*place)->next;
    return place;
}

static struct variable *find_or_make(const char *name)
{
    struct variable **place = find_place(name, strlen(name));

    if (!*place) {
        struct variable *fresh = memory_resize(NULL, sizeof(*fresh) + strlen(name) + 1);

        *fresh = (struct variable){0};
        memcpy(fresh->name, name, strlen(name) + 1);
        *place = fresh;
    }
    return *place;
}

const char *variable_get_bytes(const char *name, size_t length)
{
    const struct variable *variable = *find_place(name, length);

    return variable ? variable->value : NULL;
}

const char *variable_get(const char *name)
{
    return variable_get_bytes(name, strlen(name));
}

static void check_writable(const struct variable *variable)
{
    if (variable && variable->flags & VARIABLE_READ_ONLY)
        shell_fail("%s: is read only", variable->name);
}

void variable_set(const char *name, const char *value)
{
    struct variable *variable = find_or_make(name);
    char *copy;

    check_writable(variable);
    copy = memory_copy(value);
    free(variable->value);
    variable->value = copy;
    if (shell.options[OPTION_ALL_EXPORT])
        variable->flags |= VARIABLE_EXPORTED;
}

void variable_unset(const char *name)
{
    struct variable **place = find_place(name, strlen(name));
    struct variable *variable = *place;

    if (!variable)
        return;
    check_writable(variable);
    *place = variable->next;
    free(variable->value);
    free(variable);
}

void variable_mark(const char *name, unsigned flags)
{
    find_or_make(name)->flags |= flags;
}

void variables_each(void (*visit)(const char *name, void *argument), void *argument)
{
    for (size_t i = 0; i < TABLE_SIZE; i++) {
        for (const struct variable *at = table[i]; at; at = at->next)
            visit(at->name, argument);
    }
}

/* ---- all of them -------------------------------------------------------------------------------
 */

static int compare_variables(const void *a, const void *b)
{
    return strcmp((*(struct variable *const *)a)->name, (*(struct variable *const *)b)->name);
}

/* Those that have all the flags, by name: how many. */
static size_t collect(struct variable ***list, unsigned flags)
{
    size_t count = 0;

    for (size_t i = 0; i < TABLE_SIZE; i++) {
        for (struct variable *at = table[i]; at; at = at->next)
            count += (at->flags & flags) == flags;
    }
    *list = arena_alloc(&shell.scratch, (count + 1) * sizeof(struct variable *));
    count = 0;
    for (size_t i = 0; i < TABLE_SIZE; i++) {
        for (struct variable *at = table[i]; at; at = at->next) {
            if ((at->flags & flags) == flags)
                (*list)[count++] = at;
        }
    }
    qsort((void *)*list, count, sizeof(struct variable *), compare_variables);
    return count;
}

void variables_print(const char *prefix, unsigned flags)
{
    struct variable **list;
    size_t count = collect(&list, flags);

    for (size_t i = 0; i < count; i++) {
        if (!list[i]->value && flags == 0)
            continue;
        out_string(prefix);
        out_string(list[i]->name);
        if (list[i]->value) {
            out_string("=");
            out_quoted(list[i]->value);
        }
        out_string("\n");
    }
}

void variables_import(char **environment)
{
    for (; environment && *environment; environment++) {
        size_t length = name_length(*environment);

        if (length == 0 || (*environment)[length] != '=')
            continue;
        char *name = arena_copy(&shell.scratch, *environment, length);
        variable_set(name, *environment + length + 1);
        variable_mark(name, VARIABLE_EXPORTED);
    }
}

char **variables_export(void)
{
    struct words words = {.arena = &shell.scratch};

    words_add(&words, NULL);
    words.count = 0;
    for (size_t i = 0; i < TABLE_SIZE; i++) {
        for (const struct variable *at = table[i]; at; at = at->next) {
            if (at->value && at->flags & VARIABLE_EXPORTED)
                words_add(&words, arena_format(&shell.scratch, "%s=%s", at->name, at->value));
        }
    }
    return words.list;
}

/* ---- for a while -------------------------------------------------------------------------------
 */

void variable_save(const char *name)
{
    const struct variable *variable = *find_place(name, strlen(name));
    struct saved_variable *fresh = memory_resize(NULL, sizeof(*fresh));

    check_writable(variable);
    *fresh = (struct saved_variable){.older = saved, .name = memory_copy(name)};
    if (variable) {
        fresh->flags = variable->flags;
        fresh->value = variable->value ? memory_copy(variable->value) : NULL;
    }
    saved = fresh;
    saved_count++;
}

size_t variables_saved(void)
{
    return saved_count;
}

void variables_restore(size_t count)
{
    while (saved_count > count) {
        struct saved_variable *top = saved;
        struct variable *variable = find_or_make(top->name);

        free(variable->value);
        variable->value = top->value;
        variable->flags = top->flags;
        if (!top->value && top->flags == 0)
            variable_unset(top->name);
        saved = top->older;
        saved_count--;
        free(top->name);
        free(top);
    }
}
