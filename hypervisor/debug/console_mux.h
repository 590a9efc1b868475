/* SPDX-License-Identifier: MIT */
/*
 * Merges what several speakers say into one terminal's stream: whole lines in turns, each with its
 * speaker's name in front when names are shown.
 *
 * What a speaker cannot do: reach over its name (a carriage return starts a new named line; a
 * backspace goes no further back than the speaker's own characters in this line), or keep the
 * terminal (a turn ends with a line, with an empty ring, or after MUX_TURN_BYTES). A line that
 * another speaker broke into is shown again as far as it had come, when its speaker goes on. Where
 * no names are shown, a line that begins like one of Candor's gets its speaker's name behind that
 * word. Rings hold filtered text (console_filter.h). Pure code; the caller's lock guards it.
 *
 * For a program between the machine and the terminal there is more in the stream, which it takes
 * out: everything from MUX_RECORD to the next newline. If that is a number, or '-', it is a mark:
 * what follows was said by the speaker at that place (0: Candor), or by nobody (names, lines shown
 * again). Marks are off unless marks_shown. Anything else is a record, put in by
 * console_mux.records: JSON.
 */
#pragma once

#include "debug/byte_ring.h"

enum {
    MUX_SPEAKERS_MAX = 65, /* Candor itself and 64 VMs */
    MUX_NAME_BYTES = 16,
    MUX_LINE_BYTES = 256, /* of an unfinished line that can be shown again */
    MUX_RECORD = 0x1e,    /* begins a mark or a record; what guests write has none */
    MUX_STAGE_BYTES = 1024,
    MUX_TURN_BYTES = 512,
    MUX_STEPS_MAX = 32,      /* bytes that one console_mux_stage takes from the rings at most */
    MUX_CHOICES_MAX = 2,     /* and how often it chooses who speaks */
    MUX_HISTORY_BYTES = 512, /* of finished lines, kept for each speaker; a power of two */
    MUX_MARK_BYTES = 6,
    MUX_NOBODY = 255, /* a mark's place for what the terminal needs and nobody said */
    MUX_SYSTEM = 0,   /* place of the speaker that goes first and has no name shown */
};

struct mux_speaker {
    char name[MUX_NAME_BYTES];
    bool coloured;
    u8 place; /* in console_mux.speakers */
    struct byte_ring ring;
    u32 ahead_bytes;  /* of the ring, still to be shown before anything that Candor says */
    bool return_held; /* a carriage return that is not yet known to belong to a newline */
    bool
        line_too_long; /* the line is not kept any more; it cannot be shown again, nor taken back */
    bool shown_again;  /* its unfinished line is to be shown when Candor has nothing to say */
    u32 lines_ended;   /* ever */
    u32 last_line_at;  /* console_mux.lines_ended when its last line had ended */
    u64 history_put;   /* bytes ever put into history */
    u32 line_bytes;
    u8 history[MUX_HISTORY_BYTES]; /* the last finished lines, as they stood at their end */
    u8 line[MUX_LINE_BYTES];       /* this speaker's unfinished line, up to the cursor */
};

struct console_mux {
    struct mux_speaker *speakers[MUX_SPEAKERS_MAX]; /* by place; NULL: nobody */
    u32 count;                                      /* no speaker has this place or a greater one */
    bool names_shown;
    u32 lines_ended; /* by all, ever */
    bool marks_shown;
    u8 marked_place;          /* whose text follows, as the last mark says */
    struct byte_ring records; /* whole records, newline and all; size 0: none */
    struct mux_speaker *turn; /* who speaks; NULL: to be chosen */
    u32 turn_place;           /* who spoke last */
    u32 turn_bytes;
    u32 staged_place;           /* of the speaker whose bytes were staged last */
    struct mux_speaker *screen; /* who has the screen, but for what Candor says; NULL */
    struct mux_speaker
        *owner; /* whose unfinished line the terminal shows; NULL: at the start of a line */
    u32 staged_bytes;
    u8 staged[MUX_STAGE_BYTES]; /* ready for the device */
};

/* Adds a speaker at `place`, or returns false. Fills in all of it but its name, colour and ring. */
MUST_CHECK bool console_mux_add(struct console_mux *mux, struct mux_speaker *speaker, u32 place);

/* Takes a speaker away that has nothing more to say and whose last line has ended. */
void console_mux_remove(struct console_mux *mux, struct mux_speaker *speaker);

/* What this speaker has said so far is shown before anything that Candor says from now on. */
void console_mux_let_finish(struct mux_speaker *speaker);

/* This speaker's unfinished line, if it has one, is shown again once Candor has nothing to say. */
void console_mux_show_again(struct mux_speaker *speaker);

/* The last finished lines of a speaker, at most `lines`, newlines and all, as far as they are kept
 * whole; stores them and returns their bytes. */
u32 console_mux_history(const struct mux_speaker *speaker, u32 lines, u8 out[MUX_HISTORY_BYTES]);

/* From now on this speaker has the screen for itself, but for what Candor says: all else waits, and
 * what it says is shown as it comes, without name. NULL: nobody has, and a new line begins. Its
 * ring holds text that was filtered for a screen (console_filter.h). Called between two stages. */
void console_mux_give_screen(struct console_mux *mux, struct mux_speaker *speaker);

/* Moves text from the rings to mux->staged until at least `wanted` bytes are there, the rings are
 * empty, or MUX_STEPS_MAX bytes were moved or MUX_CHOICES_MAX turns chosen: some bytes, as a
 * backspace at the start of a line, show nothing. */
void console_mux_stage(struct console_mux *mux, u32 wanted);

/* The device has taken the first `count` staged bytes. */
void console_mux_taken(struct console_mux *mux, u32 count);

/* Whether anything is staged or in a ring. */
bool console_mux_pending(const struct console_mux *mux);
