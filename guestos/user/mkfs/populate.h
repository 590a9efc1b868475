/* SPDX-License-Identifier: MIT */
/* Filling a new file system with a directory's tree. */
#pragma once

#include "volume/volume.h"

/*
 * Copy what is in the directory at `path` into the root of a file system that was just made: files,
 * directories, permissions, times. What is neither is left out, with a line for each. Blocks of
 * zeros are holes; a file with several names becomes several files. The same tree gives the same
 * file system. 0, or -1 after a line on stderr: the volume is not to be used then.
 */
int populate(struct volume *volume, const char *path);
