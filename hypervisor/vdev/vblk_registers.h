/* SPDX-License-Identifier: MIT */
/*
 * Registers of the block device's model (driver/virtio_registers.h): what its two halves share.
 */
#pragma once

#include "vdev/vblk.h"

/* Whether the driver may be served: it is ready, its queue is, and neither has given up. */
bool vblk_registers_running(const struct vblk *vblk);
