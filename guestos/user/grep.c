/* SPDX-License-Identifier: MIT */
/*
 * grep [-cilnqv] PATTERN [FILE...]: print the lines that match; -l: only the names of the files.
 *
 * Patterns: . * ^ $ \ and [ranges], as in basic regular expressions. Status: 0 some line matched,
 * 1 none did, 2 trouble.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    bool count_only;
    bool ignore_case;
    bool names_only;
    bool invert;
    bool number_lines;
    bool quiet;
} options;

static int fold(int c)
{
    return options.ignore_case ? tolower(c) : c;
}

/* The length of the first element of a pattern: a character, an escaped one, or a [set]. */
static size_t element_length(const char *pattern)
{
    const char *at = pattern + 1;

    if (pattern[0] == '\\' && pattern[1])
        return 2;
    if (pattern[0] != '[')
        return 1;
    if (*at == '^')
        at++;
    if (*at == ']')
        at++;
    while (*at && *at != ']')
        at++;
    return *at ? (size_t)(at - pattern) + 1 : 1;
}

static bool set_matches(const char *set, size_t length, int c)
{
    const char *at = set + 1;
    const char *end = set + length - 1;
    bool wanted = true;

    if (*at == '^') {
        wanted = false;
        at++;
    }
    for (; at < end; at++) {
        int low = fold((unsigned char)at[0]);
        int high = low;

        if (at + 2 < end && at[1] == '-') {
            high = fold((unsigned char)at[2]);
            at += 2;
        }
        if (c >= low && c <= high)
            return wanted;
    }
    return !wanted;
}

static bool element_matches(const char *pattern, size_t length, char character)
{
    int c = fold((unsigned char)character);

    if (pattern[0] == '.' && length == 1)
        return true;
    if (pattern[0] == '\\' && length == 2)
        return fold((unsigned char)pattern[1]) == c;
    if (length > 1)
        return set_matches(pattern, length, c);
    return fold((unsigned char)pattern[0]) == c;
}

/* Whether the pattern matches at the beginning of the text. */
static bool matches_here(const char *pattern, const char *text)
{
    while (*pattern) {
        size_t length = element_length(pattern);

        if (pattern[0] == '$' && pattern[1] == '\0')
            return *text == '\0';
        if (pattern[length] == '*') {
            const char *longest = text;

            while (*longest && element_matches(pattern, length, *longest))
                longest++;
            for (; longest >= text; longest--) {
                if (matches_here(pattern + length + 1, longest))
                    return true;
            }
            return false;
        }
        if (!*text || !element_matches(pattern, length, *text))
            return false;
        pattern += length;
        text++;
    }
    return true;
}

static bool matches(const char *pattern, const char *text)
{
    if (*pattern == '^')
        return matches_here(pattern + 1, text);
    do {
        if (matches_here(pattern, text))
            return true;
    } while (*text++);
    return false;
}

static void print_line(const char *name, unsigned long number, const char *line)
{
    if (name)
        printf("%s:", name);
    if (options.number_lines)
        printf("%lu:", number);
    printf("%s\n", line);
}

/* How many lines matched, or -1. `name` stands before each line unless NULL. */
static long search(FILE *file, const char *name, const char *pattern)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    unsigned long number = 0;
    long count = 0;

    while ((length = __getline(&line, &size, file)) >= 0) {
        number++;
        if (length > 0 && line[length - 1] == '\n')
            line[length - 1] = '\0';
        if (matches(pattern, line) == options.invert)
            continue;
        count++;
        if (options.quiet || options.names_only)
            break;
        if (!options.count_only)
            print_line(name, number, line);
    }
    free(line);
    if (ferror(file))
        return -1;
    if (options.names_only && !options.quiet && count > 0)
        puts(name ? name : "(standard input)");
    else if (options.count_only && !options.quiet && !options.names_only)
        printf(name ? "%s:%ld\n" : "%s%ld\n", name ? name : "", count);
    return count;
}

static bool parse_options(int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "cilnqv")) != -1) {
        options.count_only |= option == 'c';
        options.ignore_case |= option == 'i';
        options.invert |= option == 'v';
        options.number_lines |= option == 'n';
        options.quiet |= option == 'q';
        options.names_only |= option == 'l';
        if (option == '?')
            return false;
    }
    return optind < argc;
}

static long search_named(const char *path, bool show_name, const char *pattern)
{
    FILE *file = fopen(path, "r");
    long count = -1;

    if (file) {
        count = search(file, show_name || options.names_only ? path : NULL, pattern);
        fclose(file);
    }
    if (count < 0)
        fprintf(stderr, "grep: %s: %s\n", path, strerror(errno));
    return count;
}

int main(int argc, char **argv)
{
    const char *pattern;
    bool trouble = false;
    long total = 0;

    if (!parse_options(argc, argv)) {
        fprintf(stderr, "usage: grep [-cilnqv] PATTERN [FILE...]\n");
        return 2;
    }
    pattern = argv[optind++];
    if (optind == argc) {
        total = search(stdin, NULL, pattern);
        trouble = total < 0;
    }
    for (int i = optind; i < argc; i++) {
        long count = search_named(argv[i], argc - optind > 1, pattern);
        trouble |= count < 0;
        total += count > 0 ? count : 0;
    }
    if (trouble)
        return 2;
    return total > 0 ? 0 : 1;
}
