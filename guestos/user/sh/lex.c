/* SPDX-License-Identifier: MIT */
/* Text to words and operators; where a word ends. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sh.h"
#include "syntax.h"

enum {
    NO_BYTE = -1,
    DESCRIPTOR_DIGITS = 3,
    RETRY_MAX = 100,
    MESSAGE_BYTES = 200,
};

void parser_fail(struct parser *parser, const char *format, ...)
{
    char message[MESSAGE_BYTES];
    va_list arguments;

    if (parser->has_failed)
        return;
    parser->has_failed = true;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    shell.line = parser->source->line;
    if (parser->token.kind == TOKEN_NEWLINE)
        shell.line = parser->token.line;
    complain("syntax error%s", message);
    parser->token.kind = TOKEN_END;
}

bool parser_enter(struct parser *parser)
{
    if (++parser->depth <= NESTING_MAX)
        return true;
    parser_fail(parser, ": more than %d within each other", NESTING_MAX);
    return false;
}

/* ---- bytes -------------------------------------------------------------------------------------
 */

/* The byte so far ahead, for which more text is taken if need be. NO_BYTE at the end, and after an
   error, so that whatever is being skipped ends there. */
static int look(struct parser *parser, size_t ahead)
{
    struct source *source = parser->source;

    if (parser->has_failed)
        return NO_BYTE;
    while (source->position + ahead >= source->length) {
        if (source->has_ended)
            return NO_BYTE;
        source->has_ended = !source->fill || !source->fill(source);
    }
    return (unsigned char)source->text[source->position + ahead];
}

static void step(struct parser *parser, size_t count)
{
    struct source *source = parser->source;

    for (; count > 0 && source->position < source->length; count--)
        source->line += source->text[source->position++] == '\n';
}

/* A backslash and what it stands before. */
static void skip_escaped(struct parser *parser)
{
    step(parser, look(parser, 1) == NO_BYTE ? 1 : 2);
}

/* ---- the end of a word -------------------------------------------------------------------------
 */

static void skip_dollar(struct parser *parser, bool in_quotes);

static void fail_unclosed(struct parser *parser, const char *what, unsigned line)
{
    parser_fail(parser, ": no %s to the one in line %u", what, line);
}

static void skip_single_quoted(struct parser *parser)
{
    unsigned line = parser->source->line;
    int byte;

    step(parser, 1);
    while ((byte = look(parser, 0)) != '\'') {
        if (byte == NO_BYTE) {
            fail_unclosed(parser, "closing '", line);
            return;
        }
        step(parser, 1);
    }
    step(parser, 1);
}

static void skip_backquoted(struct parser *parser)
{
    unsigned line = parser->source->line;
    int byte;

    step(parser, 1);
    while ((byte = look(parser, 0)) != '`') {
        if (byte == NO_BYTE) {
            fail_unclosed(parser, "closing `", line);
            return;
        }
        if (byte == '\\')
            skip_escaped(parser);
        else
            step(parser, 1);
    }
    step(parser, 1);
}

static void skip_double_quoted(struct parser *parser)
{
    unsigned line = parser->source->line;
    int byte;

    step(parser, 1);
    while ((byte = look(parser, 0)) != '"') {
        if (byte == NO_BYTE) {
            fail_unclosed(parser, "closing \"", line);
            return;
        }
        if (byte == '\\')
            skip_escaped(parser);
        else if (byte == '$')
            skip_dollar(parser, true);
        else if (byte == '`')
            skip_backquoted(parser);
        else
            step(parser, 1);
    }
    step(parser, 1);
}

/* One byte, or what is quoted or expanded there. */
static void skip_piece(struct parser *parser, int byte, bool single_quotes, bool in_quotes)
{
    if (byte == '\\')
        skip_escaped(parser);
    else if (byte == '\'' && single_quotes)
        skip_single_quoted(parser);
    else if (byte == '"')
        skip_double_quoted(parser);
    else if (byte == '$')
        skip_dollar(parser, in_quotes);
    else if (byte == '`')
        skip_backquoted(parser);
    else
        step(parser, 1);
}

static bool is_parameter_byte(int byte)
{
    return byte != NO_BYTE && (isalnum(byte) || byte == '_');
}

/* Whether, inside "${, a pattern follows: single quotes count there, but not in "${v:-it's}". */
static bool has_pattern(struct parser *parser)
{
    size_t at = 2;
    int byte;

    if (is_parameter_byte(look(parser, at))) {
        while (is_parameter_byte(look(parser, at)))
            at++;
    } else {
        at++;
    }
    byte = look(parser, at);
    return byte == '%' || byte == '#';
}

