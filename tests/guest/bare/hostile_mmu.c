/* SPDX-License-Identifier: MIT */
/*
 * Games with page tables: garbage, loops, one table in many places, tables that are data and data
 * that are tables, thousands of spaces, changes out of step. Judged by rules written down here a
 * second time, and by what was written.
 */
#include "bare.h"

#include "string.h"

enum {
    PLACE = 0x40000000,
    GARBAGE_TABLES = 12,
    GARBAGE_ROUNDS = 24,
    PROBES = 24,
    MIDDLES = 128, /* tables that link one table, each with all of its entries */
    ROOTS = 8,
    SWITCHES = 3000,
    OUT_OF_STEP = 24,
    STEPS = 600,
};

/* ---- what the tables say, walked here ---- */

struct said {
    u64 cause; /* 0: `address` is what is accessed */
    u64 address;
    bool unknown; /* on the bare machine: what its firmware and its ROMs say */
};

static bool unknown_there(u64 address)
{
    return bare_machine && address < RAM_BASE + MEGAPAGE_BYTES;
}

/* `kind`: PTE_R or PTE_W, by the kernel. */
static struct said walk(const u64 *root, u64 address, u64 kind)
{
    u64 page_fault = kind == PTE_R ? CAUSE_LOAD_PAGE : CAUSE_STORE_PAGE;
    u64 access_fault = kind == PTE_R ? CAUSE_LOAD_ACCESS : CAUSE_STORE_ACCESS;
    u64 status = csr_get(sstatus), base = (u64)root;

    for (u32 level = LEVELS; level-- > 0;) {
        u64 shift = PAGE_SHIFT + 9 * level, entry;

        if (base < RAM_BASE || base >= bare_memory_end)
            return (struct said){access_fault, 0, bare_machine};
        if (unknown_there(base))
            return (struct said){0, 0, true};
        entry = ((const u64 *)base)[address >> shift & (TABLE_WORDS - 1)];
        if (!(entry & PTE_V) || ((entry & PTE_W) && !(entry & PTE_R)) || entry >> 54)
            break;
        base = entry >> 10 << PAGE_SHIFT;
        if (!(entry & (PTE_R | PTE_X))) {
            if (entry & (PTE_U | PTE_A | PTE_D))
                break;
            continue;
        }
        if (base & (BIT(shift) - 1))
            break;
        if ((entry & PTE_U) && !(status & SSTATUS_SUM))
            break;
        if (!(entry & kind) && !(kind == PTE_R && (entry & PTE_X) && (status & SSTATUS_MXR)))
            break;
        base |= address & (BIT(shift) - 1);
        if (base < RAM_BASE || base >= bare_memory_end)
            return (struct said){access_fault, 0, unknown_there(base)};
        return (struct said){0, base, unknown_there(base)};
    }
    return (struct said){page_fault, 0, false};
}

static u64 agrees(const u64 *root, u64 address)
{
    struct said said = walk(root, address, PTE_R);
    u64 value, cause, wrong;

    if (said.unknown)
        return 0;
    cause = load_cause(address, &value);
    wrong = cause != said.cause || (cause == 0 && value != *(volatile u64 *)said.address);
    said = walk(root, address, PTE_W);
    if (said.cause != 0) /* what works would write to who knows what */
        wrong += store_cause(address, 0) != said.cause;
    return wrong;
}

/* ---- garbage and loops ---- */

static u64 garbage_entry(u64 **tables)
{
    u64 random = random_next(), *to = tables[random % GARBAGE_TABLES];

    switch (random >> 8 & 7) {
    case 0:
        return random_next() << 32 ^ random_next();
    case 1:
    case 2:
    case 3:
        return entry_of(to, PTE_V);
    case 4:
        return entry_of((void *)RAM_BASE, random >> 16 & 0xff);
    default:
        return entry_of(to, (random >> 16 & 0x3ff) | (random & BIT(30) ? PTE_V : 0));
    }
}

