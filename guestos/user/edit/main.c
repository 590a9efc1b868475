/* SPDX-License-Identifier: MIT */
/*
 * edit FILE: change a text on the screen.
 *
 *   arrows, Home, End, Page Up, Page Down   move
 *   Backspace, Delete                       delete
 *   ^K ^U                                   cut the line, with those cut just before; put them in
 *   ^F                                      find; Enter alone finds the same again
 *   ^S ^Q                                   save; quit (twice, if that loses something)
 *   ^L                                      draw the screen anew
 *
 * It is saved beside the file and takes its name when all of it is on the disk: whatever happens,
 * the old text or the new one is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buffer.h"
#include "program.h"
#include "screen.h"

enum {
    MESSAGE_SIZE = 200,
    SOUGHT_SIZE = 80,
    PIECE_BYTES = 4096,
    CREATED_MODE = 0666,
};

static struct {
    const char *path;
    mode_t mode; /* of the file, as it will be made */
    struct buffer text, cut;
    struct place cursor;
    char sought[SOUGHT_SIZE];
    char message[MESSAGE_SIZE];  /* until the next key */
    bool was_cut, wants_to_quit; /* by the last key */
} edit;

static void say(const char *what, const char *why)
{
    snprintf(edit.message, sizeof(edit.message), "%s%s%s", what, why ? ": " : "", why ? why : "");
}

static void say_if_full(bool done)
{
    if (!done)
        say("there is no memory for more", NULL);
}

/* ---- the file ----------------------------------------------------------------------------------
 */

/* 0, or an error number. */
static int load(void)
{
    int file = open(edit.path, O_RDONLY), error = 0;
    struct place end = {0, 0};
    char piece[PIECE_BYTES];
    struct stat stat;
    ssize_t count;

    edit.mode = CREATED_MODE;
    if (file < 0 && errno == ENOENT) {
        say("a new file", NULL);
        return 0;
    }
    if (file < 0 || fstat(file, &stat) != 0)
        return errno;
    edit.mode = stat.st_mode & 0777;
    if (!S_ISREG(stat.st_mode))
        error = S_ISDIR(stat.st_mode) ? EISDIR : EINVAL;
    while (error == 0 && (count = read(file, piece, sizeof(piece))) != 0) {
        if (count < 0)
            error = errno;
        else if (!buffer_insert(&edit.text, &end, piece, (size_t)count))
            error = ENOMEM;
    }
    close(file);
    edit.text.is_modified = false;
    return error;
}

static bool write_text(FILE *file)
{
    for (size_t i = 0; i < edit.text.count; i++) {
        const struct line *line = &edit.text.lines[i];

        if (i > 0)
            (void)putc('\n', file);
        if (line->length > 0)
            (void)fwrite(line->bytes, 1, line->length, file);
    }
    return fflush(file) == 0 && !ferror(file) && fsync(fileno(file)) == 0;
}

static bool save_as(const char *beside)
{
    int descriptor = open(beside, O_WRONLY | O_CREAT | O_TRUNC, edit.mode);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    bool good = file && write_text(file);
    int error = errno;

    if (file && fclose(file) != 0 && good) {
        good = false;
        error = errno;
    } else if (!file && descriptor >= 0) {
        close(descriptor);
    }
    if (good && rename(beside, edit.path) == 0)
        return true;
    error = good ? errno : error;
    (void)unlink(beside);
    errno = error;
    return false;
}

static void save(void)
{
    char *beside = NULL;

    if (asprintf(&beside, "%s.new~", edit.path) >= 0 && save_as(beside)) {
        edit.text.is_modified = false;
        say("saved", NULL);
    } else {
        say("not saved", strerror(errno));
    }
    free(beside);
}

/* ---- keys --------------------------------------------------------------------------------------
 */

static void show(const char *status, bool anew)
{
    char text[MESSAGE_SIZE * 2];

    if (!status) {
        snprintf(text, sizeof(text), "%s%s  %zu/%zu  %zu  %s", edit.path,
                 edit.text.is_modified ? " *" : "", edit.cursor.line + 1, edit.text.count,
                 edit.cursor.byte + 1, edit.message);
        status = text;
    }
    screen_show(&edit.text, edit.cursor, status, anew);
}

/* Up and down keep the byte as far as the line goes, and stay between characters. */
static void move_lines(size_t lines, bool down)
{
    size_t last = edit.text.count - 1, from = edit.cursor.line;
    const struct line *line;

    if (down)
        edit.cursor.line = last - from < lines ? last : from + lines;
    else
        edit.cursor.line = from < lines ? 0 : from - lines;
    line = &edit.text.lines[edit.cursor.line];
    if (edit.cursor.byte >= line->length) {
        edit.cursor.byte = line->length;
    } else if (edit.cursor.byte > 0) {
        (void)buffer_left(&edit.text, &edit.cursor);
        (void)buffer_right(&edit.text, &edit.cursor);
    }
}