static void skip_braces(struct parser *parser, bool in_quotes)
{
    unsigned line = parser->source->line;
    bool single_quotes = !in_quotes || has_pattern(parser);
    int byte;

    step(parser, 2);
    while ((byte = look(parser, 0)) != '}') {
        if (byte == NO_BYTE) {
            fail_unclosed(parser, "closing } for the ${", line);
            return;
        }
        skip_piece(parser, byte, single_quotes, in_quotes);
    }
    step(parser, 1);
}

/*
 * $(( )). What begins so may also be $( with a subshell in it: then there is no )) where one must
 * be, nothing is skipped, and false is returned. Such a retry can contain others, so their number
 * is limited.
 */
static bool skip_arithmetic(struct parser *parser)
{
    struct source *source = parser->source;
    size_t position = source->position;
    unsigned line = source->line, open = 0;
    int byte;

    step(parser, 3);
    while ((byte = look(parser, 0)) != NO_BYTE) {
        if (byte == ')' && open == 0) {
            if (look(parser, 1) != ')')
                break;
            step(parser, 2);
            return true;
        }
        open += byte == '(';
        open -= byte == ')';
        skip_piece(parser, byte, false, true);
    }
    if (++source->retries > RETRY_MAX)
        parser_fail(parser, ": too many $(( without ))");
    source->position = position;
    source->line = line;
    return false;
}

static enum dollar_kind skip_dollar_of_kind(struct parser *parser, bool in_quotes)
{
    enum dollar_kind kind = DOLLAR_PARAMETER;

    if (!parser_enter(parser))
        return kind;
    if (look(parser, 1) == '{') {
        skip_braces(parser, in_quotes);
    } else if (look(parser, 1) != '(') {
        step(parser, 1);
    } else if (look(parser, 2) == '(' && skip_arithmetic(parser)) {
        kind = DOLLAR_ARITHMETIC;
    } else {
        kind = DOLLAR_COMMAND;
        step(parser, 2);
        parse_nested(parser);
    }
    parser->depth--;
    return kind;
}

static void skip_dollar(struct parser *parser, bool in_quotes)
{
    (void)skip_dollar_of_kind(parser, in_quotes);
}

enum dollar_kind dollar_measure(const char *text, bool in_quotes, size_t *size)
{
    struct source source = source_of_text(text, strlen(text), shell.line);
    struct parser parser = {.source = &source, .arena = &shell.scratch};
    struct arena_mark mark = arena_mark(&shell.scratch);
    enum dollar_kind kind = DOLLAR_BACKQUOTE;

    if (*text == '`')
        skip_backquoted(&parser);
    else
        kind = skip_dollar_of_kind(&parser, in_quotes);
    if (parser.has_failed)
        shell_abort(STATUS_USAGE);
    arena_release(&shell.scratch, mark);
    *size = source.position;
    return kind;
}

static bool ends_word(int byte)
{
    return byte == NO_BYTE || strchr(" \t\r\n;&|<>()", byte) != NULL;
}

static void take_word(struct parser *parser, struct token *token)
{
    int byte;

    while (!ends_word(byte = look(parser, 0)))
        skip_piece(parser, byte, true, false);
    token->kind = TOKEN_WORD;
    token->text = arena_copy(parser->arena, parser->source->text + token->start,
                             parser->source->position - token->start);
}

/* ---- operators ---------------------------------------------------------------------------------
 */

static void skip_blanks(struct parser *parser)
{
    int byte;

    for (;;) {
        byte = look(parser, 0);
        if (byte == ' ' || byte == '\t' || byte == '\r')
            step(parser, 1);
        else if (byte == '\\' && look(parser, 1) == '\n')
            step(parser, 2);
        else
            break;
    }
    if (byte != '#')
        return;
    while ((byte = look(parser, 0)) != '\n' && byte != NO_BYTE)
        step(parser, 1);
}

