/* SPDX-License-Identifier: MIT */
/* Newlib's, and what it declares for some systems only. */
#ifndef FRANK_LIBC_UTIME_H
#define FRANK_LIBC_UTIME_H

#include <sys/types.h>
#include <sys/utime.h>

int utime(const char *path, const struct utimbuf *times);

#endif
