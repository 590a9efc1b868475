/* SPDX-License-Identifier: MIT */
/* sort [-nru] [FILE...]: the lines of all files in order; -n by the number that each begins with,
 * -r backwards, -u equal ones once. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "line.h"
#include "program.h"

static bool by_number;
static bool backwards;
static bool once;

static char **lines;
static size_t line_count;
static size_t line_room;

static int compare_keys(const char *one, const char *other)
{
    if (by_number) {
        double a = strtod(one, NULL);
        double b = strtod(other, NULL);

        if (a != b)
            return a < b ? -1 : 1;
        return 0;
    }
    return strcmp(one, other);
}

/* Lines with equal keys come in the order of their bytes, as POSIX has it. */
static int compare_lines(const void *one, const void *other)
{
    const char *a = *(char *const *)one;
    const char *b = *(char *const *)other;
    int result = compare_keys(a, b);

    if (result == 0 && !once)
        result = strcmp(a, b);
    return backwards ? -result : result;
}

static bool add_line(const char *line)
{
    if (line_count == line_room) {
        size_t room = line_room ? line_room * 2 : 64;
        char **longer = realloc(lines, room * sizeof(*lines));

        if (!longer)
            return false;
        lines = longer;
        line_room = room;
    }
    lines[line_count] = strdup(line);
    return lines[line_count] && ++line_count;
}

static int read_lines(FILE *file, const char *name)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;

    while ((length = getline(&line, &room, file)) > 0) {
        if (line[length - 1] == '\n')
            line[length - 1] = '\0';
        if (!add_line(line)) {
            free(line);
            return program_complain("sort", name);
        }
    }
    free(line);
    return ferror(file) ? program_complain("sort", name) : 0;
}

static int read_named(const char *name)
{
    FILE *file = fopen(name, "r");
    int status;

    if (!file)
        return program_complain("sort", name);
    status = read_lines(file, name);
    fclose(file);
    return status;
}

int main(int argc, char **argv)
{
    int status = 0;
    int option;

    while ((option = getopt(argc, argv, "nru")) != -1) {
        by_number |= option == 'n';
        backwards |= option == 'r';
        once |= option == 'u';
        if (option == '?')
            return PROGRAM_USAGE;
    }
    if (optind == argc)
        status = read_lines(stdin, "standard input");
    for (int i = optind; i < argc; i++)
        status |= read_named(argv[i]);
    if (status != 0)
        return PROGRAM_USAGE; /* as POSIX has it: an error is above 1 */
    if (line_count > 0)
        qsort(lines, line_count, sizeof(*lines), compare_lines);
    for (size_t i = 0; i < line_count; i++) {
        if (!once || i == 0 || compare_keys(lines[i - 1], lines[i]) != 0)
            puts(lines[i]);
    }
    return 0;
}
