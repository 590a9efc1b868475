/* SPDX-License-Identifier: MIT */
/*
 * What keeps a hypervisor with shadow page tables busy longest: tables that are read at three
 * levels and in three ways, all changed before one fence; tables with all entries in use that are
 * given up; requests to the disk cut into single bytes, over the tables in use. tests/system/
 * test_stay.py measures; here only what is read back is judged.
 */
#include "bare.h"
#include "disk.h"

#include "string.h"

enum {
    PLACE = 0x40000000,
    MANY = 16, /* tables out of step */
    SELF = 3,  /* each table's entry that names it */
    ROUNDS = 3,
    PIECES = SLOTS - 2,
};

/* ---- tables at three levels ---- */

static u64 place_at(u64 level, u64 index)
{
    u64 address = index << (PAGE_SHIFT + 9 * level);

    for (u64 above = level + 1; above < LEVELS; above++)
        address |= (u64)SELF << (PAGE_SHIFT + 9 * above);
    return (u64)((i64)(address << 25) >> 25);
}

/* All of its entries are a leaf at each level, but for the one that names itself. */
static u64 *mirror_make(void)
{
    u64 *table = space_make();

    for (u32 i = SELF + 1; i < TABLE_WORDS; i++)
        table[i] = entry_of((void *)RAM_BASE, PTE_ALL | (i & 1 ? PTE_U : 0));
    table[SELF] = entry_of(table, PTE_V);
    user_code_map(table);
    return table;
}

static void touch_all(u64 step)
{
    for (u64 level = 0; level < LEVELS; level++) {
        for (u64 i = SELF + 1; i < TABLE_WORDS; i += step) {
            (void)load_cause(place_at(level, i), NULL);
            csr_on(sstatus, SSTATUS_SUM);
            (void)load_cause(place_at(level, i), NULL);
            (void)load_cause(place_at(level, i + 1), NULL);
            csr_off(sstatus, SSTATUS_SUM);
        }
    }
    for (u64 level = 0; level < LEVELS; level++)
        (void)user_load_cause(place_at(level, SELF + 2), NULL);
}

static void mirrors_make(u64 **tables, u64 step)
{
    for (u32 i = 0; i < MANY; i++) {
        space_use(tables[i], i + 1);
        touch_all(step);
    }
}

static void change_all(u64 **tables, u64 round)
{
    for (u32 i = 0; i < MANY; i++)
        tables[i][500] = round & 1 ? 0 : entry_of((void *)RAM_BASE, PTE_ALL);
}

static void tables_make(u64 **tables, u32 count)
{
    for (u32 i = 0; i < count; i++)
        tables[i] = mirror_make();
}

static void fences_over_many_mirrors(void)
{
    u64 *tables[MANY + 1], wrong = 0;

    tables_make(tables, MANY + 1);
    for (u64 round = 0; round < ROUNDS; round++) {
        mirrors_make(tables, round == 0 ? 4 : 64);
        change_all(tables, round);
        fence_page(place_at(0, 500));
        change_all(tables, round + 1);
        fence_all();
        change_all(tables, round);
        csr_put(satp, SATP_SV39 | 77UL << 44 | (u64)tables[0] >> PAGE_SHIFT);
        change_all(tables, round + 1);
        tables[MANY][500] = 0;
        (void)sbi(SBI_RFENCE, 1, 1, 0, 0, ~0UL, 0);
        wrong += load_cause(place_at(0, 500), NULL) != (round & 1 ? 0 : CAUSE_LOAD_PAGE);
    }
    expect_none("many tables with many shadows", wrong);
}

/* ---- tables that are given up ---- */

