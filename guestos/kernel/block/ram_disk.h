/* SPDX-License-Identifier: MIT */
/* The disk in memory, "ram0": it begins as the image that came with the kernel, and is lost with
   the machine. */
#pragma once

#include "kernel/addr.h"

/* Register it, with the image's pages, which were reserved, as its first blocks. Once. -ENOMEM. */
MUST_CHECK int ram_disk_register(pa_t image, u64 bytes);
