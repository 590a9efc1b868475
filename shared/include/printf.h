/* SPDX-License-Identifier: MIT */
/*
 * Formatted text without a C library.
 *
 * Conversions: d i u x X p s c %. Flags: '-' (left) and '0'; a width; a precision for %s only;
 * width and precision may be '*'. Lengths: hh h l ll z. A conversion that is not known is printed
 * as it stands and takes no argument.
 */
#pragma once

#include <stdarg.h>

#include "types.h"

/* Takes `length` characters (not terminated; length may be 0). It cannot fail. */
typedef void (*format_sink_t)(void *context, const char *text, size_t length);

/* Formats into `sink`, piece by piece, and returns the number of characters given to it. */
size_t vformat(format_sink_t sink, void *context, const char *format, va_list arguments);

/* As the standard function: at most size-1 characters and a terminator; returns the untruncated
   length. Its link name differs from the C library's, so that host tests can have both. */
#define snprintf shared_snprintf
#define vsnprintf shared_vsnprintf
int snprintf(char *buffer, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments) PRINTF_LIKE(3, 0);
