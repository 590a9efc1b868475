/* SPDX-License-Identifier: MIT */
/*
 * The test finisher's model: see vfinisher.h.
 */
#include "vdev/vfinisher.h"

enum finisher_code {
    FINISHER_FAIL = 0x3333,
    FINISHER_PASS = 0x5555,
    FINISHER_RESET = 0x7777,
    FINISHER_CODE_MASK = 0xffff,
    FINISHER_STATUS_SHIFT = 16,
};

static bool width_allowed(u32 bytes)
{
    return bytes == sizeof(u16) || bytes == sizeof(u32);
}

static bool finisher_read(void *device, u64 offset, u32 bytes, u64 *value)
{
    (void)device;
    (void)offset;
    *value = 0;
    return width_allowed(bytes);
}

static bool finisher_write(void *device, u64 offset, u32 bytes, u64 value)
{
    const struct vfinisher *finisher = device;
    u32 status = (u32)value >> FINISHER_STATUS_SHIFT;

    if (!width_allowed(bytes))
        return false;
    if (offset != 0)
        return true;
    switch (value & FINISHER_CODE_MASK) {
    case FINISHER_PASS:
        finisher->finish(finisher->context, VFINISHER_PASS, 0);
        break;
    case FINISHER_FAIL:
        finisher->finish(finisher->context, VFINISHER_FAIL, status);
        break;
    case FINISHER_RESET:
        finisher->finish(finisher->context, VFINISHER_RESET, 0);
        break;
    default:
        break;
    }
    return true;
}

const struct vdev_ops vfinisher_ops = {.read = finisher_read, .write = finisher_write};
