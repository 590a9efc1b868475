/* SPDX-License-Identifier: MIT */
/* Memory that processes share without a file: an inode that only mappings have. */
#pragma once

#include "kernel/fs/inode.h"

/* One of so many pages, which are zeros and take no memory until they are touched; with one
   reference. NULL: out of memory, or too many. */
struct inode *memory_object_create(u64 page_count);
