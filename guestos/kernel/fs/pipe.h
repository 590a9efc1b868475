/* SPDX-License-Identifier: MIT */
/* Pipes: two inodes, one to read from and one to write to, around one page of bytes. */
#pragma once

#include "kernel/fs/inode.h"

enum pipe_limits {
    PIPE_BUFFER_BYTES = PAGE_SIZE,
    PIPE_ATOMIC_BYTES = 512, /* newlib's PIPE_BUF: a write of so many is never torn apart */
};

/* A new pipe's ends, each with one reference. 0 or -ENOMEM. */
int MUST_CHECK pipe_create(struct inode **reader, struct inode **writer);
