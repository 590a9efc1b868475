/* SPDX-License-Identifier: MIT */
/* Whole blocks of a device or of a file that stands for one. */
#pragma once

#include <stdint.h>

/* One block. 0, or -1 with errno; EIO: it is not all there. */
int io_read_block(int descriptor, uint32_t block, void *content);
int io_write_block(int descriptor, uint32_t block, const void *content);
