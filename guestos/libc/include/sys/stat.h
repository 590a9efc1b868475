/* SPDX-License-Identifier: MIT */
/* Newlib's, and what it declares for some systems only. */
#ifndef FRANK_LIBC_SYS_STAT_H
#define FRANK_LIBC_SYS_STAT_H

#include_next <sys/stat.h>

struct stat;
struct timespec;

#ifndef UTIME_NOW
#define UTIME_NOW (-2L)
#define UTIME_OMIT (-1L)
#endif

/* Sets the second time, that of the last change; the path is absolute or from AT_FDCWD. */
int utimensat(int directory, const char *path, const struct timespec *times, int flags);

/* As stat: there are no symbolic links. */
int lstat(const char *restrict path, struct stat *restrict result);

#endif
