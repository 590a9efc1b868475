/* SPDX-License-Identifier: MIT */
/*
 * Text to trees.
 *
 * The parser takes one complete command at a time from a source, and asks the source for more text
 * only when the command is not complete: so somebody who types is asked for another line exactly
 * then, and a command that reads standard input finds there what follows the script's line.
 *
 * Words stay as they were written, quotes and all, until they are expanded (expand.h). To find the
 * end of $(...) the lexer calls the parser.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "memory.h"

/* ---- source.c ----------------------------------------------------------------------------------
 */

struct source {
    const char *text;
    size_t length;
    size_t position;
    unsigned line;        /* of the position */
    size_t command_start; /* where the command under way begins */
    bool has_ended;       /* the last fill() said so */
    unsigned retries;     /* of the command under way: see skip_arithmetic() */
    /* Adds text to the end, perhaps moving all of it; false: there is no more. NULL: never more. */
    bool (*fill)(struct source *source);
    int descriptor; /* for those that read one */
    char *buffer;   /* for those that own their text: allocated, or NULL */
    size_t room;
};

/* A text in memory, which must stay. */
struct source source_of_text(const char *text, size_t length, unsigned line);

/* Lines of a descriptor, without a byte behind the line. */
struct source source_of_lines(int descriptor);

/* All of a file at once: 0, or -1 with errno (ENOEXEC: no text). */
int source_of_file(struct source *source, const char *path);

/* Add bytes to a source that owns its text; zero bytes are left out. */
void source_add(struct source *source, const char *bytes, size_t length);

/* Forget what has been used, or all of it. */
void source_drop_used(struct source *source);
void source_drop_all(struct source *source);

void source_free(struct source *source);

/* ---- the tree; tree.c --------------------------------------------------------------------------
 */

struct word {
    struct word *next;
    const char *text; /* as it was written */
};

enum redirection_kind {
    REDIRECT_INPUT,     /* <  */
    REDIRECT_OUTPUT,    /* >  */
    REDIRECT_OVERWRITE, /* >| */
    REDIRECT_APPEND,    /* >> */
    REDIRECT_BOTH,      /* <> */
    REDIRECT_DUPLICATE, /* <& or >& */
    REDIRECT_HERE,      /* << or <<- */
};

struct redirection {
    struct redirection *next;
    enum redirection_kind kind;
    int descriptor;
    const char *target; /* a word; of REDIRECT_HERE the lines */
    bool is_literal;    /* REDIRECT_HERE: the delimiter was quoted, so nothing is expanded */
};

enum node_kind {
    NODE_COMMAND,  /* assignments, words */
    NODE_PIPELINE, /* first: the stages */
    NODE_AND_OR,   /* first: pipelines, which say how each follows the one before */
    NODE_LIST,     /* first: commands one after the other */
    NODE_SUBSHELL, /* ( body ) */
    NODE_GROUP,    /* { body } */
    NODE_IF,       /* condition, body, other */
    NODE_WHILE,    /* condition, body */
    NODE_UNTIL,
    NODE_FOR,      /* name, words, body */
    NODE_CASE,     /* words: the subject; items */
    NODE_FUNCTION, /* name, body */
};

enum node_link { LINK_NONE, LINK_AND, LINK_OR };

struct case_item {
    struct case_item *next;
    struct word *patterns;
    struct node *body; /* NULL: nothing */
};

struct node {
    enum node_kind kind;
    enum node_link link;
    bool is_negated;    /* ! */
    bool in_background; /* & */
    bool has_in;        /* NODE_FOR: words, and not "$@" */
    unsigned line;
    struct node *next; /* in a list of nodes */
    struct node *first;
    struct node *condition;
    struct node *body;
    struct node *other;
    const char *name;
    struct word *assignments;
    struct word *words;
    struct case_item *items;
    struct redirection *redirections;
    const char *text; /* how a command of a list was written, shortened; for jobs */
};

/* What one call of the parser made. It lives while it is run or functions of it are known. */
struct tree {
    struct tree *next; /* of all */
    struct arena arena;
    int functions;
    int runs;
    struct node *root;
};

/* An empty one, which counts as run. */
struct tree *tree_new(void);

/* One run of it is over: free it if that was its last use. */
void tree_end(struct tree *tree);

/* It may have lost its last use. */
void tree_check(struct tree *tree);

/* Nothing is run any more. */
void trees_stop(void);

/* ---- lex.c, for the parser ---------------------------------------------------------------------
 */

enum token_kind {
    TOKEN_END, /* of the text, and after an error */
    TOKEN_NEWLINE,
    TOKEN_WORD,
    TOKEN_SEMICOLON,
    TOKEN_DOUBLE_SEMICOLON,
    TOKEN_AMPERSAND,
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_PIPE,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_REDIRECTION,
};

struct token {
    enum token_kind kind;
    const char *text; /* of a word as it was written, of an operator as it is told in errors */
    unsigned line;
    size_t start; /* in the source */
    enum redirection_kind redirection;
    int descriptor;
    bool strips_tabs; /* <<- */
};

/* A here-document whose lines have not come yet. */
struct here {
    struct here *next;
    struct redirection *redirection;
    const char *delimiter; /* without quotes */
    bool strips_tabs;
};

struct parser {
    struct source *source;
    struct arena *arena;
    struct token token; /* the current one */
    struct here *heres;
    unsigned depth;
    bool has_failed; /* and that was told */
};

/* Go to the next token. After an error it is TOKEN_END for ever. */
void parser_advance(struct parser *parser);

/* Tell an error, once. */
void parser_fail(struct parser *parser, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One more level of what is within each other: false, and an error, if that is too deep. */
bool parser_enter(struct parser *parser);

/* A word without quotes, as delimiters of here-documents are taken. */
char *unquote_delimiter(struct arena *arena, const char *word);

enum dollar_kind {
    DOLLAR_PARAMETER,  /* ${ } */
    DOLLAR_COMMAND,    /* $( ) */
    DOLLAR_ARITHMETIC, /* $(( )) */
    DOLLAR_BACKQUOTE,  /* ` ` */
};

/*
 * What begins with `$(`, `${` or a backquote at the start of a text: its kind, and in *size how
 * long it is. The text has been through the lexer before, so it is complete.
 */
enum dollar_kind dollar_measure(const char *text, bool in_quotes, size_t *size);

/* ---- parse.c -----------------------------------------------------------------------------------
 */

enum parse_result {
    PARSE_OK,
    PARSE_END,   /* the source has no more */
    PARSE_ERROR, /* told */
};

/* The next complete command, as a new tree that counts as run. */
enum parse_result parse_command(struct source *source, struct tree **tree);

/* For the lexer: the commands behind `$(`, which are thrown away, up to the bracket. */
void parse_nested(struct parser *outer);

/* Whether it is a name as variables and functions have: how many bytes of it, or 0. */
size_t name_length(const char *text);
