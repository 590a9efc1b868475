/* SPDX-License-Identifier: MIT */
/* Newlib's, and what it declares for some systems only. */
#ifndef FRANK_LIBC_SYS_STAT_H
#define FRANK_LIBC_SYS_STAT_H

#include_next <sys/stat.h>

struct stat;

/* As stat: there are no symbolic links. */
int lstat(const char *restrict path, struct stat *restrict result);

#endif
