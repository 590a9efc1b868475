/* SPDX-License-Identifier: MIT */
/*
 * The clock of the machine `virt` (Goldfish): nanoseconds since 1970 in two words. Reading the low
 * one keeps the high one that belongs to it for the read that follows. It is only read: its alarm
 * is not modelled, and what is written has no effect. Accesses of 4 bytes.
 */
#pragma once

#include "vdev/vdev.h"

enum { VRTC_BYTES = 0x1000 };

struct vrtc {
    u64 (*now_ns)(void);
    u32 high;
};

extern const struct vdev_ops vrtc_ops;
