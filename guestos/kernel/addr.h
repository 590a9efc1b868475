/* SPDX-License-Identifier: MIT */
/* Addresses and pages, as the common code of the kernel speaks of them. */
#pragma once

#include "types.h"

typedef u64 pa_t;  /* an address of memory as the kernel owns it; 0 is never a page's */
typedef u64 uva_t; /* an address in a process's space; not to be dereferenced */
typedef i64 ssize_t;

enum page_geometry {
    PAGE_SHIFT = 12,
    PAGE_SIZE = 1 << PAGE_SHIFT,
};

/* User addresses are [USER_BASE, USER_TOP); the stack grows down from the top. One table of the
   middle level covers them, which platform/pv counts on. */
#define USER_BASE 0x1000UL
#define USER_TOP 0x40000000UL

static inline u64 page_floor(u64 address)
{
    return ALIGN_DOWN(address, (u64)PAGE_SIZE);
}

static inline u64 page_ceiling(u64 address)
{
    return ALIGN_UP(address, (u64)PAGE_SIZE);
}

/* How many pages `bytes` bytes that begin at a page's start fill. */
static inline u64 pages_for(u64 bytes)
{
    return (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
}
