/* SPDX-License-Identifier: MIT */
/* Lines of text: see buffer.h. */
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROOM_MIN = 16,
};

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Make room for so many elements. */
static bool reserve(void **memory, size_t *room, size_t wanted, size_t element_bytes)
{
    size_t more = *room < ROOM_MIN ? ROOM_MIN : *room;
    void *grown;

    if (wanted <= *room)
        return true;
    while (more < wanted)
        more *= 2;
    grown = realloc(*memory, more * element_bytes);
    if (!grown)
        return false;
    *memory = grown;
    *room = more;
    return true;
}

static bool reserve_bytes(struct line *line, size_t wanted)
{
    void *memory = line->bytes;
    bool done = reserve(&memory, &line->room, wanted, 1);

    line->bytes = memory;
    return done;
}

static bool reserve_lines(struct buffer *buffer, size_t wanted)
{
    void *memory = buffer->lines;
    bool done = reserve(&memory, &buffer->room, wanted, sizeof(*buffer->lines));

    buffer->lines = memory;
    return done;
}

bool buffer_init(struct buffer *buffer)
{
    *buffer = (struct buffer){0};
    if (!reserve_lines(buffer, 1))
        return false;
    buffer->lines[0] = (struct line){0};
    buffer->count = 1;
    return true;
}

void buffer_free(struct buffer *buffer)
{
    for (size_t i = 0; i < buffer->count; i++)
        free(buffer->lines[i].bytes);
    free(buffer->lines);
    *buffer = (struct buffer){0};
}

static bool insert_bytes(struct line *line, size_t at, const char *bytes, size_t count)
{
    if (count == 0)
        return true;
    if (!reserve_bytes(line, line->length + count))
        return false;
    memmove(line->bytes + at + count, line->bytes + at, line->length - at);
    memcpy(line->bytes + at, bytes, count);
    line->length += count;
    return true;
}

/* What is behind the place becomes a line of its own. */
static bool divide(struct buffer *buffer, struct place at)
{
    struct line rest = {0}, *line;

    if (!reserve_lines(buffer, buffer->count + 1))
        return false;
    line = &buffer->lines[at.line];
    if (!insert_bytes(&rest, 0, line->bytes + at.byte, line->length - at.byte))
        return false;
    line->length = at.byte;
    memmove(line + 2, line + 1, (buffer->count - at.line - 1) * sizeof(*line));
    line[1] = rest;
    buffer->count++;
    return true;
}

bool buffer_insert(struct buffer *buffer, struct place *at, const char *bytes, size_t count)
{
    struct place place = *at;

    for (size_t done = 0; done < count;) {
        const char *end = memchr(bytes + done, '\n', count - done);
        size_t length = end ? (size_t)(end - bytes) - done : count - done;

        if (!insert_bytes(&buffer->lines[place.line], place.byte, bytes + done, length))
            return false;
        place.byte += length;
        done += length;
        if (end) {
            if (!divide(buffer, place))
                return false;
            place = (struct place){place.line + 1, 0};
            done++;
        }
        *at = place;
        buffer->is_modified = true;
    }
    return true;
}

bool buffer_delete(struct buffer *buffer, struct place at)
{
    struct line *line = &buffer->lines[at.line];
    struct place end = at;

    if (!buffer_right(buffer, &end))
        return true;
    if (end.line == at.line) {
        memmove(line->bytes + at.byte, line->bytes + end.byte, line->length - end.byte);
        line->length -= end.byte - at.byte;
    } else {
        if (!insert_bytes(line, line->length, line[1].bytes, line[1].length))
            return false;
        buffer_delete_line(buffer, end.line);
    }
    buffer->is_modified = true;
    return true;
}

void buffer_delete_line(struct buffer *buffer, size_t number)
{
    struct line *line = &buffer->lines[number];

    buffer->is_modified = true;
    if (buffer->count == 1) {
        line->length = 0;
        return;
    }
    free(line->bytes);
    buffer->count--;
    memmove(line, line + 1, (buffer->count - number) * sizeof(*line));
}

bool buffer_left(const struct buffer *buffer, struct place *at)
{
    const struct line *line = &buffer->lines[at->line];

    if (at->byte > 0) {
        do {
            at->byte--;
        } while (at->byte > 0 && is_continuation(line->bytes[at->byte]));
        return true;
    }
    if (at->line == 0)
        return false;
    at->line--;
    at->byte = buffer->lines[at->line].length;
    return true;
}

bool buffer_right(const struct buffer *buffer, struct place *at)
{
    const struct line *line = &buffer->lines[at->line];

    if (at->byte < line->length) {
        do {
            at->byte++;
        } while (at->byte < line->length && is_continuation(line->bytes[at->byte]));
        return true;
    }
    if (at->line + 1 == buffer->count)
        return false;
    *at = (struct place){at->line + 1, 0};
    return true;
}

bool buffer_find(const struct buffer *buffer, const char *text, struct place *at)
{
    size_t length = strlen(text);

    /* The line that the search began in is looked at twice: behind the place, and at last before.
     */
    for (size_t i = 0; i <= buffer->count; i++) {
        size_t number = (at->line + i) % buffer->count;
        const struct line *line = &buffer->lines[number];

        for (size_t byte = i == 0 ? at->byte + 1 : 0; byte + length <= line->length; byte++)
            if (memcmp(line->bytes + byte, text, length) == 0) {
                *at = (struct place){number, byte};
                return true;
            }
    }
    return false;
}