/* As a root, with every entry a link; and in the middle of another space, which forgets it. */
static void full_tables_given_up(void)
{
    u64 *all = space_make(), *full = space_make(), *below = page_take(), wrong = 0;

    for (u32 i = 4; i < TABLE_WORDS; i++)
        full[i] = entry_of(below, PTE_V);
    for (u32 i = 0; i < TABLE_WORDS; i++)
        below[i] = entry_of(below, i & 1 ? PTE_V : PTE_DATA);
    for (u64 round = 0; round < ROUNDS; round++) {
        space_use(full, 1);
        for (u64 i = 4; i < TABLE_WORDS; i++) {
            (void)load_cause(place_at(2, i), NULL);
            csr_on(sstatus, SSTATUS_SUM);
            (void)load_cause(place_at(2, i), NULL);
            csr_off(sstatus, SSTATUS_SUM);
        }
        all[5] = entry_of(full, PTE_V);
        space_use(all, 2);
        for (u64 i = 4; i < TABLE_WORDS; i++) {
            (void)load_cause(5 * GIGAPAGE_BYTES + i * MEGAPAGE_BYTES, NULL);
            csr_on(sstatus, SSTATUS_SUM);
            (void)load_cause(5 * GIGAPAGE_BYTES + i * MEGAPAGE_BYTES, NULL);
            csr_off(sstatus, SSTATUS_SUM);
        }
        all[5] = 0;
        fence_all();
        full[4] = entry_of(below, PTE_V); /* nobody uses its shadows */
        wrong += load_cause(5 * GIGAPAGE_BYTES, NULL) != CAUSE_LOAD_PAGE;
    }
    expect_none("tables that nobody uses are data", wrong);
}

/* ---- many spaces, all rights ---- */

static void switches_and_rights(void)
{
    u64 *roots[MANY], wrong = 0;

    for (u32 i = 0; i < MANY; i++)
        roots[i] = space_make();
    for (u64 i = 0; i < 400; i++) {
        csr_put(satp, SATP_SV39 | (i * 37 & 0xffff) << 44 | (u64)roots[i % MANY] >> PAGE_SHIFT);
        if (i % 8 == 0)
            csr_on(sstatus, SSTATUS_MXR);
        if (i % 8 == 4)
            csr_off(sstatus, SSTATUS_MXR);
        wrong += *(volatile u64 *)roots[0] == 0;
    }
    expect_none("unknown spaces", wrong);
}

/* ---- the disk ---- */

/* One request: `pieces` buffers of `bytes` each, the last of them with the rest of `all`. */
static bool transfer(u32 type, const void *to, u32 pieces, u32 bytes, u32 all)
{
    u16 direction = type == TYPE_OUT ? 0 : WRITABLE;

    request_describe(type, 0, 0);
    descriptors[0].next = 1;
    for (u32 i = 0; i < pieces; i++)
        describe(1 + i, (const u8 *)to + (u64)i * bytes, i + 1 < pieces ? bytes : all - i * bytes,
                 (u16)(NEXT | direction));
    describe(1 + pieces, &status, 1, WRITABLE);
    offer(0);
    return wait_used() && status == 0;
}

/* Sectors that are written over the root in use, as it is. */
static void disk_over_tables(void)
{
    u64 *root = space_make(), *copy = page_take(), wrong = 0;

    if (disk_get(REG_DEVICE) != DEVICE_BLOCK)
        return;
    disk_start();
    space_use(root, 1);
    memcpy(copy, root, PAGE_BYTES);
    for (u32 round = 0; round < ROUNDS; round++) {
        wrong += !transfer(TYPE_OUT, root, 1, PAGE_BYTES, PAGE_BYTES);
        wrong += !transfer(TYPE_IN, root, 1, PAGE_BYTES, PAGE_BYTES);
        wrong += !transfer(TYPE_IN, root, PIECES, 1, SECTOR_BYTES);
        wrong += !transfer(TYPE_IN, root, PIECES, 1, PAGE_BYTES);
        wrong += !transfer(TYPE_IN, root, PIECES, 67, PAGE_BYTES);
        wrong += !transfer(TYPE_OUT, root, PIECES, 1, PAGE_BYTES);
        wrong += memcmp(root, copy, PAGE_BYTES) != 0;
    }
    wrong += !transfer(TYPE_IN, page_take(), 1, PAGE_BYTES, PAGE_BYTES);
    expect_none("a request in pieces, over the tables in use", wrong);
}

static const struct attack attacks[] = {
    {"fences-over-many-mirrors", fences_over_many_mirrors},
    {"full-tables-given-up", full_tables_given_up},
    {"switches-and-rights", switches_and_rights},
    {"disk-over-tables", disk_over_tables},
};

void bare_main(void)
{
    attacks_make(attacks, ARRAY_SIZE(attacks));
}
