/* SPDX-License-Identifier: MIT */
/*
 * The formatter of printf.h. It holds no buffer but one number's digits, so it may run on any stack
 * and in any context that its sink allows.
 */
#include "printf.h"

#include "string.h"

enum {
    DIGITS_MAX = 24,
    PAD_CHUNK = 16,
};

enum length {
    LENGTH_INT,
    LENGTH_LONG,
    LENGTH_LONG_LONG,
    LENGTH_SIZE,
};

struct conversion {
    bool left;
    bool zero;
    int width;
    int precision; /* -1: none given */
    enum length length;
    char kind;
};

struct output {
    format_sink_t sink;
    void *context;
    size_t total;
};

static void emit(struct output *out, const char *text, size_t length)
{
    if (length > 0)
        out->sink(out->context, text, length);
    out->total += length;
}

static void emit_padding(struct output *out, char fill, int count)
{
    char chunk[PAD_CHUNK];

    memset(chunk, fill, sizeof(chunk));
    while (count > 0) {
        int now = min(count, (int)PAD_CHUNK);
        emit(out, chunk, (size_t)now);
        count -= now;
    }
}

/* Pads `body` to the width; zeros go between the sign or base prefix and the digits. */
static void emit_field(struct output *out, const struct conversion *c, const char *prefix,
                       const char *body, size_t body_length)
{
    size_t prefix_length = strlen(prefix);
    size_t used = prefix_length + body_length;
    int padding = c->width > 0 && (size_t)c->width > used ? c->width - (int)used : 0;

    if (!c->left && !c->zero)
        emit_padding(out, ' ', padding);
    emit(out, prefix, prefix_length);
    if (!c->left && c->zero)
        emit_padding(out, '0', padding);
    emit(out, body, body_length);
    if (c->left)
        emit_padding(out, ' ', padding);
}

static void emit_number(struct output *out, const struct conversion *c, const char *prefix,
                        u64 value, unsigned base)
{
    const char *digits = c->kind == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[DIGITS_MAX];
    size_t at = sizeof(text);

    do {
        text[--at] = digits[value % base];
        value /= base;
    } while (value != 0);
    emit_field(out, c, prefix, text + at, sizeof(text) - at);
}

static u64 take_unsigned(va_list *arguments, enum length length)
{
    switch (length) {
    case LENGTH_LONG:
        return va_arg(*arguments, unsigned long);
    case LENGTH_LONG_LONG:
        return va_arg(*arguments, unsigned long long);
    case LENGTH_SIZE:
        return va_arg(*arguments, size_t);
    default:
        return va_arg(*arguments, unsigned);
    }
}

static i64 take_signed(va_list *arguments, enum length length)
{
    switch (length) {
    case LENGTH_LONG:
        return va_arg(*arguments, long);
    case LENGTH_LONG_LONG:
        return va_arg(*arguments, long long);
    case LENGTH_SIZE:
        return va_arg(*arguments, ptrdiff_t);
    default:
        return va_arg(*arguments, int);
    }
}

static int parse_number(const char **at, va_list *arguments)
{
    int value = 0;

    if (**at == '*') {
        (*at)++;
        return va_arg(*arguments, int);
    }
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        if (value < 10000)
            value = value * 10 + (**at - '0');
    }
    return value;
}

/* Parses what follows a '%'; leaves *at after the conversion's letter (or at the final NUL). */
static void parse_conversion(const char **at, va_list *arguments, struct conversion *c)
{
    *c = (struct conversion){.precision = -1, .length = LENGTH_INT};
    for (;; (*at)++) {
        if (**at == '-')
            c->left = true;
        else if (**at == '0')
            c->zero = true;
        else
            break;
    }
    c->width = parse_number(at, arguments);
    if (c->width < 0) {
        c->left = true;
        c->width = c->width == INT32_MIN ? INT32_MAX : -c->width;
    }
    if (**at == '.') {
        (*at)++;
        c->precision = parse_number(at, arguments);
    }
    for (;; (*at)++) {
        if (**at == 'l')
            c->length = c->length == LENGTH_LONG ? LENGTH_LONG_LONG : LENGTH_LONG;
        else if (**at == 'z')
            c->length = LENGTH_SIZE;
        else if (**at != 'h')
            break;
    }
    c->kind = **at;
    if (c->kind != '\0')
        (*at)++;
}

static void emit_string(struct output *out, struct conversion *c, const char *text)
{
    if (text == NULL)
        text = "(null)";
    c->zero = false;
    emit_field(out, c, "", text,
               c->precision >= 0 ? strnlen(text, (size_t)c->precision) : strlen(text));
}

/* Prints one conversion; false when it is not known. */
static bool emit_conversion(struct output *out, struct conversion *c, va_list *arguments)
{
    i64 number;
    char character;

    switch (c->kind) {
    case 'd':
    case 'i':
        number = take_signed(arguments, c->length);
        emit_number(out, c, number < 0 ? "-" : "", number < 0 ? -(u64)number : (u64)number, 10);
        return true;
    case 'u':
        emit_number(out, c, "", take_unsigned(arguments, c->length), 10);
        return true;
    case 'x':
    case 'X':
        emit_number(out, c, "", take_unsigned(arguments, c->length), 16);
        return true;
    case 'p':
        emit_number(out, c, "0x", (uintptr_t)va_arg(*arguments, void *), 16);
        return true;
    case 's':
        emit_string(out, c, va_arg(*arguments, const char *));
        return true;
    case 'c':
        character = (char)va_arg(*arguments, int);
        c->zero = false;
        emit_field(out, c, "", &character, 1);
        return true;
    case '%':
        emit(out, "%", 1);
        return true;
    default:
        return false;
    }
}

size_t vformat(format_sink_t sink, void *context, const char *format, va_list arguments)
{
    struct output out = {.sink = sink, .context = context};
    va_list remaining;

    va_copy(remaining, arguments);
    for (const char *at = format; *at != '\0';) {
        const char *start = at;
        struct conversion c;

        if (*at != '%') {
            while (*at != '\0' && *at != '%')
                at++;
            emit(&out, start, (size_t)(at - start));
            continue;
        }
        at++;
        parse_conversion(&at, &remaining, &c);
        if (!emit_conversion(&out, &c, &remaining))
            emit(&out, start, (size_t)(at - start));
    }
    va_end(remaining);
    return out.total;
}

struct buffer_sink {
    char *buffer;
    size_t size;
    size_t used;
};

static void buffer_take(void *context, const char *text, size_t length)
{
    struct buffer_sink *b = context;

    if (b->used + 1 < b->size) {
        size_t kept = min(length, b->size - 1 - b->used);
        memcpy(b->buffer + b->used, text, kept);
        b->used += kept;
    }
}

int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
{
    struct buffer_sink b = {.buffer = buffer, .size = size};
    size_t total = vformat(buffer_take, &b, format, arguments);

    if (size > 0)
        buffer[b.used] = '\0';
    return (int)total;
}

int snprintf(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int total = vsnprintf(buffer, size, format, arguments);
    va_end(arguments);
    return total;
}
