/* SPDX-License-Identifier: MIT */
/*
 * What words stand for.
 *
 * A word is first expanded to bytes, each of which knows where it comes from: written plainly,
 * quoted, or given by an unquoted $. Only then is it cut into fields (at IFS, and only in what $
 * gave) and matched with files (only where * ? [ are not quoted).
 *
 * All results are in shell.scratch.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory.h"

struct word;

/* ---- variable.c --------------------------------------------------------------------------------
 */

/* The value, or NULL if it is not set. */
const char *variable_get(const char *name);
const char *variable_get_bytes(const char *name, size_t length);

/* shell_fail() if it is read-only. */
void variable_set(const char *name, const char *value);
void variable_unset(const char *name);

enum variable_flag {
    VARIABLE_EXPORTED = 1,
    VARIABLE_READ_ONLY = 2,
};

/* Set flags, of a variable that may have no value. */
void variable_mark(const char *name, unsigned flags);

/* Print those with the flag (0: all that have a value), with `prefix` in front. */
void variables_print(const char *prefix, unsigned flags);

/* Take over the environment; make one for a program, in shell.scratch. */
void variables_import(char **environment);
char **variables_export(void);

/* Remember a variable until variables_restore() with the number that variables_saved() had. */
void variable_save(const char *name);
size_t variables_saved(void);
void variables_restore(size_t count);

/* Names that begin so, for completion. */
void variables_each(void (*visit)(const char *name, void *argument), void *argument);

/* ---- expand.c ----------------------------------------------------------------------------------
 */

enum byte_kind {
    BYTE_PLAIN,  /* as written, unquoted */
    BYTE_QUOTED, /* quoted: is itself */
    BYTE_SPLIT,  /* given by an unquoted $ */
    BYTE_MARK,   /* no byte, but quotes: there is a field, even if it is empty */
    BYTE_BREAK,  /* no byte: between the fields of $@ */
};

/* A word under expansion. */
struct expansion {
    char *bytes;
    unsigned char *kinds; /* enum byte_kind, one for each byte */
    size_t length;
    size_t room;
};

enum quoting {
    QUOTING_NONE,
    QUOTING_DOUBLE,
    QUOTING_HERE,       /* like double quotes, but " is itself */
    QUOTING_ASSIGNMENT, /* none, and ~ counts behind : */
};

void expansion_add(struct expansion *expansion, const char *bytes, size_t length,
                   enum byte_kind kind);

/* Add what a text, of which `size` bytes count, stands for. */
void expand_text(struct expansion *expansion, const char *text, size_t size, enum quoting quoting);

/* A word as one string: not split, not matched with files. */
char *expand_string(const char *word, enum quoting quoting);

/* The same as a pattern for fnmatch(): what was quoted has backslashes. */
char *expand_pattern(const char *word);

/* Output of commands, without newlines at the end; $? is then their status. */
char *command_output(const char *text, size_t size);

/* ---- parameter.c -------------------------------------------------------------------------------
 */

/* Add what "$..." or "${...}" at `text` stands for: how long that is; 0: it is no parameter. */
size_t expand_parameter(struct expansion *expansion, const char *text, bool in_quotes);

/* ---- field.c -----------------------------------------------------------------------------------
 */

/* Add the fields of a word. */
void expand_fields(struct words *fields, const char *word);

/* Goes through the fields that an expansion is cut to. */
struct splitter {
    const struct expansion *expansion;
    const char *separators; /* IFS */
    size_t at;
};

struct splitter splitter_of(const struct expansion *expansion);

/* The next field: from *start up to *end. False: there is none. */
bool splitter_next(struct splitter *splitter, size_t *start, size_t *end);

/* What is left, without separators that are blanks at both ends. */
void splitter_rest(struct splitter *splitter, size_t *start, size_t *end);

/* The bytes of a range as a string; as a pattern, what is quoted gets a backslash. */
char *expansion_string(const struct expansion *expansion, size_t start, size_t end,
                       bool as_pattern);

/* ---- arithmetic.c ------------------------------------------------------------------------------
 */

/* The value of an expression in which all $ are expanded. shell_fail() if it is wrong. */
int64_t arithmetic(const char *text);
