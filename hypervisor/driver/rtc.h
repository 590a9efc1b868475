/* SPDX-License-Identifier: MIT */
/*
 * The wall clock of QEMU's `virt` (Goldfish). Any hart, one at a time: reading one word keeps the
 * other.
 */
#pragma once

#include "types.h"

/* Nanoseconds since 1970 (UTC). */
u64 rtc_read_ns(uintptr_t base);
