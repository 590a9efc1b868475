/* SPDX-License-Identifier: MIT */
/*
 * The CLINT: see clint.h.
 */
#include "driver/clint.h"

#include "driver/mmio.h"

enum clint_map {
    CLINT_SOFTWARE = 0x0,
    CLINT_COMPARE = 0x4000,
    CLINT_TIME = 0xbff8,
};

void clint_init(struct clint *clint, uintptr_t base)
{
    clint->base = base;
}

void clint_timer_set(const struct clint *clint, u64 hart, u64 deadline_ticks)
{
    mmio_write64(clint->base + CLINT_COMPARE + hart * sizeof(u64), deadline_ticks);
}

void clint_software_set(const struct clint *clint, u64 hart, bool raised)
{
    mmio_write32(clint->base + CLINT_SOFTWARE + hart * sizeof(u32), raised);
}

u64 clint_time(const struct clint *clint)
{
    return mmio_read64(clint->base + CLINT_TIME);
}