static void garbage_tables(void)
{
    u64 *tables[GARBAGE_TABLES], *root = space_make(), wrong = 0;

    for (u32 i = 0; i < GARBAGE_TABLES; i++)
        tables[i] = page_take();
    for (u32 round = 0; round < GARBAGE_ROUNDS; round++) {
        space_leave();
        for (u32 i = 0; i < GARBAGE_TABLES; i++) {
            for (u32 j = 0; j < TABLE_WORDS; j++)
                tables[i][j] = garbage_entry(tables);
        }
        for (u32 i = 4; i < TABLE_WORDS; i++)
            root[i] = garbage_entry(tables);
        space_use(root, round);
        csr_off(sstatus, SSTATUS_SUM | SSTATUS_MXR);
        csr_on(sstatus, round & 1 ? SSTATUS_SUM : 0);
        csr_on(sstatus, round & 2 ? SSTATUS_MXR : 0);
        for (u32 i = 0; i < PROBES; i++) {
            u64 address = (random_next() & (BIT(39) - 8)) | GIGAPAGE_BYTES << 2;

            wrong += agrees(root, (u64)((i64)(address << 25) >> 25));
        }
    }
    expect_none("of garbage what it says, and nothing else", wrong);
}

static void loops_at_every_level(void)
{
    u64 *root = space_make(), *middle = page_take(), *low = page_take(), wrong = 0;
    u64 *const tables[] = {root, middle, low};

    root[4] = entry_of(root, PTE_V);
    root[5] = entry_of(middle, PTE_V);
    middle[0] = entry_of(low, PTE_V);
    middle[1] = entry_of(middle, PTE_V);
    middle[2] = entry_of(root, PTE_V);
    for (u32 i = 0; i < ARRAY_SIZE(tables); i++)
        low[i] = entry_of(tables[i], PTE_DATA);
    low[3] = entry_of(low, PTE_V);
    space_use(root, 1);
    for (u64 two = 0; two < 4; two++) {
        for (u64 one = 0; one < 8; one++) {
            for (u64 zero = 0; zero < 8; zero++)
                wrong += agrees(root, (4 + two) << 30 | one << 21 | zero << 12 | 16);
        }
    }
    expect_none("tables that name themselves end where the levels end", wrong);
}

/* A table writes to itself through itself, and to those above. */
static void tables_that_map_themselves(void)
{
    u64 *root = space_make(), *data = page_take(), *low, wrong = 0;
    volatile u64 *window = (volatile u64 *)PLACE;

    low = map_page(root, PLACE, 0);
    *low = entry_of(low, PTE_DATA);
    space_use(root, 1);
    for (u64 i = 0; i < STEPS; i++) {
        u64 which = 1 + i % 300;

        data[0] = i;
        window[which] = i & 1 ? entry_of(data, PTE_DATA) : 0;
        fence_page(PLACE + which * PAGE_BYTES);
        wrong += agrees(root, PLACE + which * PAGE_BYTES);
        wrong += (i & 1) != 0 && *(volatile u64 *)(PLACE + which * PAGE_BYTES) != i;
    }
    expect_none("a table is changed through its own mapping", wrong);
}

/* ---- entries, bit by bit ---- */

static void all_low_bits(void)
{
    u64 *root = space_make(), *page = page_take(), *low, wrong = 0;

    low = map_page(root, PLACE, 0);
    space_use(root, 1);
    for (u64 bits = 0; bits < 1024; bits++) {
        for (u64 status = 0; status < 4; status++) {
            csr_off(sstatus, SSTATUS_SUM | SSTATUS_MXR);
            csr_on(sstatus, (status & 1 ? SSTATUS_SUM : 0) | (status & 2 ? SSTATUS_MXR : 0));
            *low = entry_of(page, bits);
            fence_page(PLACE);
            wrong += agrees(root, PLACE);
            root[4] = entry_of((void *)RAM_BASE, bits);
            wrong += agrees(root, 4 * GIGAPAGE_BYTES + ((u64)page - RAM_BASE));
            root[4] = 0;
            fence_all();
        }
    }
    csr_off(sstatus, SSTATUS_SUM | SSTATUS_MXR);
    for (u64 high = 1; high < 1024; high++) {
        *low = entry_of(page, PTE_ALL) | high << 54;
        fence_page(PLACE);
        wrong += load_cause(PLACE, NULL) != CAUSE_LOAD_PAGE;
    }
    expect_none("each combination of an entry's bits gives what it says", wrong);
}

