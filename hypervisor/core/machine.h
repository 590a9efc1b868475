/* SPDX-License-Identifier: MIT */
/*
 * What the machine is made of, as its device tree says. Filled in once by the boot hart, then
 * constant.
 */
#pragma once

#include "types.h"

enum {
    HARTS_MAX = 64,
    MACHINE_ISA_BYTES = 1024,
    MACHINE_DISKS_MAX = 8,
    NS_PER_SECOND = 1000000000,
};

struct machine {
    char model[64];
    char isa[MACHINE_ISA_BYTES]; /* of the first hart listed; cut short if longer, which cpu_refuse
                                    refuses */
    u32 hart_count;
    u64 hart_ids[HARTS_MAX];
    u64 memory_base;
    u64 memory_bytes;
    u64 timebase_hz;
    u64 uart_base;
    u32 uart_interrupt;
    u32 uart_shift;    /* log2 of the distance of its registers */
    u32 uart_io_width; /* bytes of an access */
    u64 clint_base;
    u64 plic_base;
    u32 plic_sources;
    u32 plic_contexts[HARTS_MAX]; /* of each hart in M-mode, in the order of hart_ids */
    u64 finisher_base;            /* 0 without one */
    u64 rtc_base;                 /* 0 without one */
    u64 wall_base_ns;             /* machine_wall_ns() of time 0; 0: it is not known */
    bool has_sstc;
    u32 disk_slots; /* places for virtio devices, by rising address */
    struct {
        u64 base;
        u32 interrupt;
    } disks[MACHINE_DISKS_MAX];
};

extern struct machine machine;

/* Of a time, or a span, in units of timebase_hz. */
static inline u64 machine_ns(u64 ticks)
{
    u64 seconds = ticks / machine.timebase_hz, rest = ticks % machine.timebase_hz;

    return seconds * NS_PER_SECOND + rest * NS_PER_SECOND / machine.timebase_hz;
}

/* Nanoseconds since 1970 (UTC) at a time of arch_time_now(); 0: they are not known. */
static inline u64 machine_wall_ns(u64 ticks)
{
    return machine.wall_base_ns == 0 ? 0 : machine.wall_base_ns + machine_ns(ticks);
}
