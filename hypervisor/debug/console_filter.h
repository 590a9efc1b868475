/* SPDX-License-Identifier: MIT */
/*
 * Takes out of a guest's output what could forge another speaker on a shared terminal.
 *
 * What passes: printable ASCII, tab, newline, carriage return, backspace, and well-formed UTF-8 of
 * printable characters. What does not: escape sequences (ECMA-48: ESC and whatever follows as its
 * sequence), all other C0 controls, DEL, C1 controls in both forms, malformed UTF-8, and the
 * characters that break lines or turn the direction of text. Carriage return and backspace are made
 * harmless by the multiplexer, which knows columns. The state carries over from write to write, so
 * cutting a sequence in two gains nothing. Pure code.
 *
 * On a screen that a guest has for itself, control sequences pass too, as long as all that they do
 * is to move the cursor, to erase, to make room, or to change how text looks: none that makes the
 * terminal answer, or that outlasts the screen.
 */
#pragma once

#include "types.h"

enum {
    CONSOLE_SEQUENCE_MAX = 16, /* a longer one is taken out */
    CONSOLE_CHARACTER_MAX = 4,
    CONSOLE_FILTER_OUTPUT_MAX = CONSOLE_SEQUENCE_MAX,
};

enum console_filter_state {
    FILTER_TEXT,
    FILTER_ESCAPE,   /* after ESC and intermediates */
    FILTER_SEQUENCE, /* within a control sequence, up to its final byte */
    FILTER_STRING, /* within a control string (OSC, DCS, ...), up to BEL, ST or any other control */
    FILTER_UTF8,   /* within a multi-byte character */
};

/* All zero at the start. */
struct console_filter {
    enum console_filter_state state;
    bool has_screen;               /* the guest has the screen for itself */
    bool wants_screen;             /* it has tried to move the cursor freely, without one */
    u8 held[CONSOLE_SEQUENCE_MAX]; /* of an unfinished multi-byte character, or of a sequence */
    u8 held_count;
    u8 wanted_count;
};

/* Takes one byte; stores what may be shown and returns how many bytes that is. */
u32 console_filter_byte(struct console_filter *filter, u8 byte, u8 out[CONSOLE_FILTER_OUTPUT_MAX]);
