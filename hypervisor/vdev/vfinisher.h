/* SPDX-License-Identifier: MIT */
/*
 * The test finisher of the machine `virt` (SiFive): a word by which a guest powers the machine off,
 * with success or a status, or resets it. Offsets other than 0, and words that mean nothing, have
 * no effect. Accesses of 2 and 4 bytes.
 */
#pragma once

#include "vdev/vdev.h"

enum { VFINISHER_BYTES = 0x1000 };

enum vfinisher_order {
    VFINISHER_PASS,
    VFINISHER_FAIL,
    VFINISHER_RESET,
};

struct vfinisher {
    /* `status` is the guest's, of VFINISHER_FAIL. The guest goes on executing until its owner stops
     * it. */
    void (*finish)(void *context, enum vfinisher_order order, u32 status);
    void *context;
};

extern const struct vdev_ops vfinisher_ops;
