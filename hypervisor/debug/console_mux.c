/* SPDX-License-Identifier: MIT */
/*
 * The console's multiplexer: see console_mux.h.
 */
#include "debug/console_mux.h"

#include "printf.h"
#include "string.h"

enum {
    MUX_STEP_BYTES = 128 + MUX_LINE_BYTES, /* at most what one byte of a ring turns into */
    MUX_COLOURS = 6,
};

/* Bold, without red (errors) and black or white (backgrounds). */
static const char *const colours[MUX_COLOURS] = {
    "\033[1;32m", "\033[1;36m", "\033[1;33m", "\033[1;35m", "\033[1;34m", "\033[1;92m",
};
static const char colour_end[] = "\033[0m";

bool console_mux_add(struct console_mux *mux, struct mux_speaker *speaker, u32 place)
{
    if (place >= MUX_SPEAKERS_MAX || mux->speakers[place] != NULL)
        return false;
    speaker->place = (u8)place;
    speaker->ahead_bytes = 0;
    speaker->return_held = false;
    speaker->line_too_long = false;
    speaker->shown_again = false;
    speaker->lines_ended = 0;
    speaker->last_line_at = 0;
    speaker->history_put = 0;
    speaker->line_bytes = 0;
    mux->speakers[place] = speaker;
    mux->count = max(mux->count, place + 1);
    return true;
}

void console_mux_remove(struct console_mux *mux, struct mux_speaker *speaker)
{
    mux->speakers[speaker->place] = NULL;
    while (mux->count > 0 && mux->speakers[mux->count - 1] == NULL)
        mux->count--;
    if (mux->turn == speaker)
        mux->turn = NULL;
    if (mux->owner == speaker)
        mux->owner = NULL;
}

static void stage(struct console_mux *mux, const void *bytes, size_t count)
{
    memcpy(mux->staged + mux->staged_bytes, bytes, count);
    mux->staged_bytes += (u32)count;
}

static void stage_text(struct console_mux *mux, const char *text)
{
    stage(mux, text, strlen(text));
}

/* What is staged from here on was said by the speaker at `place`. */
static void mark(struct console_mux *mux, u8 place)
{
    char text[MUX_MARK_BYTES];

    if (!mux->marks_shown || mux->marked_place == place)
        return;
    mux->marked_place = place;
    if (place == MUX_NOBODY)
        snprintf(text, sizeof(text), "%c-\n", MUX_RECORD);
    else
        snprintf(text, sizeof(text), "%c%u\n", MUX_RECORD, place);
    stage_text(mux, text);
}

static void stage_name(struct console_mux *mux, const struct mux_speaker *speaker)
{
    if (!mux->names_shown || speaker->place == MUX_SYSTEM)
        return;
    if (speaker->coloured)
        stage_text(mux, colours[(speaker->place - 1) % MUX_COLOURS]);
    stage_text(mux, speaker->name);
    if (speaker->coloured)
        stage_text(mux, colour_end);
    stage_text(mux, "| ");
}

/* Makes the terminal's current line this speaker's, shown as far as it had come. */
static void own_line(struct console_mux *mux, struct mux_speaker *speaker)
{
    if (mux->owner == speaker)
        return;
    mark(mux, MUX_NOBODY);
    if (mux->owner != NULL)
        stage_text(mux, "\r\n");
    mux->owner = speaker;
    stage_name(mux, speaker);
    stage(mux, speaker->line, speaker->line_bytes);
}

static void history_put(struct mux_speaker *speaker, u8 byte)
{
    speaker->history[speaker->history_put++ & (MUX_HISTORY_BYTES - 1)] = byte;
}

/* A line has ended: it goes into the history. */
static void keep_line(struct mux_speaker *speaker)
{
    speaker->lines_ended++;
    for (u32 i = 0; i < speaker->line_bytes; i++)
        history_put(speaker, speaker->line[i]);
    history_put(speaker, '\n');
}

u32 console_mux_history(const struct mux_speaker *speaker, u32 lines, u8 out[MUX_HISTORY_BYTES])
{
    u32 kept = (u32)min(speaker->history_put, (u64)MUX_HISTORY_BYTES), start = kept;
    u32 oldest = (u32)(speaker->history_put - kept) & (MUX_HISTORY_BYTES - 1);

    /* The oldest comes first; a line whose start is not kept is left out. */
    memcpy(out, speaker->history + oldest, min(kept, MUX_HISTORY_BYTES - oldest));
    memcpy(out + MUX_HISTORY_BYTES - oldest, speaker->history,
           kept - min(kept, MUX_HISTORY_BYTES - oldest));
    for (u32 at = kept; lines > 0 && at-- > 0;) {
        bool line_begins = at > 0 ? out[at - 1] == '\n' : speaker->history_put == kept;

        if (!line_begins || at == kept)
            continue;
        start = at;
        lines--;
    }
    memmove(out, out + start, kept - start);
    return kept - start;
}

