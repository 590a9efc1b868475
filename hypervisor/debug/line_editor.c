/* SPDX-License-Identifier: MIT */
/*
 * The monitor's line editor: see line_editor.h.
 */
#include "debug/line_editor.h"

#include "string.h"

enum {
    KEY_BACKSPACE = 0x08,
    KEY_KILL_LINE = 0x15,
    KEY_ESCAPE = 0x1b,
    KEY_DELETE = 0x7f,
    KEY_SEQUENCE_FINAL = 0x40,
};

enum { ESCAPE_NONE, ESCAPE_STARTED, ESCAPE_SEQUENCE };

static const char take_back[] = "\b \b";

void line_editor_reset(struct line_editor *editor)
{
    editor->used = 0;
    editor->escape = ESCAPE_NONE;
}

static void put_echo(char *echo, u32 *echo_bytes, const char *text)
{
    size_t length = strlen(text);

    memcpy(echo + *echo_bytes, text, length);
    *echo_bytes += (u32)length;
}

static void skip_escape(struct line_editor *editor, u8 byte)
{
    if (editor->escape == ESCAPE_STARTED && (byte == '[' || byte == 'O'))
        editor->escape = ESCAPE_SEQUENCE;
    else if (editor->escape == ESCAPE_STARTED || byte >= KEY_SEQUENCE_FINAL)
        editor->escape = ESCAPE_NONE;
}

static void edit(struct line_editor *editor, u8 byte, char *echo, u32 *echo_bytes)
{
    u32 left;
    bool fits;

    switch (byte) {
    case KEY_BACKSPACE:
    case KEY_DELETE:
    case KEY_KILL_LINE:
        left = byte == KEY_KILL_LINE || editor->used == 0 ? 0 : editor->used - 1;
        for (; editor->used > left; editor->used--)
            put_echo(echo, echo_bytes, take_back);
        break;
    case KEY_ESCAPE:
        editor->escape = ESCAPE_STARTED;
        break;
    default:
        if (byte >= ' ' && byte < KEY_DELETE) {
            fits = editor->used < LINE_EDITOR_BYTES - 1;
            if (fits)
                editor->line[editor->used++] = (char)byte;
            echo[(*echo_bytes)++] = fits ? (char)byte : '\a';
        }
    }
}

enum line_event line_editor_byte(struct line_editor *editor, u8 byte,
                                 char echo[LINE_EDITOR_ECHO_BYTES], u32 *echo_bytes)
{
    bool after_return = editor->return_seen;

    *echo_bytes = 0;
    editor->return_seen = byte == '\r';
    if (byte == '\r' || (byte == '\n' && !after_return)) {
        editor->line[editor->used] = '\0';
        put_echo(echo, echo_bytes, "\n");
        return LINE_COMPLETE;
    }
    if (byte == LINE_EDITOR_CANCEL) {
        put_echo(echo, echo_bytes, "^C\n");
        return LINE_GIVEN_UP;
    }
    if (editor->escape != ESCAPE_NONE)
        skip_escape(editor, byte);
    else
        edit(editor, byte, echo, echo_bytes);
    return LINE_EDITING;
}
