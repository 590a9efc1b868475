/* SPDX-License-Identifier: MIT */
/*
 * Registers of a virtio block device (virtio 1.2, sections 2.1, 4.2.2 and 5.2.4): what its two
 * halves share.
 */
#pragma once

#include "vdev/vblk.h"

/* Device status (2.1). */
enum vblk_status {
    VBLK_STATUS_DRIVER_OK = 1 << 2,
    VBLK_STATUS_FEATURES_OK = 1 << 3,
    VBLK_STATUS_NEEDS_RESET = 1 << 6,
    VBLK_STATUS_FAILED = 1 << 7,
    VBLK_STATUS_ALL = 0xff,
};

enum vblk_interrupt {
    VBLK_INTERRUPT_USED = 1 << 0,
    VBLK_INTERRUPT_CONFIGURATION = 1 << 1,
};

/* Whether the driver may be served: it is ready, its queue is, and neither has given up. */
bool vblk_registers_running(const struct vblk *vblk);