/* Ask for what to look for, in the status line. */
static void find(void)
{
    char typed[SOUGHT_SIZE] = "", status[SOUGHT_SIZE * 3];
    size_t length = 0;
    int key;

    do {
        snprintf(status, sizeof(status), "find [%s]: %s", edit.sought, typed);
        show(status, false);
        key = screen_key();
        if ((key == KEY_BACKSPACE || key == KEY_RUBOUT) && length > 0)
            typed[--length] = '\0';
        else if (key >= ' ' && key < KEY_UP && key != KEY_RUBOUT && length + 1 < sizeof(typed))
            typed[length++] = (char)key;
    } while (key != KEY_ENTER && key != KEY_ESCAPE && key != KEY_GONE);
    if (key != KEY_ENTER)
        return;
    if (length > 0)
        (void)strlcpy(edit.sought, typed, sizeof(edit.sought));
    if (edit.sought[0] == '\0' || !buffer_find(&edit.text, edit.sought, &edit.cursor))
        say("not found", edit.sought);
}

static void cut(void)
{
    const struct line *line = &edit.text.lines[edit.cursor.line];
    struct place end;

    if (!edit.was_cut) {
        buffer_free(&edit.cut);
        if (!buffer_init(&edit.cut)) {
            say_if_full(false);
            return;
        }
    }
    end = (struct place){edit.cut.count - 1, 0};
    if (buffer_insert(&edit.cut, &end, line->bytes, line->length) &&
        buffer_insert(&edit.cut, &end, "\n", 1)) {
        buffer_delete_line(&edit.text, edit.cursor.line);
        if (edit.cursor.line == edit.text.count)
            edit.cursor.line--;
        edit.cursor.byte = 0;
    } else {
        say_if_full(false);
    }
}

static void paste(void)
{
    edit.cursor.byte = 0;
    for (size_t i = 0; i + 1 < edit.cut.count; i++) {
        const struct line *line = &edit.cut.lines[i];

        say_if_full(buffer_insert(&edit.text, &edit.cursor, line->bytes, line->length) &&
                    buffer_insert(&edit.text, &edit.cursor, "\n", 1));
    }
}

static bool move(int key)
{
    const struct line *line = &edit.text.lines[edit.cursor.line];

    switch (key) {
    case KEY_LEFT:
        return buffer_left(&edit.text, &edit.cursor), true;
    case KEY_RIGHT:
        return buffer_right(&edit.text, &edit.cursor), true;
    case KEY_UP:
    case KEY_DOWN:
        return move_lines(1, key == KEY_DOWN), true;
    case KEY_PAGE_UP:
    case KEY_PAGE_DOWN:
        return move_lines(screen_text_rows() - 1, key == KEY_PAGE_DOWN), true;
    case KEY_HOME:
    case KEY_END:
        edit.cursor.byte = key == KEY_HOME ? 0 : line->length;
        return true;
    default:
        return false;
    }
}

static void change(int key)
{
    char byte = key == KEY_ENTER ? '\n' : (char)key;

    if (key == KEY_BACKSPACE || key == KEY_RUBOUT) {
        if (buffer_left(&edit.text, &edit.cursor))
            say_if_full(buffer_delete(&edit.text, edit.cursor));
    } else if (key == KEY_DELETE) {
        say_if_full(buffer_delete(&edit.text, edit.cursor));
    } else if (key == KEY_CUT) {
        cut();
    } else if (key == KEY_PASTE) {
        paste();
    } else if (key == KEY_ENTER || key == KEY_TAB || (key >= ' ' && key < KEY_UP)) {
        say_if_full(buffer_insert(&edit.text, &edit.cursor, &byte, 1));
    }
}

static void edit_keys(void)
{
    int key = KEY_REDRAW;

    while (key != KEY_GONE) {
        show(NULL, key == KEY_REDRAW);
        key = screen_key();
        edit.message[0] = '\0';
        if (key == KEY_QUIT && (!edit.text.is_modified || edit.wants_to_quit))
            return;
        if (key == KEY_QUIT)
            say("not saved: ^S saves, ^Q once more loses the changes", NULL);
        else if (key == KEY_SAVE)
            save();
        else if (key == KEY_FIND)
            find();
        else if (!move(key))
            change(key);
        edit.wants_to_quit = key == KEY_QUIT;
        edit.was_cut = key == KEY_CUT;
    }
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return program_usage("edit FILE");
    edit.path = argv[1];
    if (!buffer_init(&edit.text) || !buffer_init(&edit.cut) || (errno = load()) != 0)
        return program_complain("edit", edit.path);
    if (!screen_begin())
        return program_complain("edit", "the terminal");
    edit_keys();
    screen_end();
    return EXIT_SUCCESS;
}
