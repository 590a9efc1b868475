/* SPDX-License-Identifier: MIT */
/*
 * The core-local interruptor (SiFive CLINT): for each hart a timer compare register and a software
 * interrupt. One in a machine. Any hart may call anything, for any hart; harts go by their hardware
 * ids.
 */
#pragma once

#include "types.h"

void clint_init(uintptr_t base);

/* Machine timer interrupt of that hart when the time counter reaches `deadline_ticks`; all ones:
 * none. */
void clint_set_timer(u64 hart_id, u64 deadline_ticks);

/* Raises and takes back the machine software interrupt of that hart. */
void clint_send_ipi(u64 hart_id);
void clint_clear_ipi(u64 hart_id);
