/* SPDX-License-Identifier: MIT */
/*
 * What an address means to an unmodified guest: its own tables, walked in software as its processor
 * would walk them (privileged specification 1.12, sections 4.3 and 4.4), the A and D bits included.
 */
#pragma once

#include "mem/addr.h"
#include "sv39.h"

struct vm;

/* Who accesses how, and what of sstatus matters to that. */
struct guest_access {
    u64 right;   /* SV39_R, SV39_W or SV39_X */
    bool kernel; /* S-mode, else U-mode */
    bool sum;
    bool mxr;
};

/* Why there is no translation; the numbers are those of loads, and differ for the other accesses.
 */
enum guest_walk_result {
    GUEST_WALK_OK = 0,
    GUEST_WALK_PAGE_FAULT = 1,
    GUEST_WALK_ACCESS_FAULT = 2, /* a table lies where no memory is */
};

struct guest_translation {
    gpa_t physical;
    u32 level;                   /* of the leaf: 0 for a page */
    u64 leaf;                    /* its flags, after the walk has set A and D */
    u64 tables[SV39_ROOT_LEVEL]; /* guest frames of the tables below the root, by level; valid from
                                    the leaf's level up */
};

/*
 * Translates an address under the guest's satp, setting A, and D for a write, in its leaf. Guest
 * memory is read once a level. In the VM's turn.
 */
MUST_CHECK enum guest_walk_result guest_walk(struct vm *vm, u64 satp, gva_t address,
                                             const struct guest_access *access,
                                             struct guest_translation *found);

/* The page of code that was fetched from last, until the guest's next fence. */
struct guest_code {
    u64 satp;
    u64 page;        /* guest-virtual */
    const u8 *bytes; /* NULL: none */
    bool kernel;
};

/* Copies an instruction's 2 or 4 bytes from the guest's code; false when they cannot be fetched. */
MUST_CHECK bool guest_fetch(struct vm *vm, struct guest_code *code, u64 satp, u64 pc, bool kernel,
                            u32 *word);

/* Where one entry of a guest's table stands in machine memory; NULL: not in the VM's memory. */
u64 *guest_table_entry(const struct vm *vm, u64 frame, u32 index);

/* What a valid leaf's rights are, as a table of the hardware's may show them: R W X U, without W
   while D is clear, and nothing while A is. */
static inline u64 guest_leaf_rights(u64 entry)
{
    u64 rights = entry & (SV39_R | SV39_W | SV39_X | SV39_U);

    if ((entry & SV39_A) == 0)
        return 0;
    return entry & SV39_D ? rights : rights & ~(u64)SV39_W;
}

/* Whether an entry would stop any walk: not valid, reserved bits, a superpage that is not aligned.
 */
static inline bool guest_entry_bad(u64 entry, u32 level)
{
    enum { RESERVED_SHIFT = 54 };

    if ((entry & SV39_V) == 0 || (entry & (SV39_R | SV39_W)) == SV39_W ||
        entry >> RESERVED_SHIFT != 0)
        return true;
    if (sv39_is_leaf(entry))
        return (sv39_frame(entry) & ((1UL << (SV39_INDEX_BITS * level)) - 1)) != 0;
    return level == 0 || (entry & (SV39_U | SV39_A | SV39_D)) != 0;
}
