/* SPDX-License-Identifier: MIT */
/*
 * Memory that is freed all at once, and text that grows.
 *
 * Nothing here returns NULL: where there is no memory, shell_abort() is called.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct arena_block;

/* Pieces of memory, freed together. All zero: empty. */
struct arena {
    struct arena_block *block; /* the newest */
};

/* How much an arena held at some time. */
struct arena_mark {
    struct arena_block *block;
    size_t used;
};

void *arena_alloc(struct arena *arena, size_t size);
/* Zeroed. */
void *arena_zalloc(struct arena *arena, size_t size);
/* A string. */
char *arena_copy(struct arena *arena, const char *bytes, size_t length);
char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct arena_mark arena_mark(const struct arena *arena);
/* Free all that was allocated since. */
void arena_release(struct arena *arena, struct arena_mark mark);

/* malloc and its kin, without NULL. */
void *memory_resize(void *old, size_t size);
char *memory_copy(const char *string);

/* A string that grows in an arena. All zero but for the arena: empty, and bytes is NULL. */
struct text {
    struct arena *arena;
    char *bytes; /* ends with a zero */
    size_t length;
    size_t room;
};

void text_add(struct text *text, const char *bytes, size_t length);
void text_add_string(struct text *text, const char *string);
void text_add_byte(struct text *text, char byte);
/* The string, "" if nothing was added. */
const char *text_string(const struct text *text);

/* Words that become an argv. */
struct words {
    struct arena *arena;
    char **list; /* list[count] is NULL */
    size_t count;
    size_t room;
};

void words_add(struct words *words, char *word);

/* What the builtins print goes through here, to descriptor 1. */
void out_bytes(const char *bytes, size_t length);
void out_string(const char *string);
void out_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* In quotes, so that the shell would read it as one word. */
void out_quoted(const char *string);
/* 0, or -1 with errno if any of it could not be written. */
int out_flush(void);

/* Write all of it: 0, or -1 with errno. */
int write_all(int descriptor, const char *bytes, size_t length);
/* At once, and errors do not matter. */
void write_format(int descriptor, const char *format, ...) __attribute__((format(printf, 2, 3)));
