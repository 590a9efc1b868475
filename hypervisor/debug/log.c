/* SPDX-License-Identifier: MIT */
/*
 * Candor's own lines: see log.h.
 */
#include "debug/log.h"

#include "debug/console.h"
#include "string.h"

/* A line under construction: one place is kept for its newline. */
struct log_text {
    char bytes[LOG_LINE_BYTES];
    u32 used;
};

static void log_take(void *context, const char *text, size_t length)
{
    struct log_text *line = context;
    size_t kept = min(length, (size_t)(LOG_LINE_BYTES - 1 - line->used));

    memcpy(line->bytes + line->used, text, kept);
    line->used += (u32)kept;
}

static void log_format(struct log_text *line, const char *format, ...) PRINTF_LIKE(2, 3);
static void log_format(struct log_text *line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vformat(log_take, line, format, arguments);
    va_end(arguments);
}

static void log_finish(struct log_text *line)
{
    line->bytes[line->used++] = '\n';
    console_system_line(line->bytes, line->used);
}

void log_line(const char *format, ...)
{
    struct log_text line = {.used = 0};
    va_list arguments;

    log_format(&line, "candor: ");
    va_start(arguments, format);
    vformat(log_take, &line, format, arguments);
    va_end(arguments);
    log_finish(&line);
}

void log_vm_line(const char *vm_name, const char *format, ...)
{
    struct log_text line = {.used = 0};
    va_list arguments;

    console_let_finish(vm_name);
    log_format(&line, "candor: %s: ", vm_name);
    va_start(arguments, format);
    vformat(log_take, &line, format, arguments);
    va_end(arguments);
    log_finish(&line);
}
