/* SPDX-License-Identifier: MIT */
#include "space.h"

#include "string.h"

#define SATP_SV39 (8UL << 60)
#define PTE_ALL ((u64)(PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D))
#define NOWHERE_PHYSICAL 0x300000000UL

enum { SATP_ASID_SHIFT = 44 };

static u64 table_address(u32 space, enum space_table table)
{
    return area_address(AREA_TABLES + space * SPACE_TABLES + (u32)table);
}

static u64 *table_entries(u32 space, enum space_table table)
{
    return (u64 *)table_address(space, table);
}

static u64 entry_make(u64 physical, u64 bits)
{
    return physical >> PAGE_SHIFT << PTE_PPN_SHIFT | bits;
}

void plan_make(struct plan *plan, struct random *random)
{
    u64 asids = random_bits(random);

    *plan = (struct plan){
        .aliases = random_percent(random, 40),
        .globals = random_percent(random, 30),
        .shared = random_percent(random, 25),
        .asid = {(u16)asids, (u16)(asids >> 16)},
    };
    if (random_percent(random, 25))
        plan->asid[1] = plan->asid[0];
}

u64 space_satp(const struct plan *plan, u32 space)
{
    return SATP_SV39 | (u64)plan->asid[space] << SATP_ASID_SHIFT |
           table_address(space, TABLE_ROOT) >> PAGE_SHIFT;
}

/* ---- entries ---- */

static u64 leaf_bits(const struct plan *plan, struct random *random)
{
    static const u8 rights[] = {PTE_R,         PTE_R | PTE_W,         PTE_R | PTE_W,        PTE_X,
                                PTE_R | PTE_X, PTE_R | PTE_W | PTE_X, PTE_R | PTE_W | PTE_X};
    u64 bits = PTE_V | rights[random_below(random, ARRAY_SIZE(rights))];

    if (random_percent(random, 50))
        bits |= PTE_U;
    if (random_percent(random, 70))
        bits |= PTE_A;
    if (random_percent(random, 60))
        bits |= PTE_D;
    if (plan->globals && random_percent(random, 30))
        bits |= PTE_G;
    if (random_percent(random, 20))
        bits |= (u64)random_below(random, 4) << PTE_SOFTWARE_SHIFT;
    return bits;
}

/* Now and then one of the things that stop a walk. */
static u64 leaf_spoilt(u64 entry, struct random *random)
{
    if (!random_percent(random, 20))
        return entry;
    switch (random_below(random, 5)) {
    case 0:
        return entry & ~(u64)PTE_V;
    case 1:
        return (entry & ~(u64)(PTE_R | PTE_X)) | PTE_W;
    case 2:
        return (entry & ~(u64)PTE_R) | PTE_W;
    case 3:
        return entry | BIT(PTE_RESERVED_SHIFT + random_below(random, 10));
    default:
        return 0;
    }
}

static u64 small_leaf(const struct plan *plan, struct random *random)
{
    u32 what = random_below(random, 100);
    u64 target = area_address(AREA_DATA + random_below(random, DATA_PAGES));
    u64 bits = leaf_bits(plan, random);

    if (what < 10) {
        target = area_address(AREA_TABLES + random_below(random, SPACES * SPACE_TABLES));
        bits &= ~(u64)PTE_X; /* tables are never run */
    } else if (what < 15) {
        target = NOWHERE_PHYSICAL;
        bits &= ~(u64)PTE_X; /* QEMU ends where an instruction begins in memory and goes on there */
    } else if (what < 18) {  /* a link where no table can be: nothing of R, W and X */
        return entry_make(target, PTE_V | (random_percent(random, 50) ? PTE_A : 0));
    }
    return leaf_spoilt(entry_make(target, bits), random);
}

static u64 large_leaf(u64 target, u32 pages, const struct plan *plan, struct random *random)
{
    u64 misaligned = random_percent(random, 8) ? 1 + random_below(random, pages - 1) : 0;

    return leaf_spoilt(entry_make(target + (misaligned << PAGE_SHIFT), leaf_bits(plan, random)),
                       random);
}

static u64 code_leaf(u32 page, const struct plan *plan, struct random *random)
{
    u64 bits = PTE_V | PTE_X | PTE_U | PTE_A;

    if (random_percent(random, 10))
        bits = (leaf_bits(plan, random) & PTE_FLAGS & ~(u64)PTE_W) | PTE_X;
    if (random_percent(random, 50))
        bits |= PTE_R;
    if (random_percent(random, 20))
        bits &= ~(u64)PTE_A;
    return entry_make(area_address(AREA_CODE + page), bits);
}

static u64 link_entry(u64 table, struct random *random)
{
    static const u16 wrong[] = {PTE_U, PTE_A, PTE_D, PTE_W};
    u64 entry = entry_make(table, PTE_V);

    if (!random_percent(random, 15))
        return random_percent(random, 20) ? entry | 3UL << PTE_SOFTWARE_SHIFT : entry;
    switch (random_below(random, 3)) {
    case 0:
        return entry & ~(u64)PTE_V;
    case 1:
        return entry | wrong[random_below(random, ARRAY_SIZE(wrong))];
    default:
        return entry | BIT(PTE_RESERVED_SHIFT + random_below(random, 10));
    }
}

/* ---- tables ---- */

