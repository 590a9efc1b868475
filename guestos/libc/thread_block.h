/* SPDX-License-Identifier: MIT */
/*
 * What the C library keeps for each thread, right below the thread's TLS variables: the thread
 * pointer (tp) points at the first of those, which is the end of this block. Its address is the
 * thread's pthread_t.
 */
#pragma once

#include <reent.h>

struct thread_block {
    struct _reent *reent;
    unsigned number; /* the kernel's */
    unsigned alive;  /* 1, and 0 when its stack may go; joiners sleep on it */
    unsigned fate;   /* enum thread_fate; atomic */
    char *memory;    /* of stack, block, TLS; NULL: the main thread's is the program's */
    unsigned long memory_bytes;
    void *(*start)(void *);
    void *argument;
    void *result;
    const void **values; /* of PTHREAD_KEYS_MAX keys, or NULL */
    struct _pthread_cleanup_context *cleanup;
    void *reserved[2]; /* the size is what user.lds keeps free, and keeps tp aligned */
};

enum { THREAD_BLOCK_BYTES = 96 };

_Static_assert(sizeof(struct thread_block) == THREAD_BLOCK_BYTES, "user.lds");

/* Whether there has ever been a thread beside the main one. */
extern unsigned thread_others;

static inline struct thread_block *thread_block(void)
{
    register struct thread_block *tp __asm__("tp");

    return tp - 1;
}
