/* SPDX-License-Identifier: MIT */
/*
 * The test finisher of QEMU's `virt` (SiFive test device): ends the whole machine.
 */
#pragma once

#include "types.h"

struct finisher {
    uintptr_t base;
};

void finisher_init(struct finisher *finisher, uintptr_t base);

/* Powers the machine off; QEMU exits with `status` (0: success, to 255). The device may take a
   while: the caller must not rely on this not returning. */
void finisher_poweroff(const struct finisher *finisher, u32 status);
