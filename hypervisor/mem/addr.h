/* SPDX-License-Identifier: MIT */
/*
 * Addresses that cannot be mixed up: each kind is a struct of one field.
 *
 * Machine memory is the real RAM; guest-physical memory is what one VM believes is RAM;
 * guest-virtual addresses are what its code uses. Frame numbers are addresses divided by the frame
 * size.
 */
#pragma once

#include "types.h"

enum {
    FRAME_SHIFT = 12,
    FRAME_BYTES = 1 << FRAME_SHIFT,
    CHUNK_SHIFT = 21, /* VM memory is handed out in chunks of 2 MiB */
    CHUNK_BYTES = 1 << CHUNK_SHIFT,
    CHUNK_FRAMES = 1 << (CHUNK_SHIFT - FRAME_SHIFT),
};

typedef struct {
    u64 value;
} maddr_t;
typedef struct {
    u64 value;
} gpa_t;
typedef struct {
    u64 value;
} gva_t;
typedef struct {
    u32 number;
} mfn_t;
typedef struct {
    u32 number;
} gfn_t;

/* The mfn that names no frame; frame 0 of the machine is never RAM that Candor uses. */
#define MFN_NONE ((mfn_t){0})

static inline maddr_t maddr(u64 value)
{
    return (maddr_t){value};
}

static inline gpa_t gpa(u64 value)
{
    return (gpa_t){value};
}

static inline gva_t gva(u64 value)
{
    return (gva_t){value};
}

static inline mfn_t mfn(u64 number)
{
    return (mfn_t){(u32)number};
}

static inline gfn_t gfn(u64 number)
{
    return (gfn_t){(u32)number};
}

static inline bool mfn_valid(mfn_t frame)
{
    return frame.number != 0;
}

static inline bool mfn_equal(mfn_t a, mfn_t b)
{
    return a.number == b.number;
}

static inline mfn_t maddr_to_mfn(maddr_t address)
{
    return mfn(address.value >> FRAME_SHIFT);
}

static inline maddr_t mfn_to_maddr(mfn_t frame)
{
    return maddr((u64)frame.number << FRAME_SHIFT);
}

static inline gpa_t gfn_to_gpa(gfn_t frame)
{
    return gpa((u64)frame.number << FRAME_SHIFT);
}
