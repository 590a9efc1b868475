/* SPDX-License-Identifier: MIT */
/* Keys, and the picture: see screen.h. Sequences are those of ECMA-48. */
#include "screen.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum {
    ROWS_DEFAULT = 24,
    COLUMNS_DEFAULT = 80,
    ROWS_MAX = 100,
    COLUMNS_MAX = 200,
    ROW_BYTES = COLUMNS_MAX * 5, /* a character has four bytes at most; a little more */
    TAB_STOP = 8,
    CARET_OFFSET = 64,      /* ^X is shown as '^' and the character that much above */
    SEQUENCE_WAIT_MS = 100, /* what comes later was not sent by one key */
};

static struct {
    struct termios before;
    size_t rows, columns;
    size_t first_row, first_column; /* of the text, in the upper left corner */
    char shown[ROWS_MAX][ROW_BYTES];
} screen;

/* ---- the terminal ------------------------------------------------------------------------------
 */

void screen_end(void)
{
    static const char clear[] = "\033[H\033[J";

    (void)!write(STDOUT_FILENO, clear, sizeof(clear) - 1);
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &screen.before);
}

static void end_by_signal(int signal_number)
{
    screen_end();
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}

bool screen_begin(void)
{
    struct winsize size = {0};
    struct termios raw;

    if (tcgetattr(STDIN_FILENO, &screen.before) != 0 || !isatty(STDOUT_FILENO))
        return false;
    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, (long)&size);
    screen.rows = size.ws_row > 1 && size.ws_row <= ROWS_MAX ? size.ws_row : ROWS_DEFAULT;
    screen.columns = size.ws_col > TAB_STOP && size.ws_col <= COLUMNS_MAX ? size.ws_col
                                                                          : COLUMNS_DEFAULT;
    (void)signal(SIGTERM, end_by_signal);
    (void)signal(SIGHUP, end_by_signal);
    raw = screen.before;
    cfmakeraw(&raw);
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    return true;
}

size_t screen_text_rows(void)
{
    return screen.rows - 1;
}

/* ---- keys --------------------------------------------------------------------------------------
 */

/* The next byte, or -1: none came in time (-1: however long it takes), or none ever will. */
static int next_byte(int milliseconds)
{
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    unsigned char byte;

    if (milliseconds >= 0 && poll(&input, 1, milliseconds) != 1)
        return -1;
    return read(STDIN_FILENO, &byte, 1) == 1 ? byte : -1;
}

/* What follows an escape: "[" or "O", perhaps a number, and what ends it. */
static int sequence_key(void)
{
    static const char finals[] = "ABCDHF";
    static const short by_final[] = {KEY_UP, KEY_DOWN, KEY_RIGHT, KEY_LEFT, KEY_HOME, KEY_END};
    static const short by_number[] = {KEY_UNKNOWN, KEY_HOME,      KEY_UNKNOWN, KEY_DELETE, KEY_END,
                                      KEY_PAGE_UP, KEY_PAGE_DOWN, KEY_HOME,    KEY_END};
    int byte = next_byte(SEQUENCE_WAIT_MS);
    unsigned number = 0;
    const char *final;

    if (byte < 0)
        return KEY_ESCAPE;
    if (byte != '[' && byte != 'O')
        return KEY_UNKNOWN;
    byte = next_byte(SEQUENCE_WAIT_MS);
    for (; (byte >= '0' && byte <= '9') || byte == ';'; byte = next_byte(SEQUENCE_WAIT_MS))
        number = byte == ';' ? number : (number * 10 + (unsigned)(byte - '0')) % 100;
    if (byte == '~')
        return number < sizeof(by_number) / sizeof(*by_number) ? by_number[number] : KEY_UNKNOWN;
    final = byte > 0 ? strchr(finals, byte) : NULL;
    return final ? by_final[final - finals] : KEY_UNKNOWN;
}

int screen_key(void)
{
    int byte = next_byte(-1);

    if (byte < 0)
        return KEY_GONE;
    return byte == KEY_ESCAPE ? sequence_key() : byte;
}

/* ---- the picture -------------------------------------------------------------------------------
 */

/* How many columns a byte takes that begins in this one. */
static size_t width_of(unsigned char byte, size_t column)
{
    if (byte == '\t')
        return TAB_STOP - column % TAB_STOP;
    if ((byte & 0xc0) == 0x80) /* it belongs to the one before */
        return 0;
    return byte < ' ' || byte == KEY_RUBOUT ? 2 : 1;
}

static size_t column_of(const struct line *line, size_t byte)
{
    size_t column = 0;

    for (size_t i = 0; i < byte; i++)
        column += width_of((unsigned char)line->bytes[i], column);
    return column;
}

/* What of a line stands between the left and the right edge; blanks for a wide character that is
   cut. Bytes that only continue a character follow one that is shown, or are none. */
static void draw_line(const struct line *line, char *row)
{
    size_t column = 0, end = screen.first_column + screen.columns, used = 0;
    bool is_shown = false;

    for (size_t i = 0; line && i < line->length && column <= end && used < ROW_BYTES - 2; i++) {
        unsigned char byte = (unsigned char)line->bytes[i];
        size_t width = width_of(byte, column), after = column + width;

        if (width > 0)
            is_shown = column >= screen.first_column && after <= end && byte != '\t';
        if (is_shown && width == 2) {
            row[used++] = '^';
            row[used++] = (char)(byte ^ CARET_OFFSET);
        } else if (is_shown) {
            row[used++] = (char)byte;
        } else {
            for (size_t blank = column; blank < after; blank++)
                if (blank >= screen.first_column && blank < end)
                    row[used++] = ' ';
        }
        column = after;
    }
    row[used] = '\0';
}

/* Move the corner so that the cursor is in sight. */
static void follow(size_t row, size_t column)
{
    size_t rows = screen_text_rows(), step = screen.columns / 2;

    if (row < screen.first_row)
        screen.first_row = row;
    if (row >= screen.first_row + rows)
        screen.first_row = row - rows + 1;
    while (column < screen.first_column)
        screen.first_column -= screen.first_column < step ? screen.first_column : step;
    while (column >= screen.first_column + screen.columns)
        screen.first_column += step;
}

static void show_row(size_t number, const char *row)
{
    if (strcmp(screen.shown[number], row) == 0)
        return;
    (void)strlcpy(screen.shown[number], row, ROW_BYTES);
    printf("\033[%zu;1H%s\033[K", number + 1, row);
}

void screen_show(const struct buffer *buffer, struct place cursor, const char *status, bool anew)
{
    size_t column = column_of(&buffer->lines[cursor.line], cursor.byte);
    char row[ROW_BYTES];

    if (anew) {
        memset(screen.shown, 0, sizeof(screen.shown));
        printf("\033[m\033[H\033[J");
    }
    follow(cursor.line, column);
    for (size_t i = 0; i < screen_text_rows(); i++) {
        size_t number = screen.first_row + i;

        draw_line(number < buffer->count ? &buffer->lines[number] : NULL, row);
        show_row(i, row);
    }
    snprintf(row, sizeof(row), "\033[7m%.*s\033[m", (int)screen.columns - 1, status);
    show_row(screen.rows - 1, row);
    printf("\033[%zu;%zuH", cursor.line - screen.first_row + 1, column - screen.first_column + 1);
    fflush(stdout);
}
