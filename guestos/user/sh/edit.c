/* SPDX-License-Identifier: MIT */
/*
 * The line editor; edit.h has its keys.
 *
 * The screen is a row of cells that begins with the prompt and wraps at the terminal's width. One
 * hazard: behind the last cell of a row the cursor stays in that row until one more byte is
 * shown.
 */
#include "edit.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "sh.h"
#include "trap.h"

enum {
    LINE_MAX_BYTES = 1000,
    WIDTH_DEFAULT = 80,
    LIST_GAP = 2,
};

enum key {
    KEY_NONE = 0,
    KEY_START = 1, /* ^A */
    KEY_LEFT = 2,  /* ^B, and so on */
    KEY_INTERRUPT = 3,
    KEY_DELETE = 4,
    KEY_END = 5,
    KEY_RIGHT = 6,
    KEY_BACKSPACE = 8,
    KEY_TAB = 9,
    KEY_NEWLINE = 10,
    KEY_KILL_REST = 11,
    KEY_CLEAR = 12,
    KEY_RETURN = 13,
    KEY_DOWN = 14,
    KEY_UP = 16,
    KEY_SEARCH = 18,
    KEY_KILL_LINE = 21,
    KEY_KILL_WORD = 23,
    KEY_YANK = 25,
    KEY_ESCAPE = 27,
    KEY_RUBOUT = 127,
    /* What begins with an escape. */
    KEY_WORD_LEFT = 256,
    KEY_WORD_RIGHT,
    KEY_DELETE_NEXT,
    KEY_END_OF_INPUT,
    KEY_BROKEN, /* a signal came */
};

static struct {
    char bytes[LINE_MAX_BYTES + 1];
    size_t length;
    size_t cursor;
    size_t prompt_cells;
    size_t cell;  /* where the terminal's cursor is, from the start of the prompt */
    size_t width; /* of the screen */
    size_t back;  /* the line of history that is shown, or 0 */
    bool was_tab; /* the last key */
    const char *prompt;
    char typed[LINE_MAX_BYTES + 1];  /* what was there before history was shown */
    char killed[LINE_MAX_BYTES + 1]; /* for ^Y */
} edit;

/* ---- the screen --------------------------------------------------------------------------------
 */

/* The second and later bytes of a character in UTF-8 take no cell. */
static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

static size_t count_cells(const char *bytes, size_t length)
{
    size_t cells = 0;

    for (size_t i = 0; i < length; i++)
        cells += !is_continuation(bytes[i]);
    return cells;
}

static size_t cell_of(size_t position)
{
    return edit.prompt_cells + count_cells(edit.bytes, position);
}

static void show(const char *bytes, size_t length)
{
    out_bytes(bytes, length);
    edit.cell += count_cells(bytes, length);
}

static void show_repeated(const char *text, size_t count)
{
    while (count-- > 0)
        out_string(text);
}

/* Move the terminal's cursor left, perhaps to a row further up. */
static void move_left(size_t cell)
{
    bool is_behind_row = edit.cell > 0 && edit.cell % edit.width == 0;
    size_t row = edit.cell / edit.width - is_behind_row;
    size_t column = is_behind_row ? edit.width - 1 : edit.cell % edit.width;

    if (cell == edit.cell)
        return;
    if (row > cell / edit.width)
        out_format("\033[%uA", (unsigned)(row - cell / edit.width));
    if (column > cell % edit.width)
        show_repeated("\b", column - cell % edit.width);
    else if (column < cell % edit.width)
        out_format("\033[%uC", (unsigned)(cell % edit.width - column));
    edit.cell = cell;
}

static void move_to(size_t position)
{
    if (position > edit.cursor)
        show(edit.bytes + edit.cursor, position - edit.cursor);
    else
        move_left(cell_of(position));
    edit.cursor = position;
}

/* Show prompt and line where the cursor is, at the start of a row. */
static void show_all(void)
{
    size_t cursor = edit.cursor;

    edit.cell = 0;
    show(edit.prompt, strlen(edit.prompt));
    show(edit.bytes, edit.length);
    edit.cursor = edit.length;
    move_to(cursor);
}

/* ---- changing the line -------------------------------------------------------------------------
 */

