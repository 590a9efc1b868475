/* SPDX-License-Identifier: MIT */
/* hexdump [-n BYTES] [-s SKIP] [FILE]: offsets, bytes, and the characters that they are. Lines like
   the one before are shown as one star. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"

enum { LINE_BYTES = 16 };

static void print_line(unsigned long offset, const unsigned char *bytes, size_t count)
{
    printf("%08lx ", offset);
    for (size_t i = 0; i < LINE_BYTES; i++) {
        if (i % (LINE_BYTES / 2) == 0)
            putchar(' ');
        if (i < count)
            printf("%02x ", bytes[i]);
        else
            printf("   ");
    }
    printf(" |");
    for (size_t i = 0; i < count; i++)
        putchar(isprint(bytes[i]) ? bytes[i] : '.');
    puts("|");
}

static void dump(FILE *file, unsigned long offset, unsigned long left)
{
    unsigned char bytes[LINE_BYTES], before[LINE_BYTES];
    bool has_before = false, is_starred = false;
    size_t count;

    while (left > 0 && (count = fread(bytes, 1, left < LINE_BYTES ? left : LINE_BYTES, file)) > 0) {
        bool same = has_before && count == LINE_BYTES && memcmp(bytes, before, count) == 0;

        if (!same)
            print_line(offset, bytes, count);
        else if (!is_starred)
            puts("*");
        is_starred = same;
        has_before = count == LINE_BYTES;
        memcpy(before, bytes, count);
        offset += count;
        left -= count;
    }
    printf("%08lx\n", offset);
}

/* By reading, so that pipes can be skipped in too. */
static unsigned long skip(FILE *file, unsigned long count)
{
    unsigned long done = 0;

    while (done < count && getc(file) != EOF)
        done++;
    return done;
}

int main(int argc, char **argv)
{
    static const char usage[] = "hexdump [-n BYTES] [-s SKIP] [FILE]";
    unsigned long left = -1UL, skipped = 0;
    FILE *file = stdin;
    int option, status;

    while ((option = getopt(argc, argv, "n:s:")) != -1) {
        char *end = NULL;
        unsigned long value;

        if (option == '?')
            return PROGRAM_USAGE;
        value = strtoul(optarg, &end, 0);
        if (*end || end == optarg)
            return program_usage(usage);
        *(option == 'n' ? &left : &skipped) = value;
    }
    if (argc - optind > 1)
        return program_usage(usage);
    if (optind < argc)
        file = fopen(argv[optind], "r");
    if (!file)
        return program_complain("hexdump", argv[optind]);
    dump(file, skip(file, skipped), left);
    status = ferror(file) ? program_complain("hexdump", optind < argc ? argv[optind] : "input") : 0;
    if (file != stdin)
        fclose(file);
    return status;
}
