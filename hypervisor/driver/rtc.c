/* SPDX-License-Identifier: MIT */
/*
 * The wall clock: see rtc.h.
 */
#include "driver/rtc.h"

#include "driver/mmio.h"

enum rtc_register {
    RTC_TIME_LOW = 0x0, /* to be read first: the other word then belongs to it */
    RTC_TIME_HIGH = 0x4,
    WORD_BITS = 32,
};

u64 rtc_read_ns(uintptr_t base)
{
    u64 low = mmio_read32(base + RTC_TIME_LOW);

    return (u64)mmio_read32(base + RTC_TIME_HIGH) << WORD_BITS | low;
}
