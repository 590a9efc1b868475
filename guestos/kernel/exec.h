/* SPDX-License-Identifier: MIT */
/* Replacing a process's program. */
#pragma once

#include "frank/errno.h"
#include "types.h"

/* Give the current process, which has no space yet, the program at `path`; argv is the path and
   then the words of `words`, without environment. 0, and user mode will begin in it, or a negative
   errno. */
MUST_CHECK int exec_init(const char *path, const char *words);
