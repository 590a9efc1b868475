/* SPDX-License-Identifier: MIT */
/*
 * Bounded string copy: apart from string.c because host C libraries may lack it.
 */
#include "string.h"

size_t strlcpy(char *to, const char *from, size_t size)
{
    size_t length = strlen(from);

    if (size > 0) {
        size_t kept = min(length, size - 1);
        memcpy(to, from, kept);
        to[kept] = '\0';
    }
    return length;
}
