/* SPDX-License-Identifier: MIT */
/* Quotes, $, ` and ~ in words, to bytes that know their kind. */
#include "expand.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "job.h"
#include "run.h"
#include "sh.h"
#include "syntax.h"

enum {
    EXPANSION_FIRST_BYTES = 32,
    OUTPUT_PIECE_BYTES = 1024,
};

void expansion_add(struct expansion *expansion, const char *bytes, size_t length,
                   enum byte_kind kind)
{
    if (expansion->room - expansion->length < length) {
        size_t room = (expansion->length + length) * 2 + EXPANSION_FIRST_BYTES;
        char *larger = arena_alloc(&shell.scratch, room);
        unsigned char *kinds = arena_alloc(&shell.scratch, room);

        if (expansion->length > 0) {
            memcpy(larger, expansion->bytes, expansion->length);
            memcpy(kinds, expansion->kinds, expansion->length);
        }
        expansion->bytes = larger;
        expansion->kinds = kinds;
        expansion->room = room;
    }
    if (length == 0)
        return;
    memcpy(expansion->bytes + expansion->length, bytes, length);
    memset(expansion->kinds + expansion->length, kind, length);
    expansion->length += length;
}

/* ---- command substitution ----------------------------------------------------------------------
 */

static char *read_output(int descriptor)
{
    struct text text = {.arena = &shell.scratch};
    char piece[OUTPUT_PIECE_BYTES];

    for (;;) {
        ssize_t got = read(descriptor, piece, sizeof(piece));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        for (ssize_t i = 0; i < got; i++) {
            if (piece[i] != '\0')
                text_add_byte(&text, piece[i]);
        }
    }
    while (text.length > 0 && text.bytes[text.length - 1] == '\n')
        text.bytes[--text.length] = '\0';
    return arena_copy(&shell.scratch, text_string(&text), text.length);
}

char *command_output(const char *text, size_t size)
{
    char *commands = arena_copy(&shell.scratch, text, size);
    struct job *job = job_new(NULL);
    int ends[2];
    char *output;
    pid_t pid;

    if (pipe(ends) < 0)
        shell_fail("pipe: %s", strerror(errno));
    pid = job_fork(job, JOB_SAME_GROUP);
    if (pid == 0) {
        close(ends[0]);
        if (ends[1] != STDOUT_FILENO) {
            (void)dup2(ends[1], STDOUT_FILENO);
            close(ends[1]);
        }
        shell_exit(run_text(commands, shell.line, true));
    }
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        job_drop(job);
        shell_abort(STATUS_USAGE);
    }
    output = read_output(ends[0]);
    close(ends[0]);
    shell.last_status = job_wait(job);
    shell.has_substituted = true;
    return output;
}

/* Inside backquotes a backslash stands before ` \ $ only. */
static char *unquote_backquoted(const char *text, size_t size, bool in_quotes)
{
    struct text plain = {.arena = &shell.scratch};

    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\\' && i + 1 < size && strchr(in_quotes ? "$`\\\"" : "$`\\", text[i + 1]))
            i++;
        text_add_byte(&plain, text[i]);
    }
    return arena_copy(&shell.scratch, text_string(&plain), plain.length);
}

/* ---- words -------------------------------------------------------------------------------------
 */

static bool is_unquoted(enum quoting quoting)
{
    return quoting == QUOTING_NONE || quoting == QUOTING_ASSIGNMENT;
}

static void add_arithmetic(struct expansion *expansion, const char *text, size_t size,
                           enum byte_kind kind)
{
    struct expansion inner = {0};
    const char *number;

    expand_text(&inner, text, size, QUOTING_HERE);
    expansion_add(&inner, "", 1, BYTE_QUOTED);
    number = arena_format(&shell.scratch, "%lld", (long long)arithmetic(inner.bytes));
    expansion_add(expansion, number, strlen(number), kind);
}

/* What begins with $ or `: how long it is. */
static size_t expand_dollar(struct expansion *expansion, const char *text, enum quoting quoting)
{
    bool in_quotes = !is_unquoted(quoting);
    enum byte_kind kind = in_quotes ? BYTE_QUOTED : BYTE_SPLIT;
    const char *output;
    size_t size;

    if (*text == '$' && text[1] != '(') {
        size = expand_parameter(expansion, text, in_quotes);
        if (size == 0)
            expansion_add(expansion, text, 1, in_quotes ? BYTE_QUOTED : BYTE_PLAIN);
        return size > 0 ? size : 1;
    }
    switch (dollar_measure(text, in_quotes, &size)) {
    case DOLLAR_ARITHMETIC:
        add_arithmetic(expansion, text + 3, size - 5, kind);
        return size;
    case DOLLAR_BACKQUOTE:
        output = unquote_backquoted(text + 1, size - 2, quoting == QUOTING_DOUBLE);
        output = command_output(output, strlen(output));
        break;
    default:
        output = command_output(text + 2, size - 3);
        break;
    }
    expansion_add(expansion, output, strlen(output), kind);
    return size;
}

