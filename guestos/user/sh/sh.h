/* SPDX-License-Identifier: MIT */
/*
 * The shell, in reading order:
 *   main.c    where its input comes from, and the loop over it
 *   lex.c     text to words and operators
 *   parse.c   words to a tree
 *   expand.c  quotes and $ in words
 *   run.c     running the tree: processes, pipes, redirections
 *   builtin.c what the shell does itself: cd, exit, wait, ...
 *
 * The tree of a line lives in an arena that is emptied before the next line.
 */
#ifndef FRANK_SH_H
#define FRANK_SH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum shell_status {
    STATUS_USAGE = 2,
    STATUS_NOT_EXECUTABLE = 126,
    STATUS_NOT_FOUND = 127,
    STATUS_SIGNAL_BASE = 128,
};

struct shell {
    const char *name;   /* $0 */
    char **arguments;   /* $1 ... */
    int argument_count; /* $# */
    int last_status;    /* $? */
    bool interactive;   /* prompts, and gives each command line a process group */
};

extern struct shell shell;

/* ---- main.c: the arena and errors --------------------------------------------------------------
 */

/* Memory until the line is done; never NULL: the shell ends when there is none. */
void *arena_alloc(size_t size);
char *arena_copy(const char *text, size_t length);

/* "sh: ..." on standard error. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Run the commands of a file in this shell: its status. */
int run_file(const char *path);

/* ---- lex.c -------------------------------------------------------------------------------------
 */

enum token_kind {
    TOKEN_END, /* of the text */
    TOKEN_NEWLINE,
    TOKEN_WORD,
    TOKEN_SEMICOLON,
    TOKEN_AND, /* &&, and likewise below */
    TOKEN_OR,
    TOKEN_BACKGROUND,
    TOKEN_PIPE,
    TOKEN_OPEN, /* ( */
    TOKEN_CLOSE,
    TOKEN_INPUT, /* <, [n]>, [n]>>, [n]>&: the number in `descriptor` */
    TOKEN_OUTPUT,
    TOKEN_APPEND,
    TOKEN_DUPLICATE,
    TOKEN_INCOMPLETE, /* the text ends inside quotes */
};

struct token {
    enum token_kind kind;
    char *text;     /* a word as it was written, quotes and all */
    int descriptor; /* of a redirection */
};

/* The token at *text, which is moved behind it. */
struct token next_token(const char **text);

/* ---- parse.c -----------------------------------------------------------------------------------
 */

struct redirection {
    struct redirection *next;
    enum token_kind kind; /* TOKEN_INPUT, _OUTPUT, _APPEND, _DUPLICATE */
    int descriptor;
    char *target; /* not yet expanded */
};

enum node_kind {
    NODE_COMMAND,    /* words */
    NODE_SUBSHELL,   /* ( left ) */
    NODE_PIPE,       /* left | right */
    NODE_AND,        /* left && right */
    NODE_OR,         /* left || right */
    NODE_SEQUENCE,   /* left ; right */
    NODE_BACKGROUND, /* left & */
};

struct node {
    enum node_kind kind;
    struct node *left;
    struct node *right;
    /* NODE_COMMAND (not yet expanded) and NODE_SUBSHELL: */
    char **words;
    int word_count;
    struct redirection *redirections;
};

enum parse_result {
    PARSE_OK,
    PARSE_EMPTY,      /* nothing but blanks and comments */
    PARSE_INCOMPLETE, /* more lines are needed */
    PARSE_ERROR,      /* complained about */
};

enum parse_result parse(const char *text, struct node **tree);

/* ---- expand.c ----------------------------------------------------------------------------------
 */

/* A word without its quotes and with its $ replaced; NULL if nothing, not even quotes, is left. */
char *expand_word(const char *word);

/* If the word is NAME=value, put that into the environment. */
bool assign_word(const char *word);

/* ---- run.c -------------------------------------------------------------------------------------
 */

/* Run the tree; its status, which becomes $?. */
int run_tree(const struct node *tree);

/* Wait for what was started with &: for one process, or for all (0). Its status. */
int wait_for_background(pid_t pid);

/* Forget what has ended meanwhile. */
void reap_background(void);

/* ---- builtin.c ---------------------------------------------------------------------------------
 */

typedef int (*builtin_t)(int argc, char **argv);

/* What the shell itself does for a name, or NULL. */
builtin_t find_builtin(const char *name);

#endif