static void forget_line(struct mux_speaker *speaker)
{
    speaker->line_bytes = 0;
    speaker->line_too_long = false;
}

static void keep_byte(struct mux_speaker *speaker, u8 byte)
{
    if (speaker->line_bytes == MUX_LINE_BYTES)
        speaker->line_too_long = true;
    if (speaker->line_too_long)
        speaker->line_bytes = 0;
    else
        speaker->line[speaker->line_bytes++] = byte;
}

/* Only characters known to be one column wide are taken back: ASCII. */
static void show_backspace(struct console_mux *mux, struct mux_speaker *speaker)
{
    if (speaker->line_bytes == 0 || speaker->line[speaker->line_bytes - 1] > '~')
        return;
    speaker->line_bytes--;
    stage_text(mux, "\b");
}

/* Where no names are shown a VM could print lines that look like Candor's: its name is put into
 * them, as if it had written that too. */
static void tell_imitation(struct console_mux *mux, struct mux_speaker *speaker, u8 byte)
{
    const struct mux_speaker *system = mux->speakers[MUX_SYSTEM];
    size_t length = system != NULL ? strlen(system->name) : 0;
    char text[MUX_NAME_BYTES + 3];

    if (mux->names_shown || speaker->place == MUX_SYSTEM || byte == '(' || byte == '\b' ||
        length == 0 || speaker->line_bytes != length ||
        memcmp(speaker->line, system->name, length) != 0)
        return;
    snprintf(text, sizeof(text), "(%s)", speaker->name);
    mark(mux, MUX_NOBODY);
    stage_text(mux, text);
    for (const char *c = text; *c != '\0'; c++)
        keep_byte(speaker, (u8)*c);
}

/* Of the one who has the screen: there are no lines to keep. */
static void show_screen_byte(struct console_mux *mux, struct mux_speaker *speaker, u8 byte)
{
    if (mux->owner != NULL && mux->owner != speaker)
        stage_text(mux, "\r\n");
    mux->owner = speaker;
    mark(mux, speaker->place);
    if (byte == '\n')
        stage_text(mux, "\r");
    stage(mux, &byte, 1);
}

static void show_byte(struct console_mux *mux, struct mux_speaker *speaker, u8 byte)
{
    if (speaker == mux->screen) {
        show_screen_byte(mux, speaker, byte);
        return;
    }
    if (byte == '\n') {
        own_line(mux, speaker);
        mark(mux, speaker->place);
        stage_text(mux, "\r\n");
        mux->owner = NULL;
        mux->turn = NULL;
        speaker->return_held = false;
        keep_line(speaker);
        speaker->last_line_at = ++mux->lines_ended;
        forget_line(speaker);
        return;
    }
    if (speaker->return_held) {
        speaker->return_held = false;
        own_line(mux, speaker);
        mark(mux, speaker->place);
        stage_text(mux, "\r");
        mark(mux, MUX_NOBODY);
        stage_name(mux, speaker);
        forget_line(speaker);
    }
    if (byte == '\r') {
        speaker->return_held = true;
        return;
    }
    own_line(mux, speaker);
    tell_imitation(mux, speaker, byte);
    mark(mux, speaker->place);
    if (byte == '\b') {
        show_backspace(mux, speaker);
    } else {
        stage(mux, &byte, 1);
        keep_byte(speaker, byte);
    }
}

static bool has_text(const struct mux_speaker *speaker)
{
    return byte_ring_used(&speaker->ring) > 0;
}

void console_mux_let_finish(struct mux_speaker *speaker)
{
    speaker->ahead_bytes = byte_ring_used(&speaker->ring);
}

void console_mux_show_again(struct mux_speaker *speaker)
{
    speaker->shown_again = true;
}

