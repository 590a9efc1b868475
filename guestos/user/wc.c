/* SPDX-License-Identifier: MIT */
/* wc [-lwc] [FILE...]: count lines, words, bytes. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct counts {
    unsigned long lines;
    unsigned long words;
    unsigned long bytes;
};

static bool show_lines;
static bool show_words;
static bool show_bytes;

static void print_counts(const struct counts *counts, const char *name)
{
    if (show_lines)
        printf("%7lu", counts->lines);
    if (show_words)
        printf("%7lu", counts->words);
    if (show_bytes)
        printf("%7lu", counts->bytes);
    printf(*name ? " %s\n" : "%s\n", name);
}

static int count(FILE *file, struct counts *counts)
{
    bool in_word = false;
    int c;

    while ((c = getc(file)) != EOF) {
        counts->bytes++;
        if (c == '\n')
            counts->lines++;
        if (isspace(c)) {
            in_word = false;
        } else if (!in_word) {
            in_word = true;
            counts->words++;
        }
    }
    return ferror(file) ? -1 : 0;
}

static int count_named(const char *name, struct counts *total)
{
    struct counts counts = {0, 0, 0};
    FILE *file = fopen(name, "r");
    int result;

    if (!file) {
        fprintf(stderr, "wc: %s: %s\n", name, strerror(errno));
        return -1;
    }
    result = count(file, &counts);
    if (result < 0)
        fprintf(stderr, "wc: %s: %s\n", name, strerror(errno));
    fclose(file);
    print_counts(&counts, name);
    total->lines += counts.lines;
    total->words += counts.words;
    total->bytes += counts.bytes;
    return result;
}

static int parse_options(int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "lwc")) != -1) {
        show_lines |= option == 'l';
        show_words |= option == 'w';
        show_bytes |= option == 'c';
        if (option == '?')
            return -1;
    }
    if (!show_lines && !show_words && !show_bytes)
        show_lines = show_words = show_bytes = true;
    return 0;
}

int main(int argc, char **argv)
{
    struct counts total = {0, 0, 0};
    int status = 0;

    if (parse_options(argc, argv) < 0)
        return 2;
    if (optind == argc) {
        status = count(stdin, &total) < 0;
        print_counts(&total, "");
        return status;
    }
    for (int i = optind; i < argc; i++) {
        if (count_named(argv[i], &total) < 0)
            status = 1;
    }
    if (argc - optind > 1)
        print_counts(&total, "total");
    return status;
}
