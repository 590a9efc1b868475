/* SPDX-License-Identifier: MIT */
/*
 * The time of a flood, for paravirtual guests.
 */
#pragma once

#include "flood_times.h"
#include "guest.h"

static inline u64 flood_time(u64 ms)
{
    return ms * start->timebase_hz / MS_A_SECOND;
}
