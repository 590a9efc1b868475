/* SPDX-License-Identifier: MIT */
/* Frank's kernel around a file system in a host test (frank_kernel.c): what a test may turn. */
#pragma once

#include "kernel/fs/file.h"
#include "types.h"

extern struct file_table *const frank_files; /* of the one process there is */

extern long frank_allocations_left; /* pages and pieces, until one fails; negative: none does */
extern u64 frank_free_pages;        /* what page_free_count() says */
extern long frank_pages_in_use;
extern long frank_pieces_in_use;
extern unsigned frank_lines_printed;
