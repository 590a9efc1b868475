/* SPDX-License-Identifier: MIT */
/*
 * futex(address, operation, value, deadline): sleep while an aligned 32-bit word has a value, and
 * wake those who sleep at a word. For both sides.
 */
#pragma once

enum frank_futex_operation {
    FRANK_FUTEX_WAIT = 0, /* 0 when woken (look at the word), -EAGAIN: it has another value,
                             -ETIMEDOUT, -EINTR */
    FRANK_FUTEX_WAKE = 1, /* at most `value` sleepers; returns how many */
};

/* A deadline is nanoseconds of the monotonic clock, or: */
#define FRANK_FUTEX_FOREVER (~0UL)
