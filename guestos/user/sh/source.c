/* SPDX-License-Identifier: MIT */
/* Where the text of commands comes from. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "sh.h"
#include "syntax.h"

enum {
    PIECE_BYTES = 4096,
    LINE_PIECE_BYTES = 256,
};

struct source source_of_text(const char *text, size_t length, unsigned line)
{
    return (struct source){.text = text, .length = length, .line = line, .descriptor = -1};
}

void source_add(struct source *source, const char *bytes, size_t length)
{
    if (source->room - source->length < length) {
        size_t room = (source->length + length) * 2;

        source->buffer = memory_resize(source->buffer, room);
        source->room = room;
        source->text = source->buffer;
    }
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != '\0')
            source->buffer[source->length++] = bytes[i];
    }
}

/* Byte by byte: a command may read what follows the line. */
static bool fill_line(struct source *source)
{
    char piece[LINE_PIECE_BYTES];
    size_t length = 0, before = source->length;
    ssize_t got = 0;

    for (;;) {
        got = read(source->descriptor, piece + length, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        length++;
        if (length == sizeof(piece) || piece[length - 1] == '\n') {
            source_add(source, piece, length);
            if (piece[length - 1] == '\n')
                return true;
            length = 0;
        }
    }
    if (got < 0)
        complain("read: %s", strerror(errno));
    source_add(source, piece, length);
    return source->length > before;
}

struct source source_of_lines(int descriptor)
{
    return (struct source){.text = "", .line = 1, .descriptor = descriptor, .fill = fill_line};
}

static int read_all(struct source *source, int descriptor)
{
    char piece[PIECE_BYTES];
    bool is_first = true;

    for (;;) {
        ssize_t got = read(descriptor, piece, sizeof(piece));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return (int)got;
        /* Programs of other machines, archives, pictures: not even their first line is run. */
        if (is_first && memchr(piece, '\0', (size_t)got)) {
            errno = ENOEXEC;
            return -1;
        }
        is_first = false;
        source_add(source, piece, (size_t)got);
    }
}

int source_of_file(struct source *source, const char *path)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    int result, error;

    if (descriptor < 0)
        return -1;
    *source = source_of_text("", 0, 1);
    result = read_all(source, descriptor);
    error = errno;
    close(descriptor);
    if (result < 0)
        source_free(source);
    errno = error;
    return result;
}

void source_drop_used(struct source *source)
{
    /* A text that is there as a whole is not moved command by command. */
    if (source->position == 0 || !source->buffer || !source->fill)
        return;
    source->length -= source->position;
    memmove(source->buffer, source->buffer + source->position, source->length);
    source->position = 0;
}

void source_drop_all(struct source *source)
{
    source->position = 0;
    source->length = 0;
}

void source_free(struct source *source)
{
    free(source->buffer);
    source->buffer = NULL;
    source_drop_all(source);
}
