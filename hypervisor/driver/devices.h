/* SPDX-License-Identifier: MIT */
/*
 * The machine's own devices together: found in the device tree, started, their interrupts handed
 * out.
 */
#pragma once

#include "fdt.h"

#include "core/machine.h"

struct vm;

/* Fills in the devices' part of `found`; what the tree does not list stays 0. Needs
 * found->hart_ids. */
void devices_find(struct machine *found, const struct fdt *tree);

/*
 * Starts UART, PLIC, CLINT and finisher of a machine that has at least a UART, and the console on
 * them. Devices' interrupts go to `hart_id`. Called once, by that hart.
 */
void drivers_init(const struct machine *m, u64 hart_id);

/* Starts the disks as well, whose queues need memory: after frame_init. */
void drivers_init_disks(const struct machine *m);

/* The machine external interrupt of the hart given to drivers_init: serves the devices that wait.
 * Bounded. Returns the VM for which it was, or NULL. */
struct vm *device_interrupt(void);

/* Powers the machine off with that status (0: success). Without a finisher it does nothing; with
   one it may still return for a moment. */
void machine_stop(u32 status);