static void accessed_and_dirty(void)
{
    u64 *root = space_make(), *page = page_take(), *low, wrong = 0;
    const u64 plain = PTE_V | PTE_R | PTE_W;

    low = map_page(root, PLACE, 0);
    space_use(root, 1);
    for (u32 i = 0; i < STEPS; i++) {
        *low = entry_of(page, plain);
        fence_page(PLACE);
        wrong += load_cause(PLACE, NULL) != 0 || *low != entry_of(page, plain | PTE_A);
        wrong += store_cause(PLACE, i) != 0 || *low != entry_of(page, plain | PTE_A | PTE_D);
        *low = entry_of(page, plain | PTE_D);
        fence_all();
        wrong += load_cause(PLACE, NULL) != 0 || *low != entry_of(page, plain | PTE_A | PTE_D);
        *low = entry_of(page, PTE_V | PTE_R);
        fence_page(PLACE);
        wrong += store_cause(PLACE, i) != CAUSE_STORE_PAGE || *low != entry_of(page, PTE_V | PTE_R);
    }
    expect_none("A is set by each access and D by each write, and by nothing that is refused",
                wrong);
}

/* ---- one table in many places ---- */

static void one_table_at_many_links(void)
{
    u64 *root = space_make(), *low = page_take(), *page = page_take(), wrong = 0;

    low[0] = entry_of(page, PTE_DATA);
    for (u64 i = 0; i < MIDDLES; i++) {
        u64 *middle = page_take();

        root[8 + i] = entry_of(middle, PTE_V);
        for (u64 j = 0; j < TABLE_WORDS; j++)
            middle[j] = entry_of(low, PTE_V);
    }
    space_use(root, 1);
    for (u64 i = 0; i < MIDDLES * TABLE_WORDS; i++)
        wrong += *(volatile u64 *)(8 * GIGAPAGE_BYTES + i * MEGAPAGE_BYTES) != 0;
    page[0] = 5;
    low[0] = entry_of(low, PTE_DATA); /* where 65536 links count as none, it is let go here */
    for (u64 i = 0; i < 64; i++)
        (void)load_cause(8 * GIGAPAGE_BYTES + i * MEGAPAGE_BYTES + PAGE_BYTES, NULL);
    fence_all();
    for (u64 i = 0; i < MIDDLES * TABLE_WORDS; i += 97)
        wrong += agrees(root, 8 * GIGAPAGE_BYTES + i * MEGAPAGE_BYTES);
    expect_none("a table has as many links as there are", wrong);
}

static void one_table_at_two_levels(void)
{
    u64 *root = space_make(), *both = page_take(), *page = page_take(), wrong = 0;

    root[4] = entry_of(both, PTE_V);
    both[0] = entry_of(both, PTE_V);
    space_use(root, 1);
    for (u64 i = 0; i < STEPS; i++) {
        both[i % 511 + 1] = i & 1 ? entry_of(page, PTE_DATA) : entry_of((void *)RAM_BASE, PTE_DATA);
        if (i % 3 == 0)
            fence_page(4 * GIGAPAGE_BYTES + (i % 511 + 1) * PAGE_BYTES);
        fence_all();
        wrong += agrees(root, 4 * GIGAPAGE_BYTES + (i % 511 + 1) * PAGE_BYTES);
        wrong += agrees(root, 4 * GIGAPAGE_BYTES + (i % 511 + 1) * MEGAPAGE_BYTES);
    }
    expect_none("one table at two levels is read as each", wrong);
}

/* ---- tables that are data, data that are tables ---- */

