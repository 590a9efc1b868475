/* SPDX-License-Identifier: MIT */
/* Numbers that follow from a program's number alone (SplitMix64). */
#pragma once

#include "types.h"

struct random {
    u64 state;
};

static inline u64 random_bits(struct random *random)
{
    u64 z = random->state += 0x9e3779b97f4a7c15UL;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9UL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebUL;
    return z ^ z >> 31;
}

/* 0 to count - 1 */
static inline u32 random_below(struct random *random, u32 count)
{
    return (u32)((random_bits(random) >> 32) * count >> 32);
}

static inline bool random_percent(struct random *random, u32 percent)
{
    return random_below(random, 100) < percent;
}
