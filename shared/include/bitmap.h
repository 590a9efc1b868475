/* SPDX-License-Identifier: MIT */
/*
 * Bit arrays in words of 64. Bounds are the caller's; the caller's lock guards them.
 */
#pragma once

#include "types.h"

enum { BITMAP_WORD_BITS = 64 };

#define BITMAP_WORDS(bits) (((bits) + BITMAP_WORD_BITS - 1) / BITMAP_WORD_BITS)
#define BITMAP_DECLARE(name, bits) u64 name[BITMAP_WORDS(bits)]

static inline bool bitmap_test(const u64 *map, size_t bit)
{
    return (map[bit / BITMAP_WORD_BITS] >> (bit % BITMAP_WORD_BITS)) & 1;
}

static inline void bitmap_set(u64 *map, size_t bit)
{
    map[bit / BITMAP_WORD_BITS] |= (u64)1 << (bit % BITMAP_WORD_BITS);
}

static inline void bitmap_clear(u64 *map, size_t bit)
{
    map[bit / BITMAP_WORD_BITS] &= ~((u64)1 << (bit % BITMAP_WORD_BITS));
}

/* The number of the lowest set bit; `value` is not 0. (The compiler's builtin would call libgcc.)
 */
static inline unsigned bit_lowest(u64 value)
{
    unsigned bit = 0;

    for (unsigned span = BITMAP_WORD_BITS / 2; span > 0; span /= 2) {
        if ((value & (((u64)1 << span) - 1)) == 0) {
            value >>= span;
            bit += span;
        }
    }
    return bit;
}

/* The first clear bit at or after `from`, or `bits` when there is none. */
static inline size_t bitmap_find_clear(const u64 *map, size_t bits, size_t from)
{
    for (size_t bit = from; bit < bits;) {
        u64 clear = ~map[bit / BITMAP_WORD_BITS] >> (bit % BITMAP_WORD_BITS);

        if (clear != 0) {
            bit += bit_lowest(clear);
            return min(bit, bits);
        }
        bit = (bit / BITMAP_WORD_BITS + 1) * BITMAP_WORD_BITS;
    }
    return bits;
}
