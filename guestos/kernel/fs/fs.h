/* SPDX-License-Identifier: MIT */
/* The one file system that all files are in, the root's. */
#pragma once

#include "types.h"

/*
 * Make a disk's file system the root, with the devices in place of its "dev". Once, in a thread.
 * The error is the mount's; -ENOENT: there is no such disk, or no "dev" on it.
 */
int MUST_CHECK fs_init(const char *disk);