static void reused_as_data_and_back(void)
{
    u64 *root = space_make(), *first = page_take(), *second = page_take(), wrong = 0;
    u64 *low = map_page(root, PLACE, 0), *middle_entry, value;

    middle_entry = &((u64 *)(root[1] >> 10 << PAGE_SHIFT))[0];
    first[0] = 1;
    second[0] = 2;
    space_use(root, 1);
    for (u32 i = 0; i < STEPS; i++) {
        *low = entry_of(i & 1 ? first : second, PTE_DATA);
        fence_page(PLACE);
        wrong += load_cause(PLACE, &value) != 0 || value != (i & 1 ? 1 : 2);
        *middle_entry = 0;
        if (i % 5 == 0)
            fence_all();
        for (u32 j = 0; j < TABLE_WORDS; j++) /* it is data now */
            low[j] = entry_of(first, PTE_DATA) ^ (u64)j << 40;
        if (i % 3 == 0)
            fence_all();
        memset(low, 0, PAGE_BYTES);
        *middle_entry = entry_of(low, PTE_V);
        fence_all();
        wrong += load_cause(PLACE, NULL) != CAUSE_LOAD_PAGE;
    }
    expect_none("a table that was data in between says what it says now", wrong);
}

/* ---- many spaces ---- */

static void thousands_of_spaces(void)
{
    u64 *roots[ROOTS], *pages[ROOTS], wrong = 0, value;

    for (u32 i = 0; i < ROOTS; i++) {
        roots[i] = space_make();
        pages[i] = page_take();
        pages[i][0] = i;
        map_page(roots[i], PLACE, entry_of(pages[i], PTE_DATA));
    }
    for (u32 i = 0; i < SWITCHES; i++) {
        u32 which = random_next() % ROOTS;

        csr_put(satp, SATP_SV39 | (u64)(i * 37 & 0xffff) << 44 | (u64)roots[which] >> PAGE_SHIFT);
        if (bare_machine)
            fence_all(); /* no identifier has had another root, but for the rounds of 65536 */
        wrong += load_cause(PLACE, &value) != 0 || value != which;
    }
    expect_none("in thousands of spaces each is its own", wrong);
}

static void roots_without_end(void)
{
    u64 *page = page_take(), *low = page_take(), *middle = page_take(), wrong = 0, count = 0, value;

    page[0] = 99;
    low[0] = entry_of(page, PTE_DATA);
    middle[0] = entry_of(low, PTE_V);
    while ((u64)page_take() < bare_memory_end - 2 * MEGAPAGE_BYTES && count < 900) {
        u64 *root = space_make();

        root[1] = entry_of(middle, PTE_V);
        space_use(root, count++ & 0xffff);
        wrong += load_cause(PLACE, &value) != 0 || value != 99;
    }
    low[0] = 0;
    fence_all();
    wrong += load_cause(PLACE, NULL) != CAUSE_LOAD_PAGE;
    expect_none("as many roots as memory holds share a table", wrong);
}

/* ---- out of step ---- */

static void out_of_step_in_two_spaces(void)
{
    u64 *roots[2], *tables[OUT_OF_STEP], *pages[2], wrong = 0, value;

    for (u32 i = 0; i < 2; i++) {
        roots[i] = space_make();
        pages[i] = page_take();
        pages[i][0] = i;
    }
    for (u64 i = 0; i < OUT_OF_STEP; i++) {
        tables[i] = page_take();
        for (u32 j = 0; j < 2; j++) {
            (void)map_page(roots[j], PLACE, 0);
            ((u64 *)(roots[j][1] >> 10 << PAGE_SHIFT))[i] = entry_of(tables[i], PTE_V);
        }
    }
    space_use(roots[0], 1);
    for (u32 round = 0; round < STEPS / 4; round++) {
        u32 writer = round & 1, said = random_next() & 1;

        for (u64 i = 0; i < OUT_OF_STEP; i++) {
            tables[i][3] = entry_of(pages[said], PTE_DATA);
            (void)load_cause(PLACE + i * MEGAPAGE_BYTES + 3 * PAGE_BYTES, &value);
        }
        csr_put(satp, SATP_SV39 | (u64)(2 - writer) << 44 | (u64)roots[1 - writer] >> PAGE_SHIFT);
        fence_all();
        for (u64 i = 0; i < OUT_OF_STEP; i++)
            wrong += load_cause(PLACE + i * MEGAPAGE_BYTES + 3 * PAGE_BYTES, &value) != 0 ||
                     value != said;
    }
    expect_none("more tables out of step than are kept, and each space sees the fence", wrong);
}

