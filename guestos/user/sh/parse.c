/* SPDX-License-Identifier: MIT */
/*
 * The grammar, by recursive descent:
 *   list      and_or { (; | & | newline) and_or }
 *   and_or    pipeline { (&& | ||) pipeline }
 *   pipeline  [!] command { | command }
 *   command   simple | compound { redirection } | NAME ( ) compound
 * One token is known, and none is taken before it is needed. After an error that token is
 * TOKEN_END, so that every loop ends; what was built until then is thrown away by the caller.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sh.h"
#include "syntax.h"

enum { SHOWN_BYTES = 60 };

static struct node *parse_command_node(struct parser *parser);
static struct node *parse_list(struct parser *parser);

/* ---- tokens ------------------------------------------------------------------------------------
 */

static void fail_at_token(struct parser *parser)
{
    const struct token *token = &parser->token;

    if (token->kind == TOKEN_END)
        parser_fail(parser, ": the input ends too early");
    else if (token->kind == TOKEN_NEWLINE)
        parser_fail(parser, " near the end of the line");
    else
        parser_fail(parser, " near %.*s", SHOWN_BYTES, token->text);
}

static bool is_word(const struct parser *parser, const char *text)
{
    return parser->token.kind == TOKEN_WORD && strcmp(parser->token.text, text) == 0;
}

/* Go on behind a word that must be here; `opened_by` is what it closes. */
static void expect(struct parser *parser, const char *text, const char *opened_by, unsigned line)
{
    if (is_word(parser, text))
        parser_advance(parser);
    else if (parser->token.kind == TOKEN_END)
        parser_fail(parser, ": the input ends before the `%s` of the `%s` in line %u", text,
                    opened_by, line);
    else
        fail_at_token(parser);
}

static void skip_newlines(struct parser *parser)
{
    while (parser->token.kind == TOKEN_NEWLINE)
        parser_advance(parser);
}

/* Words that end a list where a command could begin. */
static bool is_closing_word(const struct parser *parser)
{
    static const char *const words[] = {"then", "else", "elif", "fi", "do", "done", "esac", "}"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (is_word(parser, words[i]))
            return true;
    }
    return false;
}

static bool begins_command(const struct parser *parser)
{
    switch (parser->token.kind) {
    case TOKEN_WORD:
        return !is_closing_word(parser);
    case TOKEN_OPEN:
    case TOKEN_REDIRECTION:
        return true;
    default:
        return false;
    }
}

size_t name_length(const char *text)
{
    size_t length = 0;

    if (isdigit((unsigned char)*text))
        return 0;
    while (isalnum((unsigned char)text[length]) || text[length] == '_')
        length++;
    return length;
}

/* ---- nodes -------------------------------------------------------------------------------------
 */

static struct node *new_node(struct parser *parser, enum node_kind kind)
{
    struct node *node = arena_zalloc(parser->arena, sizeof(*node));

    node->kind = kind;
    node->line = parser->token.line;
    return node;
}

static struct word **add_word(struct parser *parser, struct word **end, const char *text)
{
    *end = arena_zalloc(parser->arena, sizeof(**end));
    (*end)->text = text;
    return &(*end)->next;
}

/* What was written from `start` up to the current token, shortened, in one line. */
static const char *written_since(struct parser *parser, size_t start)
{
    const char *text = parser->source->text + start;
    size_t length = parser->token.start > start ? parser->token.start - start : 0;
    char *copy;

    while (length > 0 && strchr(" \t\r\n;&", text[length - 1]))
        length--;
    if (length <= SHOWN_BYTES)
        copy = arena_copy(parser->arena, text, length);
    else
        copy = arena_format(parser->arena, "%.*s...", SHOWN_BYTES, text);
    for (char *byte = copy; *byte; byte++) {
        if (iscntrl((unsigned char)*byte))
            *byte = ' ';
    }
    return copy;
}

/* ---- redirections ------------------------------------------------------------------------------
 */

static void add_here(struct parser *parser, struct redirection *redirection, bool strips_tabs)
{
    struct here *here = arena_zalloc(parser->arena, sizeof(*here));
    const char *word = parser->token.text;
    struct here **end = &parser->heres;

    redirection->target = "";
    redirection->is_literal = strpbrk(word, "'\"\\") != NULL;
    here->redirection = redirection;
    here->delimiter = unquote_delimiter(parser->arena, word);
    here->strips_tabs = strips_tabs;
    while (*end)
        end = &(*end)->next;
    *end = here;
}

