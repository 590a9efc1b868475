/* SPDX-License-Identifier: MIT */
/* What the device tree says of the machine, and the drivers of the bare machine. */
#pragma once

#include "kernel/cpu.h"
#include "platform.h"
#include "types.h"

enum machine_limits {
    MACHINE_DISKS_MAX = 8,
    MACHINE_HART_LIMIT = 64, /* those with higher numbers are left alone: masks are one word */
};

struct machine {
    u64 harts[CPU_COUNT_MAX]; /* by CPU; the boot's first */
    u32 hart_count;
    pa_t uart;
    u32 uart_interrupt;
    pa_t plic;
    pa_t rtc;         /* 0: there is none */
    u32 plic_context; /* of the boot hart's supervisor mode */
    struct {
        pa_t base;
        u32 interrupt;
    } disk_slots[MACHINE_DISKS_MAX]; /* where a virtio device may be */
    u32 disk_slot_count;
    bool sstc; /* this hart has stimecmp; else the firmware has the timer */
};

/* Read the device tree at `tree` into *info (all but what the platform reserves of itself) and
 *machine. Returns the tree's size, or 0 if it is damaged or lacks something. */
MUST_CHECK u64 machine_read(const void *tree, u64 hart, struct plat_info *info,
                            struct machine *machine);

/* What is known of the machine, since plat_init(). */
extern struct machine this_machine;

/* A device's register in the direct map. */
static inline volatile void *machine_device(pa_t address)
{
    return (volatile void *)(address + PLAT_DIRECT_MAP_OFFSET);
}

void uart_init(pa_t base);
/* How many bytes the port took in a bounded time. */
size_t uart_write(const char *text, size_t bytes);
void uart_enable_interrupt(void);
void uart_interrupt(void);

/* Find the virtio disks and tell of them (block_register); one of their interrupts. */
void disk_init(const struct machine *machine);
void disk_interrupt(u32 source);

/* Let no source interrupt this hart; let one; which source does, 0: none; done with it. */
void plic_init(pa_t base, u32 context);
void plic_enable(u32 source);
u32 plic_claim(void);
void plic_complete(u32 source);