/* What was written without a fence may be seen or not; after the fence of its page it is. */
static void fences_by_address_alone(void)
{
    u64 *root = space_make(), *pages[2] = {page_take(), page_take()}, *low, wrong = 0, value;

    pages[1][0] = 1;
    low = map_page(root, PLACE, 0);
    space_use(root, 1);
    for (u32 i = 0; i < STEPS; i++) {
        u64 which = random_next() % TABLE_WORDS, said = random_next() & 1;
        u64 other = random_next() % TABLE_WORDS;

        low[which] = entry_of(pages[said], PTE_DATA);
        low[other == which ? (which + 1) % TABLE_WORDS : other] = random_next() & 1
                                                                      ? entry_of(pages[1], PTE_DATA)
                                                                      : 0;
        fence_page(PLACE + which * PAGE_BYTES);
        wrong += load_cause(PLACE + which * PAGE_BYTES, &value) != 0 || value != said;
    }
    expect_none("a fence for one page is good for that page", wrong);
}

/* A page is taken and its frame is a table the next moment, and the other way round. */
static void write_right_taken_late(void)
{
    u64 *root = space_make(), *table = page_take(), *page = page_take(), wrong = 0, value;

    for (u64 i = 0; i < 8; i++) /* eight ways to write to the frame that becomes a table */
        map_page(root, PLACE + i * PAGE_BYTES, entry_of(table, PTE_DATA));
    page[0] = 7;
    space_use(root, 1);
    for (u64 round = 0; round < STEPS / 4; round++) {
        for (u64 i = 0; i < 8; i++)
            wrong += store_cause(PLACE + i * PAGE_BYTES + 8, round) != 0;
        memset(table, 0, PAGE_BYTES);
        ((u64 *)(root[1] >> 10 << PAGE_SHIFT))[1] = entry_of(table, PTE_V);
        fence_all();
        wrong += load_cause(PLACE + MEGAPAGE_BYTES, NULL) != CAUSE_LOAD_PAGE;
        wrong += store_cause(PLACE + (round & 7) * PAGE_BYTES, entry_of(page, PTE_DATA)) != 0;
        fence_page(PLACE + MEGAPAGE_BYTES);
        wrong += load_cause(PLACE + MEGAPAGE_BYTES, &value) != 0 || value != 7;
        ((u64 *)(root[1] >> 10 << PAGE_SHIFT))[1] = 0;
        fence_all();
    }
    expect_none("who could write to a frame is found when it becomes a table", wrong);
}

static const struct attack attacks[] = {
    {"garbage-tables", garbage_tables},
    {"loops-at-every-level", loops_at_every_level},
    {"tables-that-map-themselves", tables_that_map_themselves},
    {"all-low-bits", all_low_bits},
    {"accessed-and-dirty", accessed_and_dirty},
    {"one-table-at-many-links", one_table_at_many_links},
    {"one-table-at-two-levels", one_table_at_two_levels},
    {"reused-as-data-and-back", reused_as_data_and_back},
    {"thousands-of-spaces", thousands_of_spaces},
    {"roots-without-end", roots_without_end},
    {"out-of-step-in-two-spaces", out_of_step_in_two_spaces},
    {"fences-by-address-alone", fences_by_address_alone},
    {"write-right-taken-late", write_right_taken_late},
};

void bare_main(void)
{
    attacks_make(attacks, ARRAY_SIZE(attacks));
}
