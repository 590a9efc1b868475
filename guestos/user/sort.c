/* SPDX-License-Identifier: MIT */
/* sort [-nru] [-t C] [-k FIRST[,LAST]] [FILE...]: the lines of all files in order; -n by the number
 * that each begins with, -r backwards, -u equal ones once; -k by those fields, counted from 1, and
 * without LAST to the end of the line. Fields are what blanks divide, or -t's character. */
#include <limits.h>
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
static char divider; /* 0: blanks */
static long first_field = 1, last_field = LONG_MAX;

static char **lines;
static size_t line_count;
static size_t line_room;

static bool divides(char c)
{
    return divider ? c == divider : c == ' ' || c == '\t';
}

/* Behind a field; the blanks before one are part of it. */
static const char *field_end(const char *at)
{
    while (!divider && divides(*at))
        at++;
    while (*at && !divides(*at))
        at++;
    return at;
}

/* The part of a line by which it is sorted: its length. */
static size_t key_of(const char *line, const char **key)
{
    const char *end;
    long field = 1;

    for (; field < first_field && *line; field++) {
        line = field_end(line);
        line += divider && *line;
    }
    *key = line;
    if (last_field == LONG_MAX)
        return strlen(line);
    end = field_end(line);
    for (; field < last_field && *end; field++)
        end = field_end(end + (divider != 0));
    return (size_t)(end - line);
}

static int compare_keys(const char *one, const char *other)
{
    size_t one_length = key_of(one, &one), other_length = key_of(other, &other);
    size_t common = one_length < other_length ? one_length : other_length;
    int result;

    if (by_number) {
        double a = strtod(one, NULL);
        double b = strtod(other, NULL);

        if (a != b)
            return a < b ? -1 : 1;
        return 0;
    }
    result = memcmp(one, other, common);
    return result != 0 ? result : (one_length > other_length) - (one_length < other_length);
}

/* FIRST[,LAST] of -k. */
static bool take_key(const char *text)
{
    char *end = NULL;

    first_field = strtol(text, &end, 10);
    last_field = *end == ',' ? strtol(end + 1, &end, 10) : LONG_MAX;
    return *end == '\0' && first_field > 0 && last_field >= first_field;
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

    while ((option = getopt(argc, argv, "nrut:k:")) != -1) {
        by_number |= option == 'n';
        backwards |= option == 'r';
        once |= option == 'u';
        if (option == 't' && optarg[0] && !optarg[1])
            divider = optarg[0];
        else if (option == '?')
            return PROGRAM_USAGE;
        else if (option == 't' || (option == 'k' && !take_key(optarg)))
            return program_usage("sort [-nru] [-t CHARACTER] [-k FIRST[,LAST]] [FILE...]");
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
