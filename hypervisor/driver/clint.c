/* SPDX-License-Identifier: MIT */
/*
 * The CLINT: see clint.h.
 */
#include "driver/clint.h"

#include "driver/mmio.h"

enum clint_map {
    CLINT_SOFTWARE = 0x0,
    CLINT_COMPARE = 0x4000,
};

static uintptr_t clint_base;

void clint_init(uintptr_t base)
{
    clint_base = base;
}

void clint_set_timer(u64 hart_id, u64 deadline_ticks)
{
    mmio_write64(clint_base + CLINT_COMPARE + hart_id * sizeof(u64), deadline_ticks);
}

void clint_send_ipi(u64 hart_id)
{
    mmio_write32(clint_base + CLINT_SOFTWARE + hart_id * sizeof(u32), 1);
}

void clint_clear_ipi(u64 hart_id)
{
    mmio_write32(clint_base + CLINT_SOFTWARE + hart_id * sizeof(u32), 0);
}