static struct redirection **parse_redirection(struct parser *parser, struct redirection **end)
{
    struct redirection *redirection = arena_zalloc(parser->arena, sizeof(*redirection));
    bool strips_tabs = parser->token.strips_tabs;

    redirection->kind = parser->token.redirection;
    redirection->descriptor = parser->token.descriptor;
    parser_advance(parser);
    if (parser->token.kind != TOKEN_WORD) {
        fail_at_token(parser);
        return end;
    }
    if (redirection->kind == REDIRECT_HERE)
        add_here(parser, redirection, strips_tabs);
    else
        redirection->target = parser->token.text;
    *end = redirection;
    parser_advance(parser);
    return &redirection->next;
}

static void parse_redirections(struct parser *parser, struct node *node)
{
    struct redirection **end = &node->redirections;

    while (parser->token.kind == TOKEN_REDIRECTION)
        end = parse_redirection(parser, end);
}

/* ---- compound commands -------------------------------------------------------------------------
 */

/* A list that must not be empty. */
static struct node *parse_body(struct parser *parser)
{
    struct node *list = parse_list(parser);

    if (!list)
        fail_at_token(parser);
    return list;
}

static struct node *parse_subshell(struct parser *parser)
{
    struct node *node = new_node(parser, NODE_SUBSHELL);

    parser_advance(parser);
    node->body = parse_body(parser);
    if (parser->token.kind == TOKEN_CLOSE)
        parser_advance(parser);
    else
        fail_at_token(parser);
    return node;
}

static struct node *parse_group(struct parser *parser)
{
    struct node *node = new_node(parser, NODE_GROUP);

    parser_advance(parser);
    node->body = parse_body(parser);
    expect(parser, "}", "{", node->line);
    return node;
}

/* `if` and, further down in the same chain, `elif`; each level ends the one above. */
static struct node *parse_if(struct parser *parser)
{
    struct node *first = NULL, *node;
    struct node **place = &first;
    unsigned line = parser->token.line;

    do {
        node = new_node(parser, NODE_IF);
        *place = node;
        place = &node->other;
        parser_advance(parser);
        node->condition = parse_body(parser);
        expect(parser, "then", "if", line);
        node->body = parse_body(parser);
    } while (is_word(parser, "elif"));
    if (is_word(parser, "else")) {
        parser_advance(parser);
        node->other = parse_body(parser);
    }
    expect(parser, "fi", "if", line);
    return first;
}

static struct node *parse_do(struct parser *parser, const char *opened_by, unsigned line)
{
    struct node *body;

    expect(parser, "do", opened_by, line);
    body = parse_body(parser);
    expect(parser, "done", opened_by, line);
    return body;
}

static struct node *parse_while(struct parser *parser)
{
    bool is_until = is_word(parser, "until");
    struct node *node = new_node(parser, is_until ? NODE_UNTIL : NODE_WHILE);

    parser_advance(parser);
    node->condition = parse_body(parser);
    node->body = parse_do(parser, is_until ? "until" : "while", node->line);
    return node;
}

static struct node *parse_for(struct parser *parser)
{
    struct node *node = new_node(parser, NODE_FOR);
    struct word **end = &node->words;

    parser_advance(parser);
    node->name = parser->token.text;
    if (parser->token.kind != TOKEN_WORD || node->name[name_length(node->name)] || !*node->name) {
        fail_at_token(parser);
        return node;
    }
    parser_advance(parser);
    skip_newlines(parser);
    if (is_word(parser, "in")) {
        node->has_in = true;
        parser_advance(parser);
        for (; parser->token.kind == TOKEN_WORD; parser_advance(parser))
            end = add_word(parser, end, parser->token.text);
        if (parser->token.kind != TOKEN_SEMICOLON && parser->token.kind != TOKEN_NEWLINE)
            fail_at_token(parser);
    }
    if (parser->token.kind == TOKEN_SEMICOLON)
        parser_advance(parser);
    skip_newlines(parser);
    node->body = parse_do(parser, "for", node->line);
    return node;
}

