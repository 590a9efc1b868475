/* SPDX-License-Identifier: MIT */
/*
 * The test finisher: see finisher.h.
 */
#include "driver/finisher.h"

#include "driver/mmio.h"

enum finisher_code {
    FINISHER_FAIL = 0x3333,
    FINISHER_PASS = 0x5555,
    FINISHER_STATUS_SHIFT = 16,
};

void finisher_init(struct finisher *finisher, uintptr_t base)
{
    finisher->base = base;
}

void finisher_poweroff(const struct finisher *finisher, u32 status)
{
    mmio_write32(finisher->base,
                 status == 0 ? FINISHER_PASS : FINISHER_FAIL | status << FINISHER_STATUS_SHIFT);
}
