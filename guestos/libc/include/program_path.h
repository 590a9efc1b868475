/* SPDX-License-Identifier: MIT */
/* Paths as the programs that copy, move and link files put them together. */
#ifndef FRANK_LIBC_PROGRAM_PATH_H
#define FRANK_LIBC_PROGRAM_PATH_H

#include <stdbool.h>

#include "frank/dirent.h"

enum { PROGRAM_PATH_BYTES = FRANK_PATH_SIZE };

/* "directory/name": 0, or -1 with ENAMETOOLONG. */
int program_join(const char *directory, const char *name, char path[PROGRAM_PATH_BYTES]);

bool program_is_directory(const char *path);

/* Where `from` goes to if `to` is named: into it, if it is a directory. 0, or -1 with errno. */
int program_target(const char *from, const char *to, char path[PROGRAM_PATH_BYTES]);

/*
 * Calls visit(path, argument) for each entry of a directory, "." and ".." left out: 0, what a visit
 * gave that was not 0 (of several the last), or -1 with errno. A visit may remove its entry.
 */
int program_walk(const char *directory, int (*visit)(const char *path, void *argument),
                 void *argument);

#endif
