/* SPDX-License-Identifier: MIT */
/*
 * The terminal as the editor has it: keys, and rows of which only what differs from the last
 * picture is sent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"

enum key {
    KEY_FIND = 6, /* ^F */
    KEY_BACKSPACE = 8,
    KEY_TAB = 9,
    KEY_CUT = 11,    /* ^K */
    KEY_REDRAW = 12, /* ^L */
    KEY_ENTER = 13,
    KEY_QUIT = 17,  /* ^Q */
    KEY_SAVE = 19,  /* ^S */
    KEY_PASTE = 21, /* ^U */
    KEY_ESCAPE = 27,
    KEY_RUBOUT = 127,
    /* What begins with an escape; below are the bytes that were typed. */
    KEY_UP = 256,
    KEY_DOWN,
    KEY_RIGHT,
    KEY_LEFT,
    KEY_HOME,
    KEY_END,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_DELETE,
    KEY_UNKNOWN,
    KEY_GONE, /* nobody types any more */
};

/* Into raw mode; the terminal is put back at screen_end(), and when a signal ends the program.
   False: it is no terminal. */
bool screen_begin(void);
void screen_end(void);

/* Wait for a key. */
int screen_key(void);

/* How many rows of text there is room for: the last one is the status. */
size_t screen_text_rows(void);

/* Show the text with the cursor in sight, and the status below it; forget what was shown before
   if `anew`. */
void screen_show(const struct buffer *buffer, struct place cursor, const char *status, bool anew);