/* [(] pattern { | pattern } ) [list] */
static struct case_item *parse_case_item(struct parser *parser)
{
    struct case_item *item = arena_zalloc(parser->arena, sizeof(*item));
    struct word **end = &item->patterns;

    if (parser->token.kind == TOKEN_OPEN)
        parser_advance(parser);
    while (parser->token.kind == TOKEN_WORD) {
        end = add_word(parser, end, parser->token.text);
        parser_advance(parser);
        if (parser->token.kind != TOKEN_PIPE)
            break;
        parser_advance(parser);
    }
    if (parser->token.kind != TOKEN_CLOSE) {
        fail_at_token(parser);
        return item;
    }
    parser_advance(parser);
    item->body = parse_list(parser);
    return item;
}

static struct node *parse_case(struct parser *parser)
{
    struct node *node = new_node(parser, NODE_CASE);
    struct case_item **end = &node->items;

    parser_advance(parser);
    if (parser->token.kind != TOKEN_WORD) {
        fail_at_token(parser);
        return node;
    }
    (void)add_word(parser, &node->words, parser->token.text);
    parser_advance(parser);
    skip_newlines(parser);
    expect(parser, "in", "case", node->line);
    skip_newlines(parser);
    while (parser->token.kind != TOKEN_END && !is_word(parser, "esac")) {
        *end = parse_case_item(parser);
        end = &(*end)->next;
        if (parser->token.kind != TOKEN_DOUBLE_SEMICOLON)
            break;
        parser_advance(parser);
        skip_newlines(parser);
    }
    expect(parser, "esac", "case", node->line);
    return node;
}

/* ---- simple commands and functions -------------------------------------------------------------
 */

static bool is_assignment(const char *word)
{
    size_t length = name_length(word);

    return length > 0 && word[length] == '=';
}

/* NAME ( ) compound; the current token is the opening bracket. */
static struct node *parse_function(struct parser *parser, struct node *node)
{
    const char *name = node->words->text;

    node->kind = NODE_FUNCTION;
    node->name = name;
    node->words = NULL;
    parser_advance(parser);
    if (parser->token.kind != TOKEN_CLOSE || name_length(name) != strlen(name)) {
        fail_at_token(parser);
        return node;
    }
    parser_advance(parser);
    skip_newlines(parser);
    node->body = parse_command_node(parser);
    if (node->body->kind == NODE_COMMAND || node->body->kind == NODE_FUNCTION)
        parser_fail(parser, ": the body of %s() is no compound command", name);
    return node;
}

static struct node *parse_simple(struct parser *parser)
{
    struct node *node = new_node(parser, NODE_COMMAND);
    struct word **assignment = &node->assignments, **word = &node->words;
    struct redirection **redirection = &node->redirections;

    for (;;) {
        const char *text = parser->token.text;

        if (parser->token.kind == TOKEN_REDIRECTION) {
            redirection = parse_redirection(parser, redirection);
            continue;
        }
        if (parser->token.kind != TOKEN_WORD)
            break;
        if (!node->words && is_assignment(text))
            assignment = add_word(parser, assignment, text);
        else
            word = add_word(parser, word, text);
        parser_advance(parser);
    }
    if (parser->token.kind == TOKEN_OPEN && node->words && !node->words->next &&
        !node->assignments && !node->redirections)
        return parse_function(parser, node);
    return node;
}

static struct node *parse_compound(struct parser *parser)
{
    static const struct {
        const char *word;
        struct node *(*parse)(struct parser *parser);
    } compounds[] = {
        {"{", parse_group},     {"if", parse_if},   {"while", parse_while},
        {"until", parse_while}, {"for", parse_for}, {"case", parse_case},
    };

    if (parser->token.kind == TOKEN_OPEN)
        return parse_subshell(parser);
    for (size_t i = 0; i < sizeof(compounds) / sizeof(compounds[0]); i++) {
        if (is_word(parser, compounds[i].word))
            return compounds[i].parse(parser);
    }
    return NULL;
}

/* Never NULL. */
static struct node *parse_command_node(struct parser *parser)
{
    struct node *node = NULL;

    if (!begins_command(parser))
        fail_at_token(parser);
    if (parser_enter(parser)) {
        node = parse_compound(parser);
        if (node)
            parse_redirections(parser, node);
        else
            node = parse_simple(parser);
        parser->depth--;
    }
    return node ? node : new_node(parser, NODE_COMMAND);
}

