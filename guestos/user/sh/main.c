/* SPDX-License-Identifier: MIT */
/*
 * sh [FILE [ARG...]] | sh -c COMMANDS [NAME [ARG...]]: the shell.
 *
 * Input is taken line by line; lines are joined while a quote is open or something must follow. A
 * line from standard input is read byte by byte unless that is a terminal, because the commands may
 * read the rest of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sh.h"

enum { LINE_PIECE_BYTES = 256 };

struct shell shell;

/* ---- the arena ---------------------------------------------------------------------------------
 */

struct arena_piece {
    struct arena_piece *next;
    max_align_t memory[];
};

static struct arena_piece *arena;

void *arena_alloc(size_t size)
{
    struct arena_piece *piece = malloc(sizeof(*piece) + size);

    if (!piece) {
        complain("out of memory");
        exit(1);
    }
    piece->next = arena;
    arena = piece;
    return piece->memory;
}

char *arena_copy(const char *text, size_t length)
{
    char *copy = arena_alloc(length + 1);

    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

/* Free what was allocated since the arena looked like `mark`. */
static void arena_free_to(struct arena_piece *mark)
{
    while (arena != mark) {
        struct arena_piece *next = arena->next;

        free(arena);
        arena = next;
    }
}

void complain(const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "sh: ");
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

/* ---- input -------------------------------------------------------------------------------------
 */

/* What is to be run: lines of a descriptor, or of a text in memory. */
struct input {
    int descriptor;   /* -1: from `text` */
    const char *text; /* what is left of it */
    bool by_bytes;    /* take no byte behind the line */
};

/* Lines that belong together. */
struct lines {
    char *bytes;
    size_t length;
    size_t room;
};

static void add_bytes(struct lines *lines, const char *bytes, size_t length)
{
    if (lines->room - lines->length <= length) {
        lines->room = (lines->length + length + 1) * 2;
        lines->bytes = realloc(lines->bytes, lines->room);
        if (!lines->bytes) {
            complain("out of memory");
            exit(1);
        }
    }
    memcpy(lines->bytes + lines->length, bytes, length);
    lines->length += length;
    lines->bytes[lines->length] = '\0';
}

/* Add the next line. 1; 0 at the end; -1 with errno. */
static int read_line_of_descriptor(struct input *input, struct lines *lines)
{
    char piece[LINE_PIECE_BYTES];
    bool any = false;

    for (;;) {
        ssize_t size = read(input->descriptor, piece, input->by_bytes ? 1 : sizeof(piece));

        if (size < 0)
            return -1;
        if (size == 0)
            return any;
        add_bytes(lines, piece, (size_t)size);
        any = true;
        if (piece[size - 1] == '\n')
            return 1;
    }
}

static int read_line(struct input *input, struct lines *lines)
{
    size_t length;

    if (input->descriptor >= 0)
        return read_line_of_descriptor(input, lines);
    if (!*input->text)
        return 0;
    length = strcspn(input->text, "\n");
    length += input->text[length] == '\n';
    add_bytes(lines, input->text, length);
    input->text += length;
    return 1;
}

static void prompt(bool continued)
{
    const char *host = getenv("HOSTNAME");

    if (!shell.interactive)
        return;
    if (continued)
        fputs("> ", stdout);
    else
        printf("%s$ ", host ? host : "frank");
    fflush(stdout);
}

/* ---- the loop ----------------------------------------------------------------------------------
 */

/* Run what is complete in `lines`, and empty it. False: more is needed. */
static bool run_lines(struct lines *lines, bool at_end)
{
    struct arena_piece *mark = arena;
    struct node *tree;
    enum parse_result result = parse(lines->bytes, &tree);

    if (result == PARSE_INCOMPLETE && at_end) {
        complain("syntax error: the input ends too early");
        result = PARSE_ERROR;
    }
    if (result == PARSE_OK)
        (void)run_tree(tree);
    else if (result == PARSE_ERROR)
        shell.last_status = STATUS_USAGE;
    arena_free_to(mark);
    if (result == PARSE_INCOMPLETE)
        return false;
    lines->length = 0;
    return true;
}

static int run_input(struct input *input)
{
    struct lines lines = {NULL, 0, 0};
    int got;

    for (;;) {
        if (shell.interactive)
            reap_background();
        prompt(lines.length > 0);
        got = read_line(input, &lines);
        if (got < 0 && errno == EINTR) {
            /* ^C at the prompt: forget what was typed. */
            lines.length = 0;
            shell.last_status = STATUS_SIGNAL_BASE + 2;
            continue;
        }
        if (got <= 0)
            break;
        (void)run_lines(&lines, false);
    }
    if (got < 0)
        complain("read: %s", strerror(errno));
    if (lines.length > 0)
        (void)run_lines(&lines, true);
    free(lines.bytes);
    return shell.last_status;
}

int run_file(const char *path)
{
    struct input input = {.by_bytes = true};
    int status;

    input.descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (input.descriptor < 0) {
        complain("%s: %s", path, strerror(errno));
        return STATUS_NOT_FOUND;
    }
    status = run_input(&input);
    close(input.descriptor);
    return status;
}

static int run_standard_input(void)
{
    struct input input = {.descriptor = STDIN_FILENO};
    int status;

    shell.interactive = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    input.by_bytes = !shell.interactive;
    status = run_input(&input);
    if (shell.interactive)
        putchar('\n');
    return status;
}

static void set_arguments(char **words, int count)
{
    shell.name = words[0];
    shell.arguments = words + 1;
    shell.argument_count = count - 1;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "-c") == 0) {
        struct input input = {.descriptor = -1};

        if (argc < 3) {
            complain("usage: sh -c COMMANDS");
            return STATUS_USAGE;
        }
        input.text = argv[2];
        if (argc > 3)
            set_arguments(argv + 3, argc - 3);
        else
            set_arguments(argv, 1);
        return run_input(&input);
    }
    if (argc > 1) {
        set_arguments(argv + 1, argc - 1);
        return run_file(argv[1]);
    }
    set_arguments(argv, argc);
    return run_standard_input();
}
