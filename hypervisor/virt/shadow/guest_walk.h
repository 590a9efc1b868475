/* SPDX-License-Identifier: MIT */
/*
 * What an address means to an unmodified guest: its own tables, walked in software as its processor
 * would walk them (privileged specification 1.12, sections 4.3 and 4.4), the A and D bits included.
 */
#pragma once

#include "mem/addr.h"
#include "sv39.h"

struct vm;

/* Who accesses how. */
struct guest_access {
    u64 right;   /* SV39_R, SV39_W or SV39_X */
    u64 status;  /* sstatus, of which SUM and MXR matter */
    bool kernel; /* S-mode, else U-mode */
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
    bool remembered;             /* they are those of the remembered way */
};

enum { GUEST_SPAN_SHIFT = FRAME_SHIFT + SV39_INDEX_BITS }; /* of what a lowest table translates */

/* What is remembered of the guest's tables and code until its next fence at most. All zero:
 * nothing.
 */
struct guest_memo {
    struct guest_path { /* to a lowest table, while those above it cannot change unnoticed */
        u64 satp;
        u64 span;     /* the number of the 2 MiB that it translates */
        u64 *entries; /* NULL: none */
        u64 tables[SV39_ROOT_LEVEL];
    } path;
    struct guest_code { /* the page that was fetched from last */
        u64 satp;
        u64 page;        /* guest-virtual */
        const u8 *bytes; /* NULL: none */
        bool kernel;
    } code;
};

static inline void guest_memo_forget(struct guest_memo *memo)
{
    memo->path.entries = NULL;
    memo->code.bytes = NULL;
}

/*
 * Translates an address under the guest's satp, setting A, and D for a write, in its leaf. Guest
 * memory is read once a level; not at all above the lowest table if `path` knows it. In the VM's
 * turn.
 */
MUST_CHECK enum guest_walk_result guest_walk(const struct vm *vm, const struct guest_path *path,
                                             u64 satp, gva_t address,
                                             const struct guest_access *access,
                                             struct guest_translation *found);

/* Copies an instruction's 2 or 4 bytes from the guest's code; false when they cannot be fetched. */
MUST_CHECK bool guest_fetch(struct vm *vm, struct guest_memo *memo, u64 satp, u64 pc, bool kernel,
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

#define GUEST_ENTRY_RESERVED (~0UL << 54)

/* Whether an entry above level 0 names a table. */
static inline bool guest_entry_links(u64 entry)
{
    return (entry & (GUEST_ENTRY_RESERVED | SV39_V | SV39_R | SV39_W | SV39_X | SV39_U | SV39_A |
                     SV39_D)) == SV39_V;
}

/* Whether an entry would stop any walk: not valid, reserved bits, a superpage that is not aligned.
 */
static inline bool guest_entry_bad(u64 entry, u32 level)
{
    if ((entry & SV39_V) == 0 || (entry & (SV39_R | SV39_W)) == SV39_W ||
        (entry & GUEST_ENTRY_RESERVED) != 0)
        return true;
    if (sv39_is_leaf(entry))
        return (sv39_frame(entry) & ((1UL << (SV39_INDEX_BITS * level)) - 1)) != 0;
    return level == 0 || !guest_entry_links(entry);
}
