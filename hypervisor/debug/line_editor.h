/* SPDX-License-Identifier: MIT */
/*
 * Editing of one typed line: printable ASCII; backspace and DEL take back, Ctrl-U takes all back,
 * Ctrl-C gives the line up, return ends it. What is too long rings the bell. Arrow keys and other
 * escape sequences are ignored. Pure code.
 */
#pragma once

#include "types.h"

enum {
    LINE_EDITOR_CANCEL = 0x03, /* Ctrl-C */
    LINE_EDITOR_BYTES = 80,
    LINE_EDITOR_ECHO_BYTES = 3 * LINE_EDITOR_BYTES, /* the most that one byte echoes: Ctrl-U */
};

enum line_event {
    LINE_EDITING,
    LINE_COMPLETE, /* line[] is a string; line_editor_reset starts the next */
    LINE_GIVEN_UP,
};

/* All zero at the start. */
struct line_editor {
    u32 used;
    bool return_seen; /* the last byte was a return: a newline right after it belongs to it */
    u8 escape;        /* 0, or how far into an escape sequence */
    char line[LINE_EDITOR_BYTES];
};

/* Takes a byte; stores what to show for it and its length. */
enum line_event line_editor_byte(struct line_editor *editor, u8 byte,
                                 char echo[LINE_EDITOR_ECHO_BYTES], u32 *echo_bytes);

void line_editor_reset(struct line_editor *editor);
