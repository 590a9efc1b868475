/* SPDX-License-Identifier: MIT */
/*
 * The line editor:
 *   ^A ^E Home End, arrows, Alt-B Alt-F   move
 *   ^H ^D ^W ^U ^K ^Y                     delete, and bring back what was deleted
 *   Up Down ^P ^N                         earlier lines
 *   ^R                                    the earlier line that has what is typed in it; again: the
 * next Tab                                   complete a command or a file; twice: show all that fit
 *   ^L ^C ^D                              clear the screen; forget the line; end of input
 *
 * The terminal is in raw mode only while a line is edited. What is added at the end of a line is
 * shown by just its bytes, and no edit shows the prompt again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "memory.h"

enum edit_result {
    EDIT_LINE,
    EDIT_END,         /* ^D on an empty line */
    EDIT_INTERRUPTED, /* ^C */
};

/* Read a line from the terminal; it is added to `line` with its newline. */
enum edit_result edit_line(const char *prompt, struct text *line);

/* ---- history.c ---------------------------------------------------------------------------------
 */

void history_add(const char *line);

/* The line so many before the one being typed (1: the last one), or NULL. */
const char *history_get(size_t back);

/* The nearest line farther back than `back` that contains the text: how far, or 0. */
size_t history_search(size_t back, const char *text);

/* ---- complete.c --------------------------------------------------------------------------------
 */

struct completion {
    struct words found;   /* all that fit, sorted */
    size_t typed;         /* bytes before the cursor that they begin with */
    const char *addition; /* what to insert: what is common to all, and " " or "/" if it is one */
};

/* What the end of `line` can be completed to; in shell.scratch. */
struct completion complete(const char *line);