/* Put `length` bytes in the place of those from `start` to `end`; the cursor is behind them. */
static void replace(size_t start, size_t end, const char *bytes, size_t length)
{
    size_t before = cell_of(edit.length), after;

    if (edit.length - (end - start) + length > LINE_MAX_BYTES) {
        out_string("\a");
        return;
    }
    move_to(start);
    memmove(edit.bytes + start + length, edit.bytes + end, edit.length - end);
    memcpy(edit.bytes + start, bytes, length);
    edit.length = edit.length - (end - start) + length;
    edit.bytes[edit.length] = '\0';
    show(edit.bytes + start, edit.length - start);
    after = edit.cell;
    if (before > after) {
        show_repeated(" ", before - after);
        edit.cell = before;
    }
    move_left(cell_of(start + length));
    edit.cursor = start + length;
}

static size_t previous(size_t position)
{
    while (position > 0 && is_continuation(edit.bytes[--position])) {
    }
    return position;
}

static size_t next(size_t position)
{
    if (position < edit.length)
        position++;
    while (position < edit.length && is_continuation(edit.bytes[position]))
        position++;
    return position;
}

static size_t previous_word(void)
{
    size_t at = edit.cursor;

    while (at > 0 && edit.bytes[at - 1] == ' ')
        at--;
    while (at > 0 && edit.bytes[at - 1] != ' ')
        at--;
    return at;
}

static size_t next_word(void)
{
    size_t at = edit.cursor;

    while (at < edit.length && edit.bytes[at] == ' ')
        at++;
    while (at < edit.length && edit.bytes[at] != ' ')
        at++;
    return at;
}

static void cut(size_t start, size_t end)
{
    memcpy(edit.killed, edit.bytes + start, end - start);
    edit.killed[end - start] = '\0';
    replace(start, end, "", 0);
}

static void replace_all(const char *line)
{
    size_t length = strlen(line);

    replace(0, edit.length, line, length < LINE_MAX_BYTES ? length : LINE_MAX_BYTES);
}

/* ---- history and completion --------------------------------------------------------------------
 */

static void show_history(size_t back)
{
    const char *line = back == 0 ? edit.typed : history_get(back);

    if (!line) {
        out_string("\a");
        return;
    }
    if (edit.back == 0)
        memcpy(edit.typed, edit.bytes, edit.length + 1);
    edit.back = back;
    replace_all(line);
}

static void search_history(void)
{
    size_t back = history_search(edit.back, edit.back == 0 ? edit.bytes : edit.typed);

    if (back == 0)
        out_string("\a");
    else
        show_history(back);
}

/* All that fits, in columns below the line. */
static void show_completions(const struct words *found)
{
    size_t widest = 0, in_row;

    for (size_t i = 0; i < found->count; i++) {
        size_t length = strlen(found->list[i]);

        widest = length > widest ? length : widest;
    }
    in_row = edit.width / (widest + LIST_GAP);
    if (in_row == 0)
        in_row = 1;
    for (size_t i = 0; i < found->count; i++) {
        out_string(i % in_row == 0 ? "\n" : "");
        out_string(found->list[i]);
        if (i % in_row != in_row - 1)
            show_repeated(" ", widest + LIST_GAP - strlen(found->list[i]));
    }
    out_string("\n");
    show_all();
}

static void complete_word(void)
{
    struct arena_mark mark = arena_mark(&shell.scratch);
    char *line = arena_copy(&shell.scratch, edit.bytes, edit.cursor);
    struct completion completion = complete(line);

    if (*completion.addition)
        replace(edit.cursor, edit.cursor, completion.addition, strlen(completion.addition));
    else if (edit.was_tab && completion.found.count > 1)
        show_completions(&completion.found);
    else
        out_string("\a");
    arena_release(&shell.scratch, mark);
}

/* ---- keys --------------------------------------------------------------------------------------
 */

static int read_byte(void)
{
    unsigned char byte;
    int status;
    ssize_t got;

    (void)out_flush();
    do {
        got = read(STDIN_FILENO, &byte, 1);
    } while (got < 0 && errno == EINTR && !trap_is_pending(&status));
    if (got < 0 && errno == EINTR)
        return KEY_BROKEN;
    return got == 1 ? byte : KEY_END_OF_INPUT;
}

