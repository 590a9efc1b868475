/* SPDX-License-Identifier: MIT */
/*
 * The time of a flood, for paravirtual guests.
 */
#ifndef FLOOD_H
#define FLOOD_H

#include "flood_times.h"
#include "guest.h"

static inline u64 flood_time(u64 ms)
{
    return ms * start->timebase_hz / MS_A_SECOND;
}

#endif