/* '...': how long it is. */
static size_t expand_single_quoted(struct expansion *expansion, const char *text)
{
    size_t length = strcspn(text + 1, "'");

    expansion_add(expansion, "", 1, BYTE_MARK);
    expansion_add(expansion, text + 1, length, BYTE_QUOTED);
    return length + 2;
}

/* "...": how long it is. What is "$@" alone gives no field if there are no arguments. */
static size_t expand_double_quoted(struct expansion *expansion, const char *text, size_t size)
{
    size_t start = expansion->length, end = 1, step;
    bool is_arguments;

    while (end < size && text[end] != '"') {
        if (text[end] == '\\' && end + 1 < size)
            end += 2;
        else if (text[end] == '`' || (text[end] == '$' && end + 1 < size && text[end + 1] &&
                                      strchr("({", text[end + 1])))
            (void)dollar_measure(text + end, true, &step), end += step;
        else
            end++;
    }
    is_arguments = end > 1 && strncmp(text + 1, "$@", 2) == 0;
    if (!is_arguments)
        expansion_add(expansion, "", 1, BYTE_MARK);
    expand_text(expansion, text + 1, end - 1, QUOTING_DOUBLE);
    if (is_arguments && expansion->length == start && end > 3)
        expansion_add(expansion, "", 1, BYTE_MARK);
    return end + 1;
}

/* \x: how long it is. */
static size_t expand_backslash(struct expansion *expansion, const char *text, size_t size,
                               enum quoting quoting)
{
    const char *special = quoting == QUOTING_DOUBLE ? "$`\"\\" : "$`\\";

    if (size < 2) {
        expansion_add(expansion, text, 1, BYTE_QUOTED);
        return 1;
    }
    if (text[1] == '\n')
        return 2;
    if (is_unquoted(quoting) || strchr(special, text[1]))
        expansion_add(expansion, text + 1, 1, BYTE_QUOTED);
    else
        expansion_add(expansion, text, 2, BYTE_QUOTED);
    return 2;
}

/* ~ or ~/ at the start: how long what stands for HOME is, or 0. */
static size_t expand_tilde(struct expansion *expansion, const char *text, size_t size,
                           enum quoting quoting)
{
    const char *home = variable_get("HOME");
    bool ends = size == 1 || text[1] == '/' || (quoting == QUOTING_ASSIGNMENT && text[1] == ':');

    if (text[0] != '~' || !ends || !home)
        return 0;
    expansion_add(expansion, home, strlen(home), BYTE_QUOTED);
    return 1;
}

void expand_text(struct expansion *expansion, const char *text, size_t size, enum quoting quoting)
{
    size_t at = 0;

    if (is_unquoted(quoting) && size > 0)
        at = expand_tilde(expansion, text, size, quoting);
    while (at < size) {
        char byte = text[at];

        if (byte == '\\') {
            at += expand_backslash(expansion, text + at, size - at, quoting);
        } else if (byte == '$' || byte == '`') {
            at += expand_dollar(expansion, text + at, quoting);
        } else if (byte == '\'' && is_unquoted(quoting)) {
            at += expand_single_quoted(expansion, text + at);
        } else if (byte == '"' && quoting != QUOTING_HERE) {
            at += expand_double_quoted(expansion, text + at, size - at);
        } else {
            expansion_add(expansion, text + at++, 1,
                          is_unquoted(quoting) ? BYTE_PLAIN : BYTE_QUOTED);
            if (byte == ':' && quoting == QUOTING_ASSIGNMENT && at < size)
                at += expand_tilde(expansion, text + at, size - at, quoting);
        }
    }
}

char *expansion_string(const struct expansion *expansion, size_t start, size_t end, bool as_pattern)
{
    struct text text = {.arena = &shell.scratch};

    text_add(&text, "", 0);
    for (size_t i = start; i < end; i++) {
        enum byte_kind kind = expansion->kinds[i];

        if (kind == BYTE_MARK)
            continue;
        if (kind == BYTE_BREAK) {
            text_add_byte(&text, ' ');
            continue;
        }
        if (as_pattern && kind == BYTE_QUOTED)
            text_add_byte(&text, '\\');
        text_add_byte(&text, expansion->bytes[i]);
    }
    return text.bytes;
}

char *expand_string(const char *word, enum quoting quoting)
{
    struct expansion expansion = {0};

    expand_text(&expansion, word, strlen(word), quoting);
    return expansion_string(&expansion, 0, expansion.length, false);
}

char *expand_pattern(const char *word)
{
    struct expansion expansion = {0};

    expand_text(&expansion, word, strlen(word), QUOTING_NONE);
    return expansion_string(&expansion, 0, expansion.length, true);
}