/* Candor has nothing to say: lines that someone wants to see again. True if there was one. */
static bool show_lines_again(struct console_mux *mux)
{
    if (mux->count == 0 || has_text(mux->speakers[MUX_SYSTEM]) || mux->screen != NULL)
        return false;
    for (u32 i = 0; i < mux->count; i++) {
        struct mux_speaker *speaker = mux->speakers[i];

        if (speaker == NULL || !speaker->shown_again)
            continue;
        speaker->shown_again = false;
        if (speaker->line_bytes > 0)
            own_line(mux, speaker);
        return true;
    }
    return false;
}

static bool stage_records(struct console_mux *mux, u32 wanted)
{
    bool any = mux->records.size > 0 && byte_ring_used(&mux->records) > 0;

    while (mux->records.size > 0 && byte_ring_used(&mux->records) > 0 && mux->staged_bytes < wanted)
        mux->staged[mux->staged_bytes++] = byte_ring_take(&mux->records);
    return any;
}

/* Candor itself first, once those that may finish have, then the others in turn. */
static struct mux_speaker *choose_speaker(struct console_mux *mux)
{
    bool system_speaks = mux->count > 0 && has_text(mux->speakers[MUX_SYSTEM]);

    for (u32 i = MUX_SYSTEM + 1; system_speaks && i < mux->count; i++) {
        if (mux->speakers[i] != NULL && mux->speakers[i]->ahead_bytes > 0)
            return mux->speakers[i];
    }
    if (system_speaks)
        return mux->speakers[MUX_SYSTEM];
    if (mux->screen != NULL)
        return has_text(mux->screen) ? mux->screen : NULL;
    for (u32 step = 1; step <= mux->count; step++) {
        struct mux_speaker *speaker = mux->speakers[(mux->turn_place + step) % mux->count];

        if (speaker != NULL && has_text(speaker))
            return speaker;
    }
    return NULL;
}

static bool inside_character(const struct mux_speaker *speaker)
{
    return (byte_ring_peek(&speaker->ring) & 0xc0) == 0x80;
}

static void end_turn_if_over(struct console_mux *mux)
{
    struct mux_speaker *speaker = mux->turn;

    if (speaker == NULL)
        return;
    if (!has_text(speaker) || (mux->turn_bytes >= MUX_TURN_BYTES && !inside_character(speaker)))
        mux->turn = NULL;
}

void console_mux_stage(struct console_mux *mux, u32 wanted)
{
    u32 choices = 0;

    for (u32 step = 0; step < MUX_STEPS_MAX && mux->staged_bytes < wanted &&
                       mux->staged_bytes + MUX_STEP_BYTES <= MUX_STAGE_BYTES;
         step++) {
        if (stage_records(mux, wanted))
            continue;
        end_turn_if_over(mux);
        if (mux->turn == NULL) {
            if (choices++ == MUX_CHOICES_MAX)
                return;
            if (show_lines_again(mux))
                continue;
            mux->turn = choose_speaker(mux);
            if (mux->turn == NULL)
                return;
            mux->turn_bytes = 0;
            if (mux->turn->place != MUX_SYSTEM)
                mux->turn_place = mux->turn->place;
        }
        mux->turn_bytes++;
        mux->staged_place = mux->turn->place;
        if (mux->turn->ahead_bytes > 0)
            mux->turn->ahead_bytes--;
        show_byte(mux, mux->turn, byte_ring_take(&mux->turn->ring));
    }
}

void console_mux_give_screen(struct console_mux *mux, struct mux_speaker *speaker)
{
    if (mux->screen != NULL && mux->owner == mux->screen) {
        mark(mux, MUX_NOBODY);
        stage_text(mux, colour_end);
        stage_text(mux, "\r\n");
        mux->owner = NULL;
    }
    mux->screen = speaker;
    mux->turn = NULL;
    if (speaker != NULL) {
        speaker->return_held = false;
        forget_line(speaker);
    }
}

void console_mux_taken(struct console_mux *mux, u32 count)
{
    mux->staged_bytes -= count;
    memmove(mux->staged, mux->staged + count, mux->staged_bytes);
}

bool console_mux_pending(const struct console_mux *mux)
{
    if (mux->staged_bytes > 0 || (mux->records.size > 0 && byte_ring_used(&mux->records) > 0))
        return true;
    for (u32 i = 0; i < mux->count; i++) {
        const struct mux_speaker *speaker = mux->speakers[i];

        if (speaker != NULL && (has_text(speaker) || speaker->shown_again) &&
            (mux->screen == NULL || speaker == mux->screen || i == MUX_SYSTEM))
            return true;
    }
    return false;
}
