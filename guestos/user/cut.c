/* SPDX-License-Identifier: MIT */
/* cut -c LIST [FILE...]: the characters of each line that LIST names; cut -f LIST [-d CHARACTER]
   [-s] [FILE...]: its fields, between tabs or that character (-s: lines without one are left out).
   LIST: numbers and ranges (1,3-5,7-) between commas. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "line.h"
#include "program.h"

enum { PLACES_MAX = 1024 };

/* places[i]: whether number i is wanted; all from `open_from` on are. */
struct list {
    bool places[PLACES_MAX + 1];
    long open_from;
};

static struct list list = {.open_from = PLACES_MAX + 1};

static bool wants(long place)
{
    return place >= list.open_from || (place <= PLACES_MAX && list.places[place]);
}

static bool take_range(char *text)
{
    char *end = text;
    long first = *text == '-' ? 1 : strtol(text, &end, 10), last = first;

    if (*end == '-') {
        bool is_open = end[1] == '\0';

        last = is_open ? PLACES_MAX : strtol(end + 1, &end, 10);
        if (is_open && first > 0 && first < list.open_from)
            list.open_from = first;
        if (is_open)
            end += strlen(end);
    }
    if (*end != '\0' || first < 1 || last < first || last > PLACES_MAX)
        return false;
    for (long i = first; i <= last; i++)
        list.places[i] = true;
    return true;
}

static bool parse_list(char *text)
{
    for (char *range = strtok(text, ","); range; range = strtok(NULL, ",")) {
        if (!take_range(range))
            return false;
    }
    return true;
}

static void cut_characters(const char *line)
{
    for (long i = 0; line[i]; i++) {
        if (wants(i + 1))
            putchar(line[i]);
    }
    putchar('\n');
}

static void cut_fields(const char *line, char between, bool only_with)
{
    long place = 1, shown = 0;

    if (!strchr(line, between)) {
        if (!only_with)
            puts(line);
        return;
    }
    for (const char *end; line; line = end ? end + 1 : NULL, place++) {
        end = strchr(line, between);
        if (!wants(place))
            continue;
        if (shown++)
            putchar(between);
        printf("%.*s", end ? (int)(end - line) : (int)strlen(line), line);
    }
    putchar('\n');
}

static int cut(FILE *file, const char *name, bool fields, char between, bool only_with)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;

    while ((length = getline(&line, &room, file)) > 0) {
        if (line[length - 1] == '\n')
            line[length - 1] = '\0';
        if (fields)
            cut_fields(line, between, only_with);
        else
            cut_characters(line);
    }
    free(line);
    return ferror(file) ? program_complain("cut", name) : 0;
}

int main(int argc, char **argv)
{
    static const char usage[] = "cut -c LIST [FILE...] | cut -f LIST [-d CHARACTER] [-s] [FILE...]";
    bool only_with = false;
    char between = '\t';
    int option, what = 0, status = 0;

    while ((option = getopt(argc, argv, "c:f:d:s")) != -1) {
        if (option == '?')
            return PROGRAM_USAGE;
        if (option == 'd' && strlen(optarg) == 1)
            between = optarg[0];
        else if (option == 's')
            only_with = true;
        else if (option == 'd' || what != 0 || !parse_list(optarg))
            return program_usage(usage);
        else
            what = option;
    }
    if (what == 0)
        return program_usage(usage);
    if (optind == argc)
        return cut(stdin, "standard input", what == 'f', between, only_with);
    for (int i = optind; i < argc; i++) {
        FILE *file = fopen(argv[i], "r");

        if (!file) {
            status |= program_complain("cut", argv[i]);
            continue;
        }
        status |= cut(file, argv[i], what == 'f', between, only_with);
        fclose(file);
    }
    return status;
}
