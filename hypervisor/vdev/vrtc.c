/* SPDX-License-Identifier: MIT */
/*
 * The clock's model: see vrtc.h.
 */
#include "vdev/vrtc.h"

enum rtc_register {
    RTC_TIME_LOW = 0x0,
    RTC_TIME_HIGH = 0x4,
    WORD_BITS = 32,
};

static bool rtc_read(void *device, u64 offset, u32 bytes, u64 *value)
{
    struct vrtc *rtc = device;

    *value = 0;
    if (offset == RTC_TIME_LOW) {
        *value = rtc->now_ns();
        rtc->high = (u32)(*value >> WORD_BITS);
    } else if (offset == RTC_TIME_HIGH) {
        *value = rtc->high;
    }
    return bytes == sizeof(u32);
}

static bool rtc_write(void *device, u64 offset, u32 bytes, u64 value)
{
    (void)device;
    (void)offset;
    (void)value;
    return bytes == sizeof(u32);
}

const struct vdev_ops vrtc_ops = {.read = rtc_read, .write = rtc_write};
