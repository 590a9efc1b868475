/* SPDX-License-Identifier: MIT */
/* getline, as POSIX describes it; newlib's <stdio.h> does not declare it. */
#ifndef FRANK_LIBC_LINE_H
#define FRANK_LIBC_LINE_H

#include <stdio.h>
#include <sys/types.h>

/* Reads a line with its end into *line, which is made larger as needed (the caller frees it): how
 * many bytes, or -1 at the end of the file and on errors. */
ssize_t getline(char **line, size_t *room, FILE *file);

#endif
