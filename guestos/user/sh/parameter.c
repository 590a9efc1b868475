/* SPDX-License-Identifier: MIT */
/*
 * $NAME, $1, $@ and ${...}: what may stand in the braces is
 *   NAME   #NAME   NAME[:](- = ? +)WORD   NAME(# ## % %%)PATTERN
 */
#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "expand.h"
#include "sh.h"
#include "syntax.h"
#include "trap.h"

enum { DECIMAL = 10 };

struct parameter {
    const char *name; /* in the text */
    size_t length;
    const char *value; /* NULL: not set */
};

/* How long the parameter's name at `text` is, or 0. In braces numbers may have several digits. */
static size_t parameter_length(const char *text, bool in_braces)
{
    size_t length = name_length(text);

    if (length > 0)
        return length;
    if (isdigit((unsigned char)*text)) {
        while (in_braces && isdigit((unsigned char)text[length + 1]))
            length++;
        return length + 1;
    }
    return *text && strchr("@*#?-$!", *text) ? 1 : 0;
}

static const char *format_number(long number)
{
    return arena_format(&shell.scratch, "%ld", number);
}

static const char *option_string(void)
{
    struct text text = {.arena = &shell.scratch};

    text_add(&text, "", 0);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (shell.options[i])
            text_add_byte(&text, option_letters[i]);
    }
    if (shell.interactive)
        text_add_byte(&text, 'i');
    return text.bytes;
}

static const char *argument_value(const char *digits, size_t length)
{
    long index = 0;

    for (size_t i = 0; i < length && index <= shell.arguments.count; i++)
        index = index * DECIMAL + digits[i] - '0';

    if (index == 0)
        return shell.name;
    return index > 0 && index <= shell.arguments.count ? shell.arguments.words[index - 1] : NULL;
}

/* "$*": the arguments with the first byte of IFS between them. */
static const char *joined_arguments(void)
{
    const char *separators = variable_get("IFS");
    struct text text = {.arena = &shell.scratch};

    if (shell.arguments.count == 0)
        return NULL;
    text_add(&text, "", 0);
    for (int i = 0; i < shell.arguments.count; i++) {
        if (i > 0 && !separators)
            text_add_byte(&text, ' ');
        else if (i > 0 && *separators)
            text_add_byte(&text, *separators);
        text_add_string(&text, shell.arguments.words[i]);
    }
    return text.bytes;
}

static const char *parameter_value(const char *name, size_t length)
{
    switch (*name) {
    case '@':
    case '*':
        return joined_arguments();
    case '#':
        return format_number(shell.arguments.count);
    case '?':
        return format_number(shell.last_status);
    case '$':
        return format_number(shell.pid);
    case '!':
        return shell.last_background ? format_number(shell.last_background) : NULL;
    case '-':
        return option_string();
    default:
        break;
    }
    if (isdigit((unsigned char)*name))
        return argument_value(name, length);
    if (length == strlen("LINENO") && strncmp(name, "LINENO", length) == 0)
        return format_number(shell.line);
    return variable_get_bytes(name, length);
}

static void check_set(const struct parameter *parameter)
{
    if (!parameter->value && shell.options[OPTION_NO_UNSET] && *parameter->name != '@' &&
        *parameter->name != '*')
        shell_fail("%.*s: is not set", (int)parameter->length, parameter->name);
}

/* Each argument is a field of its own, but for "$*". */
static void add_arguments(struct expansion *expansion, bool in_quotes)
{
    for (int i = 0; i < shell.arguments.count; i++) {
        if (i > 0)
            expansion_add(expansion, "", 1, BYTE_BREAK);
        if (in_quotes)
            expansion_add(expansion, "", 1, BYTE_MARK);
        expansion_add(expansion, shell.arguments.words[i], strlen(shell.arguments.words[i]),
                      in_quotes ? BYTE_QUOTED : BYTE_SPLIT);
    }
}

static void add_value(struct expansion *expansion, const struct parameter *parameter,
                      bool in_quotes)
{
    check_set(parameter);
    if (*parameter->name == '@' || (*parameter->name == '*' && !in_quotes))
        add_arguments(expansion, in_quotes);
    else if (parameter->value)
        expansion_add(expansion, parameter->value, strlen(parameter->value),
                      in_quotes ? BYTE_QUOTED : BYTE_SPLIT);
}

/* ---- ${...} ------------------------------------------------------------------------------------
 */

/* WORD of ${v-WORD}: unquoted parts of it are split like what $ gives. */
static void add_word(struct expansion *expansion, const char *text, size_t size, bool in_quotes)
{
    size_t start = expansion->length;

    expand_text(expansion, text, size, in_quotes ? QUOTING_DOUBLE : QUOTING_NONE);
    for (size_t i = start; i < expansion->length; i++) {
        if (expansion->kinds[i] == BYTE_PLAIN)
            expansion->kinds[i] = BYTE_SPLIT;
    }
}

static char *word_string(const char *text, size_t size, bool in_quotes)
{
    return expand_string(arena_copy(&shell.scratch, text, size),
                         in_quotes ? QUOTING_DOUBLE : QUOTING_NONE);
}

