/* SPDX-License-Identifier: MIT */
/* tail [-n LINES | -c BYTES | -LINES] [-f] [FILE]: the last lines (10) or bytes; with +N, from the
   Nth on; -f: and what is added to the file later, until a signal comes. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"

enum {
    LINES = 10,
    ROOM_BYTES = 4096,
    LOOK_US = 250000,
};

/* All of the file, allocated; NULL when memory is out. */
static char *read_all(FILE *file, size_t *length)
{
    size_t room = ROOM_BYTES;
    char *bytes = malloc(room);

    *length = 0;
    while (bytes) {
        size_t size = fread(bytes + *length, 1, room - *length, file);
        char *longer;

        if (size == 0)
            break;
        *length += size;
        if (*length < room)
            continue;
        room *= 2;
        longer = realloc(bytes, room);
        if (!longer)
            free(bytes);
        bytes = longer;
    }
    return bytes;
}

/* Where the last `count` lines begin. */
static size_t last_lines(const char *bytes, size_t length, size_t count)
{
    size_t at = length;

    while (at > 0) {
        if (bytes[at - 1] == '\n' && at < length && count-- == 1)
            break;
        if (count == 0)
            return length;
        at--;
    }
    return at;
}

/* Where line `number`, counted from 1, begins. */
static size_t line_start(const char *bytes, size_t length, size_t number)
{
    size_t at = 0;

    while (number > 1 && at < length)
        number -= bytes[at++] == '\n';
    return at;
}

static size_t start_of(const char *bytes, size_t length, long count, bool in_bytes, bool from_start)
{
    size_t wanted = (size_t)count;

    if (from_start && !in_bytes)
        return line_start(bytes, length, wanted);
    if (!in_bytes)
        return last_lines(bytes, length, wanted);
    if (from_start)
        return wanted == 0 ? 0 : wanted - 1 < length ? wanted - 1 : length;
    return wanted < length ? length - wanted : 0;
}

/* Until a signal comes. */
static int follow(FILE *file, const char *name)
{
    int c;

    for (;;) {
        fflush(stdout);
        usleep(LOOK_US);
        clearerr(file);
        while ((c = getc(file)) != EOF)
            putchar(c);
        if (ferror(file))
            return program_complain("tail", name);
    }
}

int main(int argc, char **argv)
{
    FILE *file = stdin;
    bool in_bytes = false;
    bool from_start = false;
    bool follows = false;
    long count = LINES;
    size_t length;
    size_t start;
    char *bytes;
    int option;

    program_count_option(argc, argv);
    while ((option = getopt(argc, argv, "n:c:f")) != -1) {
        char *end = NULL;

        if (option == '?')
            return PROGRAM_USAGE;
        follows |= option == 'f';
        if (option == 'f')
            continue;
        in_bytes = option == 'c';
        from_start = optarg[0] == '+';
        count = labs(strtol(optarg, &end, 10));
        if (*end || end == optarg)
            return program_usage("tail [-n LINES | -c BYTES] [-f] [FILE]");
    }
    if (argc - optind > 1)
        return program_usage("tail [-n LINES | -c BYTES] [-f] [FILE]");
    if (optind < argc && !(file = fopen(argv[optind], "r")))
        return program_complain("tail", argv[optind]);
    bytes = read_all(file, &length);
    if (!bytes || ferror(file))
        return program_complain("tail", optind < argc ? argv[optind] : "standard input");
    start = start_of(bytes, length, count, in_bytes, from_start);
    fwrite(bytes + start, 1, length - start, stdout);
    free(bytes);
    return follows ? follow(file, optind < argc ? argv[optind] : "standard input") : 0;
}