static void space_make(u32 space, const struct plan *plan, struct random *random)
{
    u64 *root = table_entries(space, TABLE_ROOT), *middle = table_entries(space, TABLE_MIDDLE);
    u64 *small = table_entries(space, TABLE_SMALL), *second = table_entries(space, TABLE_SECOND);
    u64 below = table_address(plan->shared ? 0 : space, TABLE_MIDDLE);

    root[ROOT_IDENTITY] = entry_make(MEMORY_BASE, PTE_ALL | (plan->globals ? PTE_G : 0));
    root[ROOT_SMALL] = entry_make(below, PTE_V);
    root[ROOT_HUGE] = large_leaf(MEMORY_BASE, TABLE_ENTRIES, plan, random);
    if (plan->aliases)
        root[ROOT_HIGH] = root[ROOT_SMALL];
    middle[0] = entry_make((u64)small, PTE_V);
    middle[1] = entry_make((u64)second, PTE_V);
    middle[MIDDLE_LARGE] = large_leaf((u64)area, TABLE_ENTRIES, plan, random);
    if (plan->aliases)
        middle[MIDDLE_AGAIN] = middle[0];
    for (u32 i = 0; i < SMALL_PAGES; i++) {
        small[i] = small_leaf(plan, random);
        second[i] = small_leaf(plan, random);
    }
    for (u32 i = 0; i < CODE_PAGES; i++)
        small[CODE_ENTRY + i] = code_leaf(i, plan, random);
}

void space_reset(const struct plan *plan, struct random *random)
{
    memset(area + AREA_TABLES * PAGE_BYTES, 0, SPACES * SPACE_TABLES * PAGE_BYTES);
    for (u32 space = 0; space < SPACES; space++)
        space_make(space, plan, random);
}

struct place place_pick(struct random *random)
{
    struct place place = {.space = random_below(random, SPACES)};
    u32 what = random_below(random, 100);

    if (what < 35) {
        place.table = TABLE_SMALL;
        place.index = random_below(random, SMALL_PAGES);
    } else if (what < 65) {
        place.table = TABLE_SECOND;
        place.index = random_below(random, SMALL_PAGES);
    } else if (what < 70) {
        place.table = TABLE_SMALL;
        place.index = CODE_ENTRY + random_below(random, CODE_PAGES);
    } else if (what < 80) {
        place.table = TABLE_MIDDLE;
        place.index = MIDDLE_LARGE;
    } else if (what < 85) {
        place.table = TABLE_ROOT;
        place.index = ROOT_HUGE;
    } else {
        place.table = TABLE_MIDDLE;
        place.index = random_below(random, 2);
    }
    return place;
}

u64 place_address(const struct place *place)
{
    return table_address(place->space, place->table) + place->index * sizeof(u64);
}

static bool place_is_link(const struct place *place)
{
    return place->table == TABLE_MIDDLE && place->index != MIDDLE_LARGE;
}

u64 place_value(const struct place *place, const struct plan *plan, struct random *random)
{
    if (place->table == TABLE_ROOT)
        return large_leaf(MEMORY_BASE, TABLE_ENTRIES, plan, random);
    if (place->table == TABLE_MIDDLE && place->index == MIDDLE_LARGE)
        return large_leaf((u64)area, TABLE_ENTRIES, plan, random);
    if (place_is_link(place)) {
        /* Either of the two tables of pages, or a leaf in a table's place. */
        if (random_percent(random, 15))
            return large_leaf((u64)area, TABLE_ENTRIES, plan, random);
        return link_entry(table_address(place->space, TABLE_SMALL + random_below(random, 2)),
                          random);
    }
    if (place->table == TABLE_SMALL && place->index >= CODE_ENTRY)
        return code_leaf(place->index - CODE_ENTRY, plan, random);
    return small_leaf(plan, random);
}

/* Where the space shows what the entry maps, if only there. */
static u64 place_shown(const struct place *place, struct random *random)
{
    u64 offset = random_below(random, PAGE_BYTES);

    switch (place->table) {
    case TABLE_ROOT:
        return VA_HUGE + ((u64)random_below(random, TABLE_ENTRIES) << PAGE_SHIFT) + offset;
    case TABLE_MIDDLE:
        return VA_LARGE + ((u64)random_below(random, TABLE_ENTRIES) << PAGE_SHIFT) + offset;
    case TABLE_SMALL:
        return VA_SMALL + ((u64)place->index << PAGE_SHIFT) + offset;
    default:
        return VA_SECOND + ((u64)place->index << PAGE_SHIFT) + offset;
    }
}

void place_fence(const struct place *place, const struct plan *plan, struct random *random,
                 struct code *code, u32 rs1, u32 rs2)
{
    bool pages = place->table == TABLE_SMALL || place->table == TABLE_SECOND;
    /* What is linked may be linked in both places, by an edit: then for all addresses. */
    bool all = (plan->aliases && place->table != TABLE_ROOT) || place_is_link(place) || pages;
    bool spaces = plan->globals || plan->shared;

    if (pages && !plan->aliases && random_percent(random, 50)) {
        /* one address for each place where a link may show it */
        struct place other = *place;

        other.table = place->table == TABLE_SMALL ? TABLE_SECOND : TABLE_SMALL;
        code_constant(code, rs2, plan->asid[place->space]);
        code_constant(code, rs1, place_shown(place, random));
        code_sfence(code, rs1, spaces || random_percent(random, 50) ? 0 : rs2);
        code_constant(code, rs1, place_shown(&other, random));
        code_sfence(code, rs1, spaces || random_percent(random, 50) ? 0 : rs2);
        return;
    }
    if (!all && random_percent(random, 70))
        code_constant(code, rs1, place_shown(place, random));
    else
        rs1 = 0;
    if (!spaces && random_percent(random, 50))
        code_constant(code, rs2, plan->asid[place->space]);
    else
        rs2 = 0;
    code_sfence(code, rs1, rs2);
}

void satp_fence(const struct plan *plan, struct random *random, struct code *code)
{
    if (plan->globals || plan->asid[0] == plan->asid[1] || random_percent(random, 30))
        code_sfence(code, 0, 0);
}
