/* SPDX-License-Identifier: MIT */
/* Text to words and operators. */
#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "sh.h"

static bool ends_word(char c)
{
    return c == '\0' || strchr(" \t\r\n;&|<>()", c) != NULL;
}

/* Behind a quoted part that begins at `at`, or NULL if it does not end. */
static const char *skip_quoted(const char *at)
{
    char quote = *at++;

    while (*at && *at != quote) {
        if (quote == '"' && *at == '\\' && at[1])
            at++;
        at++;
    }
    return *at ? at + 1 : NULL;
}

/* Behind the word that begins at `at`, or NULL if its quotes do not end. */
static const char *skip_word(const char *at)
{
    while (at && !ends_word(*at)) {
        if (*at == '\'' || *at == '"')
            at = skip_quoted(at);
        else if (*at == '\\' && at[1] == '\0')
            at = NULL;
        else
            at += *at == '\\' ? 2 : 1;
    }
    return at;
}

static const char *skip_blanks(const char *at)
{
    for (;;) {
        if (*at == ' ' || *at == '\t' || *at == '\r')
            at++;
        else if (at[0] == '\\' && at[1] == '\n')
            at += 2;
        else
            break;
    }
    if (*at == '#')
        at += strcspn(at, "\n");
    return at;
}

/* A redirection operator, perhaps behind a digit; `at` stands at the < or >. */
static struct token redirection_token(const char *at, int descriptor, const char **rest)
{
    struct token token = {TOKEN_OUTPUT, NULL, descriptor};

    if (descriptor < 0)
        token.descriptor = *at == '<' ? STDIN_FILENO : STDOUT_FILENO;
    if (at[0] == '<') {
        token.kind = TOKEN_INPUT;
    } else if (at[1] == '>') {
        token.kind = TOKEN_APPEND;
        at++;
    } else if (at[1] == '&') {
        token.kind = TOKEN_DUPLICATE;
        at++;
    }
    *rest = at + 1;
    return token;
}

static struct token operator_token(const char *at, const char **rest)
{
    static const struct {
        const char *text;
        enum token_kind kind;
    } operators[] = {
        {"\n", TOKEN_NEWLINE}, {"&&", TOKEN_AND}, {"||", TOKEN_OR},   {"&", TOKEN_BACKGROUND},
        {"|", TOKEN_PIPE},     {"(", TOKEN_OPEN}, {")", TOKEN_CLOSE}, {";", TOKEN_SEMICOLON},
    };
    struct token token = {TOKEN_END, NULL, -1};

    *rest = at;
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        if (strncmp(at, operators[i].text, strlen(operators[i].text)) == 0) {
            token.kind = operators[i].kind;
            *rest = at + strlen(operators[i].text);
            break;
        }
    }
    return token;
}

struct token next_token(const char **text)
{
    const char *at = skip_blanks(*text);
    struct token token = {TOKEN_WORD, NULL, -1};
    const char *end;

    if (*at == '<' || *at == '>')
        return redirection_token(at, -1, text);
    if (isdigit((unsigned char)at[0]) && (at[1] == '<' || at[1] == '>'))
        return redirection_token(at + 1, at[0] - '0', text);
    if (ends_word(*at))
        return operator_token(at, text);

    end = skip_word(at);
    if (end) {
        token.text = arena_copy(at, (size_t)(end - at));
        *text = end;
    } else {
        token.kind = TOKEN_INCOMPLETE;
    }
    return token;
}
