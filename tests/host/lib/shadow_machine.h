/* SPDX-License-Identifier: MIT */
/*
 * A machine with one unmodified guest, of which there is its memory and the shadows of its tables,
 * and nothing else: what tests of shadow page tables start from.
 */
#pragma once

#include "types.h"

struct vm;
struct vcpu;

extern struct vm *vm;
extern struct vcpu *vcpu;

/* A new one in place of the last, without translation. */
void machine_make(void);

/* A frame of the guest's by its number, and its words. */
u64 guest_frame(u32 n);
u64 *guest_table(u32 n);
