/* SPDX-License-Identifier: MIT */
/* echo and printf. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builtin.h"
#include "sh.h"

enum {
    OCTAL_DIGITS = 3,
    DIRECTIVE_BYTES = 32,
    WIDTH_MAX = 4096,
};

int builtin_echo(int argc, char **argv)
{
    bool no_newline = argc > 1 && strcmp(argv[1], "-n") == 0;

    for (int i = 1 + no_newline; i < argc; i++) {
        out_string(argv[i]);
        if (i + 1 < argc)
            out_string(" ");
    }
    if (!no_newline)
        out_string("\n");
    return 0;
}

/* ---- printf ------------------------------------------------------------------------------------
 */

struct print {
    char **arguments; /* those that are left; the last is NULL */
    int status;
    bool ends; /* \c */
};

/* The backslash at *at, which is moved behind what it stands before: the byte. In %b octal numbers
   begin with a zero that does not count. */
static char take_escape(struct print *print, const char **at, bool in_argument)
{
    static const char letters[] = "abfnrtv\\", bytes[] = "\a\b\f\n\r\t\v\\";
    const char *place;
    unsigned number = 0;

    ++*at;
    if (in_argument && **at == 'c') {
        print->ends = true;
        return '\0';
    }
    place = **at ? strchr(letters, **at) : NULL;
    if (place) {
        ++*at;
        return bytes[place - letters];
    }
    if (**at < '0' || **at > '7')
        return '\\';
    *at += in_argument && **at == '0';
    for (int i = 0; i < OCTAL_DIGITS && **at >= '0' && **at <= '7'; i++)
        number = number * 8 + (unsigned)(*(*at)++ - '0');
    return (char)number;
}

static const char *next_argument(struct print *print)
{
    return *print->arguments ? *print->arguments++ : "";
}

/* 'x is the number of the byte x. */
static long long next_number(struct print *print)
{
    const char *text = next_argument(print);
    char *end;
    long long number;

    if (*text == '\'' || *text == '"')
        return (unsigned char)text[1];
    errno = 0;
    number = *text == '-' ? strtoll(text, &end, 0) : (long long)strtoull(text, &end, 0);
    if ((*text && (end == text || *end)) || errno != 0) {
        complain("printf: %s: not a number", text);
        print->status = 1;
    }
    return number;
}

static double next_double(struct print *print)
{
    const char *text = next_argument(print);
    char *end;
    double number = strtod(text, &end);

    if (*text && *end) {
        complain("printf: %s: not a number", text);
        print->status = 1;
    }
    return number;
}

/* %b: the argument with its backslashes. */
static const char *next_escaped(struct print *print)
{
    struct text text = {.arena = &shell.scratch};
    const char *at = next_argument(print);

    while (*at && !print->ends) {
        char byte = *at == '\\' ? take_escape(print, &at, true) : *at++;

        if (!print->ends)
            text_add_byte(&text, byte);
    }
    return text_string(&text);
}

/* Flags, width and precision from *at into a directive for printf of C. False: too long. */
static bool take_flags(struct print *print, const char **at, char *directive, size_t room)
{
    size_t used = 0;

    directive[used++] = '%';
    while (**at && strchr("-+ #0123456789.*", **at)) {
        long long number = **at == '*' ? next_number(print) : 0;
        int length = **at == '*' ? snprintf(directive + used, room - used, "%lld", number)
                                 : snprintf(directive + used, room - used, "%c", **at);

        if (length < 0 || (size_t)length >= room - used || number > WIDTH_MAX ||
            number < -WIDTH_MAX)
            return false;
        used += (size_t)length;
        ++*at;
    }
    directive[used] = '\0';
    for (const char *digit = directive; *digit; digit++) {
        if (isdigit((unsigned char)*digit) && strtol(digit, NULL, 10) > WIDTH_MAX)
            return false;
    }
    return true;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static void print_directive(struct print *print, char *directive, char kind)
{
    char *end = directive + strlen(directive);
    char *shown = NULL;

    if (strchr("diouxX", kind)) {
        (void)snprintf(end, 4, "ll%c", kind);
        shown = arena_format(&shell.scratch, directive, next_number(print));
    } else if (strchr("aAeEfFgG", kind)) {
        (void)snprintf(end, 4, "%c", kind);
        shown = arena_format(&shell.scratch, directive, next_double(print));
    } else if (kind == 'c') {
        (void)snprintf(end, 4, "c");
        shown = arena_format(&shell.scratch, directive, *next_argument(print));
    } else {
        (void)snprintf(end, 4, "s");
        shown = arena_format(&shell.scratch, directive,
                             kind == 'b' ? next_escaped(print) : next_argument(print));
    }
    out_string(shown);
}

#pragma GCC diagnostic pop

/* The format once. Whether it takes arguments. */
static bool print_once(struct print *print, const char *at)
{
    char directive[DIRECTIVE_BYTES + 4];
    bool takes = false;

    while (*at && !print->ends) {
        char byte;

        if (*at == '\\') {
            byte = take_escape(print, &at, false);
            out_bytes(&byte, 1);
        } else if (*at != '%') {
            out_bytes(at++, 1);
        } else if (at[1] == '%') {
            out_bytes(at, 1);
            at += 2;
        } else {
            at++;
            if (!take_flags(print, &at, directive, DIRECTIVE_BYTES) || !*at ||
                !strchr("diouxXaAeEfFgGcsb", *at)) {
                complain("printf: %%%s: no such directive", at);
                print->status = 1;
                print->ends = true;
                return false;
            }
            print_directive(print, directive, *at++);
            takes = true;
        }
    }
    return takes;
}

int builtin_printf(int argc, char **argv)
{
    struct print print = {0};
    int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;

    if (first >= argc)
        return builtin_usage("printf FORMAT [ARG...]");
    print.arguments = argv + first + 1;
    while (print_once(&print, argv[first]) && *print.arguments && !print.ends) {
    }
    return print.status;
}
