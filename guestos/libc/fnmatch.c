/* SPDX-License-Identifier: MIT */
/*
 * fnmatch: whether a string is of a pattern's shape. ? is any byte, * any number of them, [...] one
 * of several, with ranges, classes such as [:alpha:] and negation by ! or ^; a backslash makes the
 * next byte itself.
 *
 * A star is tried with as little as possible; when the rest does not match, only the last star
 * takes one byte more, so the time is at most the product of both lengths.
 */
#include <fnmatch.h>

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    int (*has)(int byte);
} classes[] = {
    {"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
    {"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
    {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit},
};

/* [:NAME:] at `pattern`: how long it is, or 0. */
static size_t match_class(const char *pattern, unsigned char byte, bool *matches)
{
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        size_t length = strlen(classes[i].name);

        if (strncmp(pattern, "[:", 2) == 0 && strncmp(pattern + 2, classes[i].name, length) == 0 &&
            strncmp(pattern + 2 + length, ":]", 2) == 0) {
            *matches |= classes[i].has(byte) != 0;
            return length + 4;
        }
    }
    return 0;
}

/* A byte of a bracket, perhaps behind a backslash; *at is moved behind it. */
static unsigned char bracket_byte(const char **at, int flags)
{
    if (**at == '\\' && (*at)[1] && !(flags & FNM_NOESCAPE))
        ++*at;
    return (unsigned char)*(*at)++;
}

/* Behind the bracket expression at `pattern`, or NULL if it is none: then [ is itself. */
static const char *match_bracket(const char *pattern, unsigned char byte, int flags, bool *matches)
{
    const char *at = pattern + 1;
    bool negated = *at == '!' || *at == '^';
    const char *first = at + negated;

    *matches = false;
    for (at = first; *at && (*at != ']' || at == first);) {
        size_t length = match_class(at, byte, matches);
        unsigned char low, high;

        if (length > 0) {
            at += length;
            continue;
        }
        low = high = bracket_byte(&at, flags);
        if (at[0] == '-' && at[1] && at[1] != ']') {
            at++;
            high = bracket_byte(&at, flags);
        }
        *matches |= low <= byte && byte <= high;
    }
    if (*at != ']')
        return NULL;
    *matches = *matches != negated && !(byte == '/' && (flags & FNM_PATHNAME));
    return at + 1;
}

/* A dot that only a dot of the pattern matches. */
static bool is_hidden(const char *string, const char *at, int flags)
{
    return *at == '.' && (flags & FNM_PERIOD) &&
           (at == string || ((flags & FNM_PATHNAME) && at[-1] == '/'));
}

/* One byte of the string by one element of the pattern, not a star: behind it, or NULL. */
static const char *match_one(const char *pattern, const char *string, const char *at, int flags)
{
    const char *behind = pattern + 1;
    bool matches = false;

    if (*pattern == '?' || *pattern == '[') {
        if (is_hidden(string, at, flags))
            return NULL;
        if (*pattern == '?')
            return *at == '/' && (flags & FNM_PATHNAME) ? NULL : behind;
        behind = match_bracket(pattern, (unsigned char)*at, flags, &matches);
        if (behind)
            return matches ? behind : NULL;
        return *at == '[' ? pattern + 1 : NULL;
    }
    if (*pattern == '\\' && pattern[1] && !(flags & FNM_NOESCAPE))
        behind = ++pattern + 1;
    return *pattern && *pattern == *at ? behind : NULL;
}

int fnmatch(const char *pattern, const char *string, int flags)
{
    const char *at = string, *star = NULL, *star_at = NULL;

    while (*at || *pattern) {
        const char *behind = NULL;

        if (*pattern == '*' && !is_hidden(string, at, flags)) {
            star = ++pattern;
            star_at = at;
            continue;
        }
        if (*at)
            behind = match_one(pattern, string, at, flags);
        if (behind) {
            pattern = behind;
            at++;
            continue;
        }
        if (!star || !*star_at || (*star_at == '/' && (flags & FNM_PATHNAME)))
            return FNM_NOMATCH;
        pattern = star;
        at = ++star_at;
    }
    return 0;
}
