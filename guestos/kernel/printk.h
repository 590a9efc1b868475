/* SPDX-License-Identifier: MIT */
/* The kernel's messages, and its end. Any context. */
#pragma once

#include "printf.h"

struct trap_frame;

void printk(const char *format, ...) PRINTF_LIKE(1, 2);

/* A fault of the kernel's own: print why, the registers (frame may be NULL) and how it came, then
   power off. */
NORETURN void panic_frame(const struct trap_frame *frame, const char *format, ...)
    PRINTF_LIKE(2, 3);
#define panic(...) panic_frame(NULL, __VA_ARGS__)

/* Whether the kernel is ending; a CPU that does not end it stops for good. */
bool printk_is_panicking(void);
NORETURN void printk_stop(void);

/* Holds in every build: what is tested is cheap. */
#define kassert(condition)                                                        \
    ({                                                                            \
        if (__builtin_expect(!(condition), 0))                                    \
            panic("assertion failed: %s, %s:%d", #condition, __FILE__, __LINE__); \
    })
