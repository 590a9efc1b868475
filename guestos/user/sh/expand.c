/* SPDX-License-Identifier: MIT */
/*
 * Quotes and $ in words. 'as it is', "with $", \x; $?, $$, $#, $0 to $9, $NAME and ${NAME} from the
 * environment. What $ gives is one word or a part of one: it is not split at blanks.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sh.h"

enum { NUMBER_TEXT_BYTES = 24 };

/* Text that grows, in the arena. */
struct text {
    char *bytes;
    size_t length;
    size_t room;
};

static void text_add(struct text *text, const char *from, size_t length)
{
    if (!text->bytes || text->room - text->length <= length) {
        size_t room = (text->length + length + 1) * 2;
        char *bytes = arena_alloc(room);

        if (text->length > 0)
            memcpy(bytes, text->bytes, text->length);
        text->bytes = bytes;
        text->room = room;
    }
    memcpy(text->bytes + text->length, from, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

static size_t name_length(const char *at)
{
    size_t length = 0;

    if (isdigit((unsigned char)*at))
        return 0;
    while (isalnum((unsigned char)at[length]) || at[length] == '_')
        length++;
    return length;
}

static void add_number(struct text *text, long number)
{
    char digits[NUMBER_TEXT_BYTES];

    text_add(text, digits, (size_t)snprintf(digits, sizeof(digits), "%ld", number));
}

static void add_argument(struct text *text, int index)
{
    const char *value = NULL;

    if (index == 0)
        value = shell.name;
    else if (index <= shell.argument_count)
        value = shell.arguments[index - 1];
    if (value)
        text_add(text, value, strlen(value));
}

static void add_variable(struct text *text, const char *name, size_t length)
{
    const char *value = getenv(arena_copy(name, length));

    if (value)
        text_add(text, value, strlen(value));
}

/* What the $ at `at` stands for; returns behind it. */
static const char *expand_dollar(struct text *text, const char *at)
{
    size_t length;

    at++;
    if (*at == '?') {
        add_number(text, shell.last_status);
    } else if (*at == '$') {
        add_number(text, getpid());
    } else if (*at == '#') {
        add_number(text, shell.argument_count);
    } else if (isdigit((unsigned char)*at)) {
        add_argument(text, *at - '0');
    } else if (*at == '{' && (length = name_length(at + 1)) > 0 && at[1 + length] == '}') {
        add_variable(text, at + 1, length);
        return at + length + 2;
    } else {
        length = name_length(at);
        if (length == 0)
            text_add(text, "$", 1);
        else
            add_variable(text, at, length);
        return at + length;
    }
    return at + 1;
}

/* Inside double quotes only these lose their meaning by a backslash. */
static bool is_escaped_in_quotes(const char *at)
{
    return at[0] == '\\' && at[1] && strchr("$\"\\`", at[1]);
}

static const char *expand_double_quoted(struct text *text, const char *at)
{
    at++;
    while (*at != '"') {
        if (*at == '$') {
            at = expand_dollar(text, at);
        } else {
            if (is_escaped_in_quotes(at))
                at++;
            text_add(text, at++, 1);
        }
    }
    return at + 1;
}

char *expand_word(const char *word)
{
    struct text text = {NULL, 0, 0};

    for (const char *at = word; *at;) {
        if (*at == '\'') {
            size_t length = strcspn(at + 1, "'");

            text_add(&text, at + 1, length);
            at += length + 2;
        } else if (*at == '"') {
            text_add(&text, "", 0);
            at = expand_double_quoted(&text, at);
        } else if (*at == '$') {
            at = expand_dollar(&text, at);
        } else if (at[0] == '\\' && at[1] == '\n') {
            at += 2;
        } else {
            if (at[0] == '\\' && at[1])
                at++;
            text_add(&text, at++, 1);
        }
    }
    return text.bytes;
}

bool assign_word(const char *word)
{
    size_t length = name_length(word);
    char *value;

    if (length == 0 || word[length] != '=')
        return false;
    value = expand_word(word + length + 1);
    setenv(arena_copy(word, length), value ? value : "", 1);
    return true;
}
