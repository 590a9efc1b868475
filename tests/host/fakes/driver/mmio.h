/* SPDX-License-Identifier: MIT */
/* Device registers on the host: those of the fake disks (fake_disk.h). In place of the driver's
 * own. */
#pragma once

#include "types.h"

u32 mmio_read32(uintptr_t address);
void mmio_write32(uintptr_t address, u32 value);

static inline void mmio_order(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
