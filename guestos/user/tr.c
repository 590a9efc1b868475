/* SPDX-License-Identifier: MIT */
/*
 * tr [-cds] SET [SET]: put the characters of the second set in the place of those of the first; -d:
 * leave them out; -s: of several equal ones of the last set leave one; -c: all but the first set.
 * In a set a-z is a range, and \n \t \\ are what they are in C.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "program.h"

enum { CHARACTERS = 256 };

struct set {
    unsigned char members[CHARACTERS];
    int count;
};

static unsigned char take(const char **text)
{
    unsigned char c = (unsigned char)*(*text)++;

    if (c != '\\' || **text == '\0')
        return c;
    c = (unsigned char)*(*text)++;
    return c == 'n' ? '\n' : c == 't' ? '\t' : c;
}

static void add(struct set *set, unsigned char c)
{
    if (set->count < CHARACTERS)
        set->members[set->count++] = c;
}

/* False: a range goes backwards. */
static bool parse(struct set *set, const char *text)
{
    set->count = 0;
    while (*text) {
        unsigned char first = take(&text), last = first;

        if (text[0] == '-' && text[1] != '\0') {
            text++;
            last = take(&text);
        }
        if (last < first)
            return false;
        for (int c = first; c <= last; c++)
            add(set, (unsigned char)c);
    }
    return true;
}

static bool has(const struct set *set, int c)
{
    return memchr(set->members, c, (size_t)set->count) != NULL;
}

static void complement(struct set *set)
{
    struct set others = {.count = 0};

    for (int c = 0; c < CHARACTERS; c++) {
        if (!has(set, c))
            add(&others, (unsigned char)c);
    }
    *set = others;
}

/* What each character becomes; the second set's last one stands for those that it lacks. */
static void make_map(unsigned char *map, const struct set *from, const struct set *to)
{
    for (int c = 0; c < CHARACTERS; c++)
        map[c] = (unsigned char)c;
    for (int i = 0; i < from->count && to->count > 0; i++)
        map[from->members[i]] = to->members[i < to->count ? i : to->count - 1];
}

static void translate(const unsigned char *map, const struct set *deleted,
                      const struct set *squeezed)
{
    int before = EOF, c;

    while ((c = getchar()) != EOF) {
        if (deleted && has(deleted, c))
            continue;
        c = map[c];
        if (squeezed && c == before && has(squeezed, c))
            continue;
        putchar(c);
        before = c;
    }
}

int main(int argc, char **argv)
{
    static const char usage[] = "tr [-cds] SET [SET]";
    bool complements = false, deletes = false, squeezes = false;
    struct set sets[2] = {{.count = 0}, {.count = 0}};
    unsigned char map[CHARACTERS];
    int option, count;

    while ((option = getopt(argc, argv, "cds")) != -1) {
        if (option == '?')
            return PROGRAM_USAGE;
        complements |= option == 'c';
        deletes |= option == 'd';
        squeezes |= option == 's';
    }
    count = argc - optind;
    if (count < 1 || count > 2 || (count == 1 && !deletes && !squeezes) ||
        (count == 2 && deletes && !squeezes))
        return program_usage(usage);
    for (int i = 0; i < count; i++) {
        if (!parse(&sets[i], argv[optind + i]))
            return program_usage(usage);
    }
    if (complements)
        complement(&sets[0]);
    make_map(map, &sets[0], deletes ? &(struct set){.count = 0} : &sets[1]);
    translate(map, deletes ? &sets[0] : NULL, squeezes ? &sets[count - 1] : NULL);
    return ferror(stdin) ? program_complain("tr", "standard input") : 0;
}
