/* SPDX-License-Identifier: MIT */
/*
 * A model of TLBs, one a hart, that never forget anything until they are told to: every leaf and
 * every link that a walk has read stays. Real ones may keep any part of that for any time, so what
 * is wrong here can go wrong there.
 */
#pragma once

#include "mem/addr.h"

/* Translates as the hardware would, from what it remembers first. False: a page fault. */
bool tlb_translate(u16 space_id, mfn_t root, gva_t address, u64 *leaf);

/* sfence.vma on this hart with an address (leaves of one page, in all spaces), and without. */
void tlb_drop(gva_t page);
void tlb_drop_all(void);

/* Empties all. */
void tlb_reset(void);

/* How much they remember. */
u32 tlb_count(void);

/*
 * Checks what they remember of spaces that exist, where their vCPU may yet use it. Unsafe: a leaf
 * that maps a frame which its VM does not own, or the pool writable; a link to what is no table of
 * that level. Stale: differs from what the tables say now.
 */
struct tlb_verdict {
    u32 unsafe;
    u32 stale;
};
struct tlb_verdict tlb_check(void);

/* The same, for a caller who knows a quicker way from an identifier to the root that has it now, or
   MFN_NONE. */
struct tlb_verdict tlb_check_by(mfn_t (*find_root)(u16 space_id));