/* ---- pipelines and lists -----------------------------------------------------------------------
 */

static struct node *parse_pipeline(struct parser *parser)
{
    struct node *node, *stage;
    bool is_negated = false;

    for (; is_word(parser, "!"); parser_advance(parser))
        is_negated = !is_negated;
    stage = parse_command_node(parser);
    if (parser->token.kind != TOKEN_PIPE && !is_negated)
        return stage;
    node = new_node(parser, NODE_PIPELINE);
    node->is_negated = is_negated;
    node->line = stage->line;
    node->first = stage;
    while (parser->token.kind == TOKEN_PIPE) {
        parser_advance(parser);
        skip_newlines(parser);
        stage->next = parse_command_node(parser);
        stage = stage->next;
    }
    return node;
}

static struct node *parse_and_or(struct parser *parser)
{
    size_t start = parser->token.start;
    struct node *last = parse_pipeline(parser), *node = last;

    if (parser->token.kind == TOKEN_AND || parser->token.kind == TOKEN_OR) {
        node = new_node(parser, NODE_AND_OR);
        node->line = last->line;
        node->first = last;
    }
    while (parser->token.kind == TOKEN_AND || parser->token.kind == TOKEN_OR) {
        enum node_link link = parser->token.kind == TOKEN_AND ? LINK_AND : LINK_OR;

        parser_advance(parser);
        skip_newlines(parser);
        last->next = parse_pipeline(parser);
        last = last->next;
        last->link = link;
    }
    node->text = written_since(parser, start);
    return node;
}

/* Commands up to what can neither begin nor separate one; NULL if there are none. */
static struct node *parse_list(struct parser *parser)
{
    struct node *list = NULL;
    struct node **end = NULL;

    skip_newlines(parser);
    while (begins_command(parser)) {
        if (!list) {
            list = new_node(parser, NODE_LIST);
            end = &list->first;
        }
        *end = parse_and_or(parser);
        (*end)->in_background = parser->token.kind == TOKEN_AMPERSAND;
        end = &(*end)->next;
        if (parser->token.kind != TOKEN_SEMICOLON && parser->token.kind != TOKEN_AMPERSAND &&
            parser->token.kind != TOKEN_NEWLINE)
            break;
        parser_advance(parser);
        skip_newlines(parser);
    }
    return list;
}

void parse_nested(struct parser *outer)
{
    struct parser parser = {
        .source = outer->source,
        .arena = outer->arena,
        .depth = outer->depth,
    };

    if (outer->has_failed)
        return;
    parser_advance(&parser);
    (void)parse_list(&parser);
    if (parser.token.kind != TOKEN_CLOSE)
        fail_at_token(&parser);
    if (parser.has_failed) {
        outer->has_failed = true;
        outer->token.kind = TOKEN_END;
    }
}

/* The commands of one line; further lines are taken only where they are needed. */
static struct node *parse_line(struct parser *parser)
{
    struct node *list = new_node(parser, NODE_LIST);
    struct node **end = &list->first;

    while (begins_command(parser)) {
        *end = parse_and_or(parser);
        (*end)->in_background = parser->token.kind == TOKEN_AMPERSAND;
        end = &(*end)->next;
        if (parser->token.kind != TOKEN_SEMICOLON && parser->token.kind != TOKEN_AMPERSAND)
            break;
        parser_advance(parser);
    }
    if (parser->token.kind != TOKEN_NEWLINE && parser->token.kind != TOKEN_END)
        fail_at_token(parser);
    return list;
}

/* ---- commands ----------------------------------------------------------------------------------
 */

enum parse_result parse_command(struct source *source, struct tree **tree)
{
    struct tree *fresh = tree_new();
    struct parser parser = {.source = source, .arena = &fresh->arena};

    source_drop_used(source);
    source->command_start = source->position;
    source->has_ended = false;
    source->retries = 0;
    parser_advance(&parser);
    if (!parser.has_failed && parser.token.kind == TOKEN_END) {
        tree_end(fresh);
        return PARSE_END;
    }
    fresh->root = parse_line(&parser);
    *tree = fresh;
    if (!parser.has_failed)
        return PARSE_OK;
    tree_end(fresh);
    return PARSE_ERROR;
}
