/* SPDX-License-Identifier: MIT */
/*
 * The memory and string functions of string.h. Word-sized loops where both ends are aligned alike:
 * page copies and page clearing are hot in Frank and in Candor.
 */
#include "string.h"

/* Without this the compiler turns these loops into calls of the very functions they define. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

#define WORD_BYTES sizeof(word_t)
#define UNROLLED_WORDS 8
#define BYTE_REPEATED 0x0101010101010101UL

typedef u64 __attribute__((may_alias)) word_t;

static bool word_aligned(const void *p)
{
    return IS_ALIGNED((uintptr_t)p, WORD_BYTES);
}

void *memcpy(void *to, const void *from, size_t bytes)
{
    u8 *t = to;
    const u8 *f = from;

    if (IS_ALIGNED((uintptr_t)t ^ (uintptr_t)f, WORD_BYTES)) {
        while (bytes > 0 && !word_aligned(t)) {
            *t++ = *f++;
            bytes--;
        }
        word_t *tw = (word_t *)t;
        const word_t *fw = (const word_t *)f;
        for (; bytes >= UNROLLED_WORDS * WORD_BYTES; bytes -= UNROLLED_WORDS * WORD_BYTES) {
            word_t a = fw[0], b = fw[1], c = fw[2], d = fw[3];
            word_t e = fw[4], g = fw[5], h = fw[6], i = fw[7];
            tw[0] = a, tw[1] = b, tw[2] = c, tw[3] = d;
            tw[4] = e, tw[5] = g, tw[6] = h, tw[7] = i;
            tw += UNROLLED_WORDS;
            fw += UNROLLED_WORDS;
        }
        for (; bytes >= WORD_BYTES; bytes -= WORD_BYTES)
            *tw++ = *fw++;
        t = (u8 *)tw;
        f = (const u8 *)fw;
    }
    while (bytes-- > 0)
        *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
    u8 *t = to;
    const u8 *f = from;

    if ((uintptr_t)t - (uintptr_t)f >= bytes)
        return memcpy(to, from, bytes);
    while (bytes-- > 0)
        t[bytes] = f[bytes];
    return to;
}

void *memset(void *to, int value, size_t bytes)
{
    u8 *t = to;
    word_t repeated = (u8)value * BYTE_REPEATED;

    while (bytes > 0 && !word_aligned(t)) {
        *t++ = (u8)value;
        bytes--;
    }
    word_t *w = (word_t *)t;
    for (; bytes >= UNROLLED_WORDS * WORD_BYTES; bytes -= UNROLLED_WORDS * WORD_BYTES) {
        w[0] = repeated, w[1] = repeated, w[2] = repeated, w[3] = repeated;
        w[4] = repeated, w[5] = repeated, w[6] = repeated, w[7] = repeated;
        w += UNROLLED_WORDS;
    }
    for (; bytes >= WORD_BYTES; bytes -= WORD_BYTES)
        *w++ = repeated;
    for (t = (u8 *)w; bytes > 0; bytes--)
        *t++ = (u8)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const u8 *x = a, *y = b;

    for (; bytes > 0; bytes--, x++, y++) {
        if (*x != *y)
            return *x - *y;
    }
    return 0;
}

void *memchr(const void *from, int value, size_t bytes)
{
    for (const u8 *f = from; bytes > 0; bytes--, f++) {
        if (*f == (u8)value)
            return (void *)f;
    }
    return NULL;
}

size_t strlen(const char *s)
{
    const char *end = s;

    while (*end != '\0')
        end++;
    return (size_t)(end - s);
}

size_t strnlen(const char *s, size_t limit)
{
    size_t length = 0;

    while (length < limit && s[length] != '\0')
        length++;
    return length;
}

int strcmp(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t limit)
{
    for (; limit > 0; limit--, a++, b++) {
        if (*a != *b || *a == '\0')
            return (u8)*a - (u8)*b;
    }
    return 0;
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)s;
        if (*s == '\0')
            return NULL;
    }
}

char *strrchr(const char *s, int c)
{
    const char *last = NULL;

    for (;; s++) {
        if (*s == (char)c)
            last = s;
        if (*s == '\0')
            return (char *)last;
    }
}
