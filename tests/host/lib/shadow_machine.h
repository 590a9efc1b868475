/* SPDX-License-Identifier: MIT */
/*
 * A machine with one unmodified guest, of which there is its memory and the shadows of its tables,
 * and nothing else: what tests of shadow page tables start from.
 */
#pragma once

#include "mem/addr.h"
#include "types.h"

struct guest_translation;
struct vm;
struct vcpu;

extern struct vm *vm;
extern struct vcpu *vcpu;

/* A new one in place of the last, without translation. And another guest, which `vm` and `vcpu` are
 * from then on. */
void machine_make(void);
void machine_add(void);

/* A frame of the guest's by its number, and its words. */
u64 guest_frame(u32 n);
u64 *guest_table(u32 n);

/* The first `roots` of its tables show its kernel all memory, in their last quarter. */
void windows_make(u32 roots);

/* A hidden fault. */
void fill(gva_t address, const struct guest_translation *found, bool write);

void audit_holds(void);
