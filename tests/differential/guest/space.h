/* SPDX-License-Identifier: MIT */
/*
 * The two address spaces of a program: their tables as it finds them, what it may write into them,
 * and the fence that the architecture then requires (privileged
 * specification 1.12, 4.2.1, 4.3, 4.4).
 *
 * What a program may do is bounded by its plan, so that no two translations of an address can be
 * cached at once where the architecture leaves open which one is used.
 */
#pragma once

#include "code.h"
#include "machine.h"
#include "random.h"

struct plan {
    bool aliases; /* tables are linked twice: fences after a change of one are for all addresses */
    bool globals; /* entries may have G: all fences are for all spaces, and follow each satp too */
    bool shared;  /* the second space has the first one's tables: fences are for all spaces */
    u16 asid[SPACES];
};

enum pte_bits {
    PTE_V = 1 << 0,
    PTE_R = 1 << 1,
    PTE_W = 1 << 2,
    PTE_X = 1 << 3,
    PTE_U = 1 << 4,
    PTE_G = 1 << 5,
    PTE_A = 1 << 6,
    PTE_D = 1 << 7,
    PTE_FLAGS = (1 << 8) - 1,
    PTE_PPN_SHIFT = 10,
    PTE_SOFTWARE_SHIFT = 8,
    PTE_RESERVED_SHIFT = 54,
};

enum space_table {
    TABLE_ROOT = 0,
    TABLE_MIDDLE = 1,
    TABLE_SMALL = 2,
    TABLE_SECOND = 3,
};

/* One entry of a space's tables that programs change. */
struct place {
    u32 space;
    enum space_table table;
    u32 index;
};

void plan_make(struct plan *plan, struct random *random);

/* The tables of both spaces, anew. */
void space_reset(const struct plan *plan, struct random *random);

u64 space_satp(const struct plan *plan, u32 space);

struct place place_pick(struct random *random);
u64 place_address(const struct place *place); /* physical */
/* Something to write there: legal or not. */
u64 place_value(const struct place *place, const struct plan *plan, struct random *random);

/* The fence after such a change. rs1 and rs2 are registers to use. */
void place_fence(const struct place *place, const struct plan *plan, struct random *random,
                 struct code *code, u32 rs1, u32 rs2);
/* The fence, if one is needed, after satp was written. */
void satp_fence(const struct plan *plan, struct random *random, struct code *code);
