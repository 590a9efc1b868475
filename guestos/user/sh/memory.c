/* SPDX-License-Identifier: MIT */
/* Arenas, text that grows, and what is printed. */
#include "memory.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frank_system.h"
#include "sh.h"

enum {
    BLOCK_BYTES = 2000,
    TEXT_FIRST_BYTES = 32,
    WORDS_FIRST = 8,
    OUT_BYTES = 1024,
    ALIGNMENT = 16,
    PLENTY_BYTES = 256 << 10,
};

/* ---- arenas ------------------------------------------------------------------------------------
 */

struct arena_block {
    struct arena_block *older;
    size_t size;
    size_t used;
    char *memory;
};

static void no_memory(void) __attribute__((noreturn));

static void no_memory(void)
{
    static const char text[] = "sh: out of memory\n";

    (void)write_all(STDERR_FILENO, text, sizeof(text) - 1);
    shell_abort(STATUS_USAGE);
}

/* The kernel promises memory that it may not have, and ends who touches that: so much at once is
   asked for only where there is plenty. */
static bool is_too_much(size_t size)
{
    struct frank_meminfo memory;

    return size > PLENTY_BYTES && frank_memory(&memory, 0) == 0 &&
           size / (size_t)getpagesize() > memory.free_pages / 4;
}

static struct arena_block *block_new(struct arena_block *older, size_t size)
{
    struct arena_block *block;

    if (size > SIZE_MAX / 2 || is_too_much(size))
        no_memory();
    block = malloc(sizeof(*block) + ALIGNMENT + size);
    if (!block)
        no_memory();
    block->older = older;
    block->size = size;
    block->used = 0;
    block->memory = (char *)(((uintptr_t)(block + 1) + ALIGNMENT - 1) & -(uintptr_t)ALIGNMENT);
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    struct arena_block *block = arena->block;
    void *memory;

    if (size > SIZE_MAX / 2)
        no_memory();
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (!block || block->size - block->used < size) {
        block = block_new(block, size > BLOCK_BYTES ? size : BLOCK_BYTES);
        arena->block = block;
    }
    memory = block->memory + block->used;
    block->used += size;
    return memory;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
    return memset(arena_alloc(arena, size), 0, size);
}

char *arena_copy(struct arena *arena, const char *bytes, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);

    memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    char piece[OUT_BYTES], *text;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(piece, sizeof(piece), format, arguments);
    va_end(arguments);
    if ((size_t)length < sizeof(piece))
        return arena_copy(arena, piece, (size_t)length);
    text = arena_alloc(arena, (size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

struct arena_mark arena_mark(const struct arena *arena)
{
    return (struct arena_mark){arena->block, arena->block ? arena->block->used : 0};
}

void arena_release(struct arena *arena, struct arena_mark mark)
{
    while (arena->block != mark.block) {
        struct arena_block *older = arena->block->older;

        free(arena->block);
        arena->block = older;
    }
    if (mark.block)
        mark.block->used = mark.used;
}

void *memory_resize(void *old, size_t size)
{
    void *memory = is_too_much(size) ? NULL : realloc(old, size);

    if (!memory)
        no_memory();
    return memory;
}

char *memory_copy(const char *string)
{
    size_t size = strlen(string) + 1;

    return memcpy(memory_resize(NULL, size), string, size);
}

/* ---- text --------------------------------------------------------------------------------------
 */

void text_add(struct text *text, const char *bytes, size_t length)
{
    if (text->room - text->length <= length) {
        size_t room = (text->length + length) * 2 + TEXT_FIRST_BYTES;
        char *larger = arena_alloc(text->arena, room);

        if (text->length > 0)
            memcpy(larger, text->bytes, text->length);
        text->bytes = larger;
        text->room = room;
    }
    if (length > 0)
        memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_add_string(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_add_byte(struct text *text, char byte)
{
    text_add(text, &byte, 1);
}

const char *text_string(const struct text *text)
{
    return text->bytes ? text->bytes : "";
}

void words_add(struct words *words, char *word)
{
    if (words->room - words->count < 2) {
        size_t room = words->room * 2 + WORDS_FIRST;
        char **larger = arena_alloc(words->arena, room * sizeof(*larger));

        if (words->count > 0)
            memcpy(larger, words->list, words->count * sizeof(*larger));
        words->list = larger;
        words->room = room;
    }
    words->list[words->count++] = word;
    words->list[words->count] = NULL;
}

/* ---- printing ----------------------------------------------------------------------------------
 */

static struct {
    char bytes[OUT_BYTES];
    size_t length;
    int error; /* of a write since the last flush, or 0 */
} out;

int write_all(int descriptor, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t done = write(descriptor, bytes, length);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -1;
        bytes += done;
        length -= (size_t)done;
    }
    return 0;
}

void write_format(int descriptor, const char *format, ...)
{
    char piece[OUT_BYTES];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(piece, sizeof(piece), format, arguments);
    va_end(arguments);
    (void)write_all(descriptor, piece, strnlen(piece, (size_t)length));
}

static void out_write(const char *bytes, size_t length)
{
    if (out.error == 0 && write_all(STDOUT_FILENO, bytes, length) < 0)
        out.error = errno;
}

void out_bytes(const char *bytes, size_t length)
{
    if (sizeof(out.bytes) - out.length < length) {
        out_write(out.bytes, out.length);
        out.length = 0;
    }
    if (length > sizeof(out.bytes)) {
        out_write(bytes, length);
    } else {
        memcpy(out.bytes + out.length, bytes, length);
        out.length += length;
    }
}

void out_string(const char *string)
{
    out_bytes(string, strlen(string));
}

void out_format(const char *format, ...)
{
    char piece[OUT_BYTES];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(piece, sizeof(piece), format, arguments);
    va_end(arguments);
    out_bytes(piece, (size_t)length < sizeof(piece) ? (size_t)length : sizeof(piece) - 1);
}

void out_quoted(const char *string)
{
    out_string("'");
    for (; *string; string++) {
        if (*string == '\'')
            out_string("'\\''");
        else
            out_bytes(string, 1);
    }
    out_string("'");
}

int out_flush(void)
{
    int error;

    out_write(out.bytes, out.length);
    out.length = 0;
    error = out.error;
    out.error = 0;
    errno = error;
    return error ? -1 : 0;
}
