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

/* What the guest does, in the space of that root (a table by its number) and identifier, its user
 * or its kernel. */
extern u32 guest_root, guest_space;
extern bool guest_is_user;

u64 guest_satp(void);
void guest_enter(u32 root, u32 space);
void guest_fence(void);

/* One access through what the hardware has, with the faults that it raises on the way. The leaf
 * that it went by, or 0. */
u64 guest_go(gva_t address, u64 right);

/* Its kernel writes a table's entry as QEMU's would: through a mapping of the table, of which the
 * shadow sees only that it is written. */
void guest_write(u32 table, u32 index, u64 value);

/* A new machine whose guest's user has one page, at 0: root 0 -> table 3 -> table 4 -> page. It has
 * written to it, and goes on as the user. */
void guest_with_one_page(void);

void audit_holds(void);
