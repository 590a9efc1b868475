/* SPDX-License-Identifier: MIT */
/*
 * Reads of little-endian and big-endian numbers at any address: byte by byte, but little-endian
 * ones that lie on a word's address in one piece, where the machine is little-endian too.
 */
#pragma once

#include "types.h"

typedef u32 __attribute__((may_alias)) aliased_u32;
typedef u64 __attribute__((may_alias)) aliased_u64;

static inline bool is_le_word(const void *at, u64 bytes)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && IS_ALIGNED((uintptr_t)at, bytes);
}

static inline u16 load_le16(const void *at)
{
    const u8 *b = at;

    return (u16)(b[0] | b[1] << 8);
}

static inline u32 load_le32(const void *at)
{
    const u8 *b = at;

    if (is_le_word(at, sizeof(u32)))
        return *(const aliased_u32 *)at;
    return load_le16(b) | (u32)load_le16(b + 2) << 16;
}

static inline u64 load_le64(const void *at)
{
    const u8 *b = at;

    if (is_le_word(at, sizeof(u64)))
        return *(const aliased_u64 *)at;
    return load_le32(b) | (u64)load_le32(b + 4) << 32;
}

static inline u32 load_be32(const void *at)
{
    const u8 *b = at;

    return (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3];
}

static inline u64 load_be64(const void *at)
{
    const u8 *b = at;

    return (u64)load_be32(b) << 32 | load_be32(b + 4);
}