/* Behind an escape: [A, [1~, OA, b, ... */
static int read_escaped(void)
{
    static const struct {
        char byte;
        int key;
    } keys[] = {
        {'A', KEY_UP},          {'B', KEY_DOWN},  {'C', KEY_RIGHT},     {'D', KEY_LEFT},
        {'H', KEY_START},       {'F', KEY_END},   {'b', KEY_WORD_LEFT}, {'f', KEY_WORD_RIGHT},
        {'1', KEY_START},       {'7', KEY_START}, {'4', KEY_END},       {'8', KEY_END},
        {'3', KEY_DELETE_NEXT},
    };
    int byte = read_byte(), last;

    if (byte == '[' || byte == 'O') {
        byte = read_byte();
        for (last = byte; last >= '0' && last <= ';'; last = read_byte()) {
        }
        if (last > 'Z' && last != '~')
            return last >= KEY_WORD_LEFT ? last : KEY_NONE;
        if (last != '~')
            byte = last;
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (keys[i].byte == byte)
            return keys[i].key;
    }
    return KEY_NONE;
}

static void edit_move(int key)
{
    switch (key) {
    case KEY_START:
        move_to(0);
        break;
    case KEY_END:
        move_to(edit.length);
        break;
    case KEY_LEFT:
        move_to(previous(edit.cursor));
        break;
    case KEY_RIGHT:
        move_to(next(edit.cursor));
        break;
    case KEY_WORD_LEFT:
        move_to(previous_word());
        break;
    case KEY_WORD_RIGHT:
        move_to(next_word());
        break;
    default:
        break;
    }
}

static void edit_delete(int key)
{
    switch (key) {
    case KEY_BACKSPACE:
    case KEY_RUBOUT:
        replace(previous(edit.cursor), edit.cursor, "", 0);
        break;
    case KEY_DELETE:
    case KEY_DELETE_NEXT:
        replace(edit.cursor, next(edit.cursor), "", 0);
        break;
    case KEY_KILL_WORD:
        cut(previous_word(), edit.cursor);
        break;
    case KEY_KILL_LINE:
        cut(0, edit.cursor);
        break;
    case KEY_KILL_REST:
        cut(edit.cursor, edit.length);
        break;
    default:
        break;
    }
}

static void edit_key(int key)
{
    char byte = (char)key;

    switch (key) {
    case KEY_YANK:
        replace(edit.cursor, edit.cursor, edit.killed, strlen(edit.killed));
        break;
    case KEY_UP:
        show_history(edit.back + 1);
        break;
    case KEY_DOWN:
        if (edit.back > 0)
            show_history(edit.back - 1);
        break;
    case KEY_SEARCH:
        search_history();
        break;
    case KEY_TAB:
        complete_word();
        break;
    case KEY_CLEAR:
        out_string("\033[H\033[2J");
        show_all();
        break;
    default:
        if (key >= ' ' && key < KEY_WORD_LEFT && key != KEY_RUBOUT) {
            replace(edit.cursor, edit.cursor, &byte, 1);
        } else {
            edit_move(key);
            edit_delete(key);
        }
        break;
    }
    edit.was_tab = key == KEY_TAB;
}

static enum edit_result edit_keys(void)
{
    for (;;) {
        int key = read_byte();

        if (key == KEY_ESCAPE)
            key = read_escaped();
        if (key == KEY_RETURN || key == KEY_NEWLINE) {
            move_to(edit.length);
            return EDIT_LINE;
        }
        if (key == KEY_INTERRUPT || key == KEY_BROKEN) {
            move_to(edit.length);
            out_string("^C");
            return EDIT_INTERRUPTED;
        }
        if (key == KEY_END_OF_INPUT || (key == KEY_DELETE && edit.length == 0))
            return EDIT_END;
        edit_key(key);
    }
}

/* ---- the terminal ------------------------------------------------------------------------------
 */

static size_t screen_width(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, (long)&size) < 0 || size.ws_col == 0)
        return WIDTH_DEFAULT;
    return size.ws_col;
}

enum edit_result edit_line(const char *prompt, struct text *line)
{
    struct termios before, raw;
    bool is_terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    enum edit_result result;

    if (is_terminal) {
        raw = before;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
        raw.c_iflag &= ~(tcflag_t)ICRNL;
        raw.c_cc[VMIN] = 1;
        raw.c_cc[VTIME] = 0;
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    }
    edit.prompt = prompt;
    edit.prompt_cells = count_cells(prompt, strlen(prompt));
    edit.width = screen_width();
    edit.length = edit.cursor = edit.back = 0;
    edit.bytes[0] = '\0';
    edit.was_tab = false;
    show_all();
    result = edit_keys();
    /* Before the newline is shown: who sees that may type to the program that runs next. */
    if (is_terminal)
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    out_string("\n");
    (void)out_flush();
    if (result == EDIT_LINE) {
        history_add(edit.bytes);
        text_add(line, edit.bytes, edit.length);
        text_add_byte(line, '\n');
    }
    return result;
}
