/* SPDX-License-Identifier: MIT */
/*
 * Copies between the kernel and the running process's memory. They fault pages in as the process's
 * own accesses would, so they may sleep: hold no spin lock. A bad address is -EFAULT and never a
 * kernel fault; some bytes may have been copied by then.
 */
#pragma once

#include "frank/errno.h"
#include "kernel/addr.h"

MUST_CHECK int copy_from_user(void *to, uva_t from, size_t bytes);
MUST_CHECK int copy_to_user(uva_t to, const void *from, size_t bytes);
MUST_CHECK int zero_user(uva_t to, size_t bytes);

/* A string of less than `size` bytes: its length, -EFAULT or -ENAMETOOLONG. */
MUST_CHECK long copy_string_from_user(char *to, uva_t from, size_t size);
