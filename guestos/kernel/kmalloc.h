/* SPDX-License-Identifier: MIT */
/* Kernel memory in sizes of 32 bytes to 1 MiB. Any context; lock LOCK_KMALLOC. */
#pragma once

#include "types.h"

void kmalloc_init(void);

/* At least `bytes` bytes, aligned to 16; contents undefined. NULL: out of memory, or too large. */
MUST_CHECK void *kmalloc(size_t bytes);

/* The same, zeroed. */
MUST_CHECK void *kzalloc(size_t bytes);

/* NULL is allowed. */
void kfree(void *memory);

/* What is handed out of pieces up to half a page, in bytes with their rounding, and how many pages
   hold them, free pieces included. */
struct kmalloc_usage {
    u64 used_bytes;
    u64 slab_pages;
};
struct kmalloc_usage kmalloc_usage(void);
