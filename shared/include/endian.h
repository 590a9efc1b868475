/* SPDX-License-Identifier: MIT */
/*
 * Reads of little-endian and big-endian numbers at any address, byte by byte.
 */
#ifndef SHARED_ENDIAN_H
#define SHARED_ENDIAN_H

#include "types.h"

static inline u16 load_le16(const void *at)
{
    const u8 *b = at;

    return (u16)(b[0] | b[1] << 8);
}

static inline u32 load_le32(const void *at)
{
    const u8 *b = at;

    return load_le16(b) | (u32)load_le16(b + 2) << 16;
}

static inline u64 load_le64(const void *at)
{
    const u8 *b = at;

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

#endif
