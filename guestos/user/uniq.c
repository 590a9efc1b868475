/* SPDX-License-Identifier: MIT */
/* uniq [-cdu] [FILE]: equal lines that follow each other once; -c with how many they were, -d only
 * those that were several, -u only those that were one. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "line.h"
#include "program.h"

static bool with_count;
static bool only_repeated;
static bool only_single;

static void print_line(const char *line, unsigned long count)
{
    if (count == 0 || (only_repeated && count == 1) || (only_single && count > 1))
        return;
    if (with_count)
        printf("%7lu ", count);
    fputs(line, stdout);
    putchar('\n');
}

int main(int argc, char **argv)
{
    FILE *file = stdin;
    char *line = NULL;
    char *last = NULL;
    size_t room = 0;
    size_t last_room = 0;
    unsigned long count = 0;
    ssize_t length;
    int option;

    while ((option = getopt(argc, argv, "cdu")) != -1) {
        with_count |= option == 'c';
        only_repeated |= option == 'd';
        only_single |= option == 'u';
        if (option == '?')
            return PROGRAM_USAGE;
    }
    if (argc - optind > 1)
        return program_usage("uniq [-cdu] [FILE]");
    if (optind < argc && !(file = fopen(argv[optind], "r")))
        return program_complain("uniq", argv[optind]);
    while ((length = getline(&line, &room, file)) > 0) {
        char *swapped = last;
        size_t swapped_room = last_room;

        if (line[length - 1] == '\n')
            line[length - 1] = '\0';
        if (count > 0 && strcmp(line, last) == 0) {
            count++;
            continue;
        }
        print_line(last, count);
        last = line, last_room = room;
        line = swapped, room = swapped_room;
        count = 1;
    }
    print_line(last, count);
    return ferror(file) ? program_complain("uniq", "read") : 0;
}
