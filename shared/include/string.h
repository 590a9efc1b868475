/* SPDX-License-Identifier: MIT */
/*
 * Memory and string functions with their standard meanings, for code without a C library.
 * A host build takes them from its own C library and leaves shared/string.c out.
 */
#pragma once

#include "types.h"

void *memcpy(void *to, const void *from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
void *memchr(const void *from, int value, size_t bytes);

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t limit);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t limit);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);

/* Copies at most size-1 characters and always terminates (size > 0). Returns strlen(from): the copy
   was cut short when that is >= size. */
size_t strlcpy(char *to, const char *from, size_t size);
