/* SPDX-License-Identifier: MIT */
/*
 * A text in memory: its lines, without their ends. The last line is what follows the last newline,
 * so a file comes out as it came in. There is always at least one line.
 *
 * A function that needs memory and gets none returns false and has changed nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct line {
    char *bytes;
    size_t length, room;
};

struct buffer {
    struct line *lines;
    size_t count, room;
    bool is_modified; /* since it was loaded; whoever saves it says otherwise */
};

/* Between two bytes, or at an end of a line. */
struct place {
    size_t line;
    size_t byte; /* at most the line's length */
};

bool buffer_init(struct buffer *buffer);
void buffer_free(struct buffer *buffer);

/* Put bytes in at a place, which moves behind them; a newline divides the line. */
bool buffer_insert(struct buffer *buffer, struct place *at, const char *bytes, size_t count);

/* Take the character, or the end of a line, behind a place away. True as well if there is none. */
bool buffer_delete(struct buffer *buffer, struct place at);

/* Take a line away, with its end. */
void buffer_delete_line(struct buffer *buffer, size_t number);

/* Move by a character: over the end of a line, too, and never into the middle of one of UTF-8.
   False: there is none. */
bool buffer_left(const struct buffer *buffer, struct place *at);
bool buffer_right(const struct buffer *buffer, struct place *at);

/* The next place behind `at` where `text` stands, round the end if need be; false: nowhere. */
bool buffer_find(const struct buffer *buffer, const char *text, struct place *at);