static const struct {
    const char *text;
    enum token_kind kind;
    enum redirection_kind redirection;
} operators[] = {
    {"\n", TOKEN_NEWLINE, 0},
    {"&&", TOKEN_AND, 0},
    {"||", TOKEN_OR, 0},
    {";;", TOKEN_DOUBLE_SEMICOLON, 0},
    {"&", TOKEN_AMPERSAND, 0},
    {"|", TOKEN_PIPE, 0},
    {";", TOKEN_SEMICOLON, 0},
    {"(", TOKEN_OPEN, 0},
    {")", TOKEN_CLOSE, 0},
    {"<<-", TOKEN_REDIRECTION, REDIRECT_HERE},
    {"<<", TOKEN_REDIRECTION, REDIRECT_HERE},
    {"<&", TOKEN_REDIRECTION, REDIRECT_DUPLICATE},
    {"<>", TOKEN_REDIRECTION, REDIRECT_BOTH},
    {"<", TOKEN_REDIRECTION, REDIRECT_INPUT},
    {">>", TOKEN_REDIRECTION, REDIRECT_APPEND},
    {">&", TOKEN_REDIRECTION, REDIRECT_DUPLICATE},
    {">|", TOKEN_REDIRECTION, REDIRECT_OVERWRITE},
    {">", TOKEN_REDIRECTION, REDIRECT_OUTPUT},
};

static bool is_next(struct parser *parser, const char *text)
{
    for (size_t i = 0; text[i]; i++) {
        if (look(parser, i) != text[i])
            return false;
    }
    return true;
}

static void take_operator(struct parser *parser, struct token *token)
{
    token->kind = TOKEN_END;
    token->text = "the end";
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        if (is_next(parser, operators[i].text)) {
            token->text = operators[i].text;
            token->kind = operators[i].kind;
            token->redirection = operators[i].redirection;
            token->strips_tabs = strcmp(token->text, "<<-") == 0;
            if (token->descriptor < 0)
                token->descriptor = token->text[0] == '<' ? STDIN_FILENO : STDOUT_FILENO;
            step(parser, strlen(token->text));
            return;
        }
    }
}

/* Digits right before < or > are the redirection's descriptor: how many of them, or 0. */
static size_t descriptor_digits(struct parser *parser)
{
    size_t count = 0;
    int byte;

    while ((byte = look(parser, count)) != NO_BYTE && isdigit(byte) && count <= DESCRIPTOR_DIGITS)
        count++;
    if (count > DESCRIPTOR_DIGITS)
        return 0;
    return byte == '<' || byte == '>' ? count : 0;
}

/* ---- here-documents ----------------------------------------------------------------------------
 */

char *unquote_delimiter(struct arena *arena, const char *word)
{
    struct text text = {.arena = arena};
    char quote = '\0';

    for (; *word; word++) {
        if (quote ? *word == quote : *word == '\'' || *word == '"')
            quote = quote ? '\0' : *word;
        else if (*word == '\\' && quote != '\'' && word[1])
            text_add_byte(&text, *++word);
        else
            text_add_byte(&text, *word);
    }
    return arena_copy(arena, text_string(&text), text.length);
}

/* The next line with its end, as part of the source; its length, 0 at the end. */
static size_t here_line(struct parser *parser, const char **line)
{
    size_t start = parser->source->position;
    int byte;

    while ((byte = look(parser, 0)) != NO_BYTE) {
        step(parser, 1);
        if (byte == '\n')
            break;
    }
    *line = parser->source->text + start;
    return parser->source->position - start;
}

static void read_here(struct parser *parser, const struct here *here)
{
    struct text body = {.arena = parser->arena};
    size_t delimiter = strlen(here->delimiter);
    const char *line;
    size_t length;

    while ((length = here_line(parser, &line)) > 0) {
        size_t plain;

        for (; here->strips_tabs && length > 0 && *line == '\t'; length--)
            line++;
        plain = length > 0 && line[length - 1] == '\n' ? length - 1 : length;
        if (plain == delimiter && memcmp(line, here->delimiter, plain) == 0)
            break;
        text_add(&body, line, length);
    }
    here->redirection->target = text_string(&body);
}

/* ---- tokens ------------------------------------------------------------------------------------
 */

void parser_advance(struct parser *parser)
{
    struct token token = {.descriptor = -1};
    size_t digits;

    if (parser->has_failed)
        return;
    skip_blanks(parser);
    token.line = parser->source->line;
    token.start = parser->source->position;
    digits = descriptor_digits(parser);
    if (digits > 0) {
        token.descriptor = 0;
        for (size_t i = 0; i < digits; i++)
            token.descriptor = token.descriptor * 10 + look(parser, i) - '0';
        step(parser, digits);
    }
    if (ends_word(look(parser, 0)))
        take_operator(parser, &token);
    else
        take_word(parser, &token);
    if (parser->has_failed)
        return;
    parser->token = token;
    if (token.kind != TOKEN_NEWLINE)
        return;
    for (; parser->heres; parser->heres = parser->heres->next)
        read_here(parser, parser->heres);
}
