/* SPDX-License-Identifier: MIT */
/*
 * What the C library keeps for each thread, right below the thread's TLS variables: the thread
 * pointer (tp) points at the first of those, which is the end of this block.
 */
#ifndef FRANK_LIBC_THREAD_BLOCK_H
#define FRANK_LIBC_THREAD_BLOCK_H

#include <reent.h>

struct thread_block {
    struct _reent *reent;
    void *reserved; /* keeps tp aligned to 16 */
};

static inline struct thread_block *thread_block(void)
{
    register struct thread_block *tp __asm__("tp");

    return tp - 1;
}

#endif
