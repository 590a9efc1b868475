/* SPDX-License-Identifier: MIT */
/*
 * Words to a tree, by recursive descent:
 *   list:     and_or { (; | & | newline) and_or } [; | & | newline]
 *   and_or:   pipeline { (&& | ||) pipeline }
 *   pipeline: command { | command }
 *   command:  { word | redirection } or ( list ) { redirection }
 * A line that ends where more must follow is incomplete: its reader asks for the next one.
 */
#include <string.h>

#include "sh.h"

struct parser {
    const char *rest;
    struct token token; /* the next one, not yet used */
    enum parse_result result;
};

static struct node *parse_list(struct parser *parser);

static void advance(struct parser *parser)
{
    parser->token = next_token(&parser->rest);
    if (parser->token.kind == TOKEN_INCOMPLETE)
        parser->result = PARSE_INCOMPLETE;
}

static const char *describe(struct token token)
{
    static const char *const texts[] = {
        [TOKEN_NEWLINE] = "the end of the line",
        [TOKEN_SEMICOLON] = ";",
        [TOKEN_AND] = "&&",
        [TOKEN_OR] = "||",
        [TOKEN_BACKGROUND] = "&",
        [TOKEN_PIPE] = "|",
        [TOKEN_OPEN] = "(",
        [TOKEN_CLOSE] = ")",
        [TOKEN_INPUT] = "<",
        [TOKEN_OUTPUT] = ">",
        [TOKEN_APPEND] = ">>",
        [TOKEN_DUPLICATE] = ">&",
        [TOKEN_INCOMPLETE] = "an open quote",
    };

    return token.kind == TOKEN_WORD ? token.text : texts[token.kind];
}

/* The first error counts; what follows it is not looked at. */
static void fail(struct parser *parser)
{
    bool at_end = parser->token.kind == TOKEN_END || parser->token.kind == TOKEN_INCOMPLETE;

    if (parser->result != PARSE_OK)
        return;
    parser->result = at_end ? PARSE_INCOMPLETE : PARSE_ERROR;
    if (!at_end)
        complain("syntax error near %s", describe(parser->token));
}

static struct node *new_node(enum node_kind kind, struct node *left, struct node *right)
{
    struct node *node = arena_alloc(sizeof(*node));

    memset(node, 0, sizeof(*node));
    node->kind = kind;
    node->left = left;
    node->right = right;
    return node;
}

static void skip_newlines(struct parser *parser)
{
    while (parser->token.kind == TOKEN_NEWLINE)
        advance(parser);
}

static bool is_redirection(enum token_kind kind)
{
    return kind == TOKEN_INPUT || kind == TOKEN_OUTPUT || kind == TOKEN_APPEND ||
           kind == TOKEN_DUPLICATE;
}

/* Redirections take effect in the order in which they are written: add at the end. */
static void parse_redirection(struct parser *parser, struct node *node)
{
    struct redirection *redirection = arena_alloc(sizeof(*redirection));
    struct redirection **end = &node->redirections;

    redirection->next = NULL;
    redirection->kind = parser->token.kind;
    redirection->descriptor = parser->token.descriptor;
    advance(parser);
    if (parser->token.kind != TOKEN_WORD) {
        fail(parser);
        return;
    }
    redirection->target = parser->token.text;
    while (*end)
        end = &(*end)->next;
    *end = redirection;
    advance(parser);
}

static void add_word(struct node *node, char *word)
{
    char **words = arena_alloc((size_t)(node->word_count + 2) * sizeof(*words));

    if (node->word_count > 0)
        memcpy(words, node->words, (size_t)node->word_count * sizeof(*words));
    words[node->word_count++] = word;
    words[node->word_count] = NULL;
    node->words = words;
}

static struct node *parse_subshell(struct parser *parser)
{
    struct node *node = new_node(NODE_SUBSHELL, NULL, NULL);

    advance(parser);
    node->left = parse_list(parser);
    if (parser->result != PARSE_OK)
        return node;
    if (parser->token.kind != TOKEN_CLOSE || !node->left) {
        fail(parser);
        return node;
    }
    advance(parser);
    while (parser->result == PARSE_OK && is_redirection(parser->token.kind))
        parse_redirection(parser, node);
    return node;
}

static struct node *parse_command(struct parser *parser)
{
    struct node *node;

    if (parser->token.kind == TOKEN_OPEN)
        return parse_subshell(parser);
    node = new_node(NODE_COMMAND, NULL, NULL);
    while (parser->result == PARSE_OK) {
        if (parser->token.kind == TOKEN_WORD) {
            add_word(node, parser->token.text);
            advance(parser);
        } else if (is_redirection(parser->token.kind)) {
            parse_redirection(parser, node);
        } else {
            break;
        }
    }
    if (node->word_count == 0 && !node->redirections)
        fail(parser);
    return node;
}

static struct node *parse_pipeline(struct parser *parser)
{
    struct node *node = parse_command(parser);

    while (parser->result == PARSE_OK && parser->token.kind == TOKEN_PIPE) {
        advance(parser);
        skip_newlines(parser);
        node = new_node(NODE_PIPE, node, parse_command(parser));
    }
    return node;
}

static struct node *parse_and_or(struct parser *parser)
{
    struct node *node = parse_pipeline(parser);

    while (parser->result == PARSE_OK &&
           (parser->token.kind == TOKEN_AND || parser->token.kind == TOKEN_OR)) {
        enum node_kind kind = parser->token.kind == TOKEN_AND ? NODE_AND : NODE_OR;

        advance(parser);
        skip_newlines(parser);
        node = new_node(kind, node, parse_pipeline(parser));
    }
    return node;
}

/* NULL for an empty one. */
static struct node *parse_list(struct parser *parser)
{
    struct node *list = NULL;

    skip_newlines(parser);
    while (parser->result == PARSE_OK && parser->token.kind != TOKEN_END &&
           parser->token.kind != TOKEN_CLOSE) {
        struct node *item = parse_and_or(parser);

        if (parser->result != PARSE_OK)
            break;
        if (parser->token.kind == TOKEN_BACKGROUND)
            item = new_node(NODE_BACKGROUND, item, NULL);
        list = list ? new_node(NODE_SEQUENCE, list, item) : item;
        if (parser->token.kind != TOKEN_BACKGROUND && parser->token.kind != TOKEN_SEMICOLON &&
            parser->token.kind != TOKEN_NEWLINE)
            break;
        advance(parser);
        skip_newlines(parser);
    }
    return list;
}

enum parse_result parse(const char *text, struct node **tree)
{
    struct parser parser = {.rest = text, .result = PARSE_OK};

    advance(&parser);
    *tree = parse_list(&parser);
    if (parser.result == PARSE_OK && parser.token.kind != TOKEN_END)
        fail(&parser);
    if (parser.result == PARSE_OK && !*tree)
        return PARSE_EMPTY;
    return parser.result;
}
