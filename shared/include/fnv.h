/* SPDX-License-Identifier: MIT */
/*
 * FNV-1a, 64 bits: a checksum against damage, not against an adversary.
 */
#pragma once

#include "types.h"

#define FNV64_START 0xcbf29ce484222325UL
#define FNV64_PRIME 0x100000001b3UL

/* Continues `state` (FNV64_START at first) over `bytes` bytes. */
static inline u64 fnv64_update(u64 state, const void *data, size_t bytes)
{
    const u8 *at = data;

    for (; bytes > 0; bytes--, at++)
        state = (state ^ *at) * FNV64_PRIME;
    return state;
}
