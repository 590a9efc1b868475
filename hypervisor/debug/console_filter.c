/* SPDX-License-Identifier: MIT */
/*
 * The output filter: a state machine of one byte a step (ECMA-48 5.3-5.6; RFC 3629).
 */
#include "debug/console_filter.h"

#include "string.h"

enum {
    CHAR_BACKSPACE = 0x08,
    CHAR_TAB = 0x09,
    CHAR_NEWLINE = 0x0a,
    CHAR_RETURN = 0x0d,
    CHAR_ESCAPE = 0x1b,
    CHAR_SPACE = 0x20,
    CHAR_ESCAPE_FINAL = 0x30,   /* first final byte after ESC and intermediates */
    CHAR_SEQUENCE_FINAL = 0x40, /* first final byte of a control sequence */
    CHAR_PARAMETER_END = 0x3c,  /* behind digits, colon and semicolon */
    CHAR_DELETE = 0x7f,
    UTF8_LEAD_2 = 0xc2,
    UTF8_LEAD_3 = 0xe0,
    UTF8_LEAD_4 = 0xf0,
    UTF8_LEAD_END = 0xf5,
    UTF8_CONTINUATION_BITS = 6,
    UTF8_CONTINUATION_MASK = 0x3f,
};

enum codepoint {
    CODE_C1_END = 0xa0,
    CODE_2_BYTES_END = 0x800,
    CODE_3_BYTES_END = 0x10000,
    CODE_END = 0x110000,
};

struct code_range {
    u32 first;
    u32 last;
};

/* Not to be shown: C1 controls, soft hyphen, marks and overrides of direction, zero-width and
   invisible characters, line separators, surrogates, byte order mark, tags. */
static const struct code_range hidden[] = {
    {0x80, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},     {0x180e, 0x180e},
    {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},   {0xd800, 0xdfff},
    {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
};

static bool is_continuation(u8 byte)
{
    return (byte & ~UTF8_CONTINUATION_MASK) == 0x80;
}

static u32 decode(const u8 *bytes, u32 count)
{
    u32 code = bytes[0] & (0x7fU >> count);

    for (u32 i = 1; i < count; i++)
        code = code << UTF8_CONTINUATION_BITS | (bytes[i] & UTF8_CONTINUATION_MASK);
    return code;
}

static bool may_be_shown(u32 code, u32 count)
{
    if ((count == 3 && code < CODE_2_BYTES_END) || (count == 4 && code < CODE_3_BYTES_END) ||
        code >= CODE_END)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
        if (code >= hidden[i].first && code <= hidden[i].last)
            return false;
    }
    return true;
}

static u32 continue_character(struct console_filter *filter, u8 byte, u8 *out)
{
    filter->held[filter->held_count++] = byte;
    if (filter->held_count < filter->wanted_count)
        return 0;
    filter->state = FILTER_TEXT;
    if (!may_be_shown(decode(filter->held, filter->held_count), filter->held_count))
        return 0;
    memcpy(out, filter->held, filter->held_count);
    return filter->held_count;
}

static void start_character(struct console_filter *filter, u8 byte)
{
    if (byte < UTF8_LEAD_2 || byte >= UTF8_LEAD_END)
        return;
    filter->state = FILTER_UTF8;
    filter->held[0] = byte;
    filter->held_count = 1;
    filter->wanted_count = byte < UTF8_LEAD_3 ? 2 : byte < UTF8_LEAD_4 ? 3 : 4;
}

static u32 text_byte(struct console_filter *filter, u8 byte, u8 *out)
{
    if (byte == CHAR_ESCAPE) {
        filter->state = FILTER_ESCAPE;
        return 0;
    }
    if (byte > CHAR_DELETE) {
        start_character(filter, byte);
        return 0;
    }
    if (byte == CHAR_DELETE || (byte < CHAR_SPACE && byte != CHAR_TAB && byte != CHAR_NEWLINE &&
                                byte != CHAR_RETURN && byte != CHAR_BACKSPACE))
        return 0;
    out[0] = byte;
    return 1;
}

/* Up, down, right, left; columns and rows; erase; lines and characters put in and taken out;
   scroll; looks (ECMA-48 8.3). */
static const char harmless_finals[] = "ABCDGHJKLMPSTX@dm";

/* A byte of a control sequence. What is too long or has other parameters than numbers is marked by
   a count of 0, and taken out. */
static u32 sequence_byte(struct console_filter *filter, u8 byte, u8 *out)
{
    bool is_final = byte >= CHAR_SEQUENCE_FINAL;
    u32 count = filter->held_count;

    if (is_final)
        filter->state = FILTER_TEXT;
    if (byte == 'H' && !filter->has_screen)
        filter->wants_screen = true;
    if (count == 0 || count == CONSOLE_SEQUENCE_MAX || (!is_final && byte >= CHAR_PARAMETER_END) ||
        byte < '0' || (is_final && strchr(harmless_finals, byte) == NULL)) {
        filter->held_count = 0;
        return 0;
    }
    filter->held[filter->held_count++] = byte;
    if (!is_final)
        return 0;
    memcpy(out, filter->held, filter->held_count);
    return filter->held_count;
}

static void begin_sequence(struct console_filter *filter)
{
    filter->state = FILTER_SEQUENCE;
    filter->held[0] = CHAR_ESCAPE;
    filter->held[1] = '[';
    filter->held_count = filter->has_screen ? 2 : 0;
}

static void escape_byte(struct console_filter *filter, u8 byte)
{
    switch (byte) {
    case '[':
        begin_sequence(filter);
        break;
    case ']':
    case 'P':
    case 'X':
    case '^':
    case '_':
        filter->state = FILTER_STRING;
        break;
    default:
        if (byte >= CHAR_ESCAPE_FINAL)
            filter->state = FILTER_TEXT;
    }
}

u32 console_filter_byte(struct console_filter *filter, u8 byte, u8 out[CONSOLE_FILTER_OUTPUT_MAX])
{
    if (filter->state == FILTER_UTF8) {
        if (is_continuation(byte))
            return continue_character(filter, byte, out);
        filter->state = FILTER_TEXT;
    }
    /* A control ends whatever sequence it stands in, so an unfinished one hides at most a line. */
    if (filter->state == FILTER_TEXT || byte < CHAR_SPACE) {
        filter->state = FILTER_TEXT;
        return text_byte(filter, byte, out);
    }
    if (filter->state == FILTER_ESCAPE)
        escape_byte(filter, byte);
    else if (filter->state == FILTER_SEQUENCE)
        return sequence_byte(filter, byte, out);
    return 0;
}
