/* SPDX-License-Identifier: MIT */
/*
 * Redirections. What they replace is put aside, at a descriptor from 10 up that nobody else uses,
 * if it is to come back.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "expand.h"
#include "run.h"
#include "sh.h"

enum {
    DESCRIPTOR_FIRST_ASIDE = 10,
    DESCRIPTOR_COUNT = 64,
    CREATE_PERMISSIONS = 0666,
    CLOSED = -1,
};

static struct {
    int descriptor;
    int copy; /* CLOSED: it was not open */
} saved[DESCRIPTOR_COUNT];

static size_t saved_count;

size_t redirect_mark(void)
{
    return saved_count;
}

void redirect_undo(size_t mark)
{
    if (saved_count > mark)
        (void)out_flush();
    while (saved_count > mark) {
        saved_count--;
        if (saved[saved_count].copy == CLOSED) {
            close(saved[saved_count].descriptor);
        } else {
            (void)dup2(saved[saved_count].copy, saved[saved_count].descriptor);
            close(saved[saved_count].copy);
        }
    }
}

void redirect_forget(void)
{
    for (; saved_count > 0; saved_count--) {
        if (saved[saved_count - 1].copy != CLOSED)
            close(saved[saved_count - 1].copy);
    }
}

static bool is_open(int descriptor)
{
    struct stat ignored;

    return fstat(descriptor, &ignored) == 0;
}

/* Put a descriptor aside, once for each mark: 0, or -1 with errno. */
static int save(int descriptor, size_t mark)
{
    int copy = CLOSED;

    for (size_t i = mark; i < saved_count; i++) {
        if (saved[i].descriptor == descriptor)
            return 0;
    }
    if (is_open(descriptor)) {
        copy = saved_count < DESCRIPTOR_COUNT ? fcntl(descriptor, F_DUPFD, DESCRIPTOR_FIRST_ASIDE)
                                              : CLOSED;
        if (copy < 0) {
            errno = EMFILE;
            return -1;
        }
    }
    saved[saved_count].descriptor = descriptor;
    saved[saved_count++].copy = copy;
    return 0;
}

/* A file without a name that holds the lines: a descriptor, or -1 with errno. */
static int open_here(const char *lines)
{
    static unsigned number;
    char *path = arena_format(&shell.scratch, "/tmp/sh.%ld.%u", (long)getpid(), number++);
    int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL, CREATE_PERMISSIONS);

    if (descriptor < 0)
        return -1;
    (void)unlink(path);
    if (write_all(descriptor, lines, strlen(lines)) < 0 || lseek(descriptor, 0, SEEK_SET) < 0) {
        int error = errno;

        close(descriptor);
        errno = error;
        return -1;
    }
    return descriptor;
}

/* `>` with set -C: only a file that is not there yet, or no plain file. */
static int open_new(const char *target)
{
    struct stat found;

    if (stat(target, &found) == 0 && !S_ISREG(found.st_mode))
        return open(target, O_WRONLY);
    return open(target, O_WRONLY | O_CREAT | O_EXCL, CREATE_PERMISSIONS);
}

static int open_target(enum redirection_kind kind, const char *target)
{
    switch (kind) {
    case REDIRECT_INPUT:
        return open(target, O_RDONLY);
    case REDIRECT_APPEND:
        return open(target, O_WRONLY | O_CREAT | O_APPEND, CREATE_PERMISSIONS);
    case REDIRECT_BOTH:
        return open(target, O_RDWR | O_CREAT, CREATE_PERMISSIONS);
    case REDIRECT_OUTPUT:
        if (shell.options[OPTION_NO_OVERWRITE])
            return open_new(target);
        break;
    default:
        break;
    }
    return open(target, O_WRONLY | O_CREAT | O_TRUNC, CREATE_PERMISSIONS);
}

/* Make `descriptor` what `from` is, and close that one. */
static int move(int from, int descriptor)
{
    int result = 0;

    if (from < 0 || from == descriptor)
        return from < 0 ? -1 : 0;
    if (dup2(from, descriptor) < 0)
        result = -1;
    close(from);
    return result;
}

/* N<&M or N>&-. */
static int duplicate(int descriptor, const char *target)
{
    char *end;
    long from = strtol(target, &end, 10);

    if (strcmp(target, "-") == 0) {
        close(descriptor);
        return 0;
    }
    if (end == target || *end || from < 0 || from >= DESCRIPTOR_COUNT ||
        (from >= DESCRIPTOR_FIRST_ASIDE && !is_open((int)from))) {
        errno = EBADF;
        return -1;
    }
    return dup2((int)from, descriptor) < 0 ? -1 : 0;
}

static int redirect_one(const struct redirection *one)
{
    const char *target = one->target;
    bool is_here = one->kind == REDIRECT_HERE;
    int result;

    if (is_here && !one->is_literal)
        target = expand_string(target, QUOTING_HERE);
    else if (!is_here)
        target = expand_string(target, QUOTING_NONE);
    if (is_here)
        result = move(open_here(target), one->descriptor);
    else if (one->kind == REDIRECT_DUPLICATE)
        result = duplicate(one->descriptor, target);
    else
        result = move(open_target(one->kind, target), one->descriptor);
    if (result < 0)
        complain("%s: %s", is_here ? "here-document" : target, strerror(errno));
    return result;
}

int redirect(const struct redirection *redirection, bool saves)
{
    size_t mark = saved_count;

    if (redirection)
        (void)out_flush();
    for (; redirection; redirection = redirection->next) {
        if (redirection->descriptor >= DESCRIPTOR_COUNT) {
            errno = EBADF;
            complain("%d: %s", redirection->descriptor, strerror(errno));
            return -1;
        }
        if (saves && save(redirection->descriptor, mark) < 0) {
            complain("%d: %s", redirection->descriptor, strerror(errno));
            return -1;
        }
        if (redirect_one(redirection) < 0)
            return -1;
    }
    return 0;
}
