/* SPDX-License-Identifier: MIT */
/*
 * When a flood rises and ebbs, by the `time` counter: one clock for both VMs (flood.c,
 * fair_share.c). The first milliseconds are for building them; then the neighbour has the hart for
 * itself for a while.
 */
#pragma once

enum {
    FLOOD_BEGIN_MS = 80,
    FLOOD_END_MS = 300,
    MS_A_SECOND = 1000,
};