static void assign(const struct parameter *parameter, const char *value)
{
    char *name = arena_copy(&shell.scratch, parameter->name, parameter->length);

    if (name_length(name) == 0)
        shell_fail("%s: cannot be assigned to", name);
    variable_set(name, value);
}

/* The operators - = ? +, perhaps with a colon; `text` is behind the name. */
static void expand_default(struct expansion *expansion, struct parameter *parameter,
                           const char *text, size_t size, bool in_quotes)
{
    bool colon = *text == ':';
    char sign = text[colon];
    bool is_missing = !parameter->value || (colon && !*parameter->value);
    const char *word = text + colon + 1;
    size_t word_size = size - colon - 1;

    if (sign == '+') {
        if (!is_missing)
            add_word(expansion, word, word_size, in_quotes);
        return;
    }
    if (!is_missing) {
        add_value(expansion, parameter, in_quotes);
        return;
    }
    if (sign == '-') {
        add_word(expansion, word, word_size, in_quotes);
    } else if (sign == '=') {
        parameter->value = word_string(word, word_size, in_quotes);
        assign(parameter, parameter->value);
        add_value(expansion, parameter, in_quotes);
    } else {
        const char *message = word_string(word, word_size, in_quotes);

        shell_fail("%.*s: %s", (int)parameter->length, parameter->name,
                   *message ? message : "is not set");
    }
}

/* The value without what matches at its start (#, ##) or end (%, %%), as little or as much. */
static char *trim(const char *value, const char *pattern, bool at_end, bool longest)
{
    char *copy = arena_copy(&shell.scratch, value, strlen(value));
    size_t length = strlen(copy);

    for (size_t i = 0; i <= length; i++) {
        size_t cut = at_end == longest ? i : length - i;
        char kept = copy[cut];
        bool matches;

        trap_check();
        if (at_end) {
            matches = fnmatch(pattern, copy + cut, 0) == 0;
        } else {
            copy[cut] = '\0';
            matches = fnmatch(pattern, copy, 0) == 0;
            copy[cut] = kept;
        }
        if (!matches)
            continue;
        if (!at_end)
            return copy + cut;
        copy[cut] = '\0';
        return copy;
    }
    return copy;
}

static void expand_trimmed(struct expansion *expansion, struct parameter *parameter,
                           const char *text, size_t size, bool in_quotes)
{
    bool longest = size > 1 && text[1] == text[0];
    char *pattern;

    check_set(parameter);
    if (!parameter->value)
        return;
    pattern = expand_pattern(arena_copy(&shell.scratch, text + 1 + longest, size - 1 - longest));
    parameter->value = trim(parameter->value, pattern, *text == '%', longest);
    expansion_add(expansion, parameter->value, strlen(parameter->value),
                  in_quotes ? BYTE_QUOTED : BYTE_SPLIT);
}

/* Whether "#..." in braces asks for a length. */
static bool asks_length(const char *text, size_t size)
{
    return *text == '#' && size > 1 && parameter_length(text + 1, true) == size - 1;
}

/* What stands in the braces. */
static void expand_braces(struct expansion *expansion, const char *text, size_t size,
                          bool in_quotes)
{
    bool of_length = asks_length(text, size);
    struct parameter parameter = {.name = text + of_length};
    const char *rest;

    parameter.length = parameter_length(parameter.name, true);
    rest = parameter.name + parameter.length;
    size -= parameter.length + of_length;
    if (parameter.length > 0)
        parameter.value = parameter_value(parameter.name, parameter.length);
    if (parameter.length > 0 && of_length) {
        check_set(&parameter);
        rest = format_number(parameter.value ? (long)strlen(parameter.value) : 0);
        expansion_add(expansion, rest, strlen(rest), in_quotes ? BYTE_QUOTED : BYTE_SPLIT);
    } else if (parameter.length > 0 && size == 0) {
        add_value(expansion, &parameter, in_quotes);
    } else if (parameter.length > 0 && strchr("-=?+", rest[*rest == ':' && size > 1])) {
        expand_default(expansion, &parameter, rest, size, in_quotes);
    } else if (parameter.length > 0 && strchr("#%", *rest)) {
        expand_trimmed(expansion, &parameter, rest, size, in_quotes);
    } else {
        shell_fail("${%.*s}: is no parameter", (int)(size + parameter.length + of_length), text);
    }
}

size_t expand_parameter(struct expansion *expansion, const char *text, bool in_quotes)
{
    struct parameter parameter = {.name = text + 1};
    size_t size;

    if (text[1] == '{') {
        (void)dollar_measure(text, in_quotes, &size);
        expand_braces(expansion, arena_copy(&shell.scratch, text + 2, size - 3), size - 3,
                      in_quotes);
        return size;
    }
    parameter.length = parameter_length(text + 1, false);
    if (parameter.length == 0)
        return 0;
    parameter.value = parameter_value(parameter.name, parameter.length);
    add_value(expansion, &parameter, in_quotes);
    return parameter.length + 1;
}
