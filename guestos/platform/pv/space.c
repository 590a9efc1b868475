/* SPDX-License-Identifier: MIT */
/*
 * Spaces by hypercall. Entries name our own page numbers; what stands in the tables afterwards is
 * machine frames, which are Candor's affair. A space is a root and the list of its other tables,
 * which says where a table is without reading one.
 *
 * A space that ends has no page mapped. It is kept with its tables linked, and the next one that is
 * wanted begins with them: most processes use the same few tables, and so cost no call for them.
 *
 * The calls that go through a range may do less than asked (Candor bounds its time): they are
 * repeated with the rest.
 */
#include "frank/errno.h"
#include "pv.h"
#include "spare_spaces.h"

enum entry_bits {
    ENTRY_VALID = 1 << 0,
    ENTRY_PAGE_SHIFT = 10,
};

/* What the words of a struct plat_space are. */
enum space_word {
    SPACE_ROOT,
    SPACE_TABLES,      /* pool index of the first table on its list, 0: none */
    SPACE_LAST_TABLE,  /* of the last one */
    SPACE_TABLE_COUNT, /* on that list */
};

enum {
    SPARE_TABLES_MAX = 6, /* a space with more is given back at once */
};

static pa_t boot_root;

void pv_spaces_init(pa_t root)
{
    boot_root = root;
}

_Static_assert(PLAT_PROT_READ << 1 == PROT_READ && PLAT_PROT_WRITE << 1 == PROT_WRITE &&
                   PLAT_PROT_EXEC << 1 == PROT_EXECUTE,
               "rights are an entry's bits, shifted");

/* The rights of an entry. Without any: executable for the kernel alone, which so can neither read
   nor write on a user's behalf. */
static u64 entry_rights(u32 prot)
{
    return prot != PLAT_PROT_NONE ? PROT_USER | (u64)prot << 1 : PROT_EXECUTE;
}

static u32 prot_of_entry(u64 entry)
{
    return (entry & PROT_USER) != 0 ? (entry & (PROT_READ | PROT_WRITE | PROT_EXECUTE)) >> 1
                                    : PLAT_PROT_NONE;
}

static u64 entry_of(pa_t page, u64 rights)
{
    return (page >> PAGE_SHIFT) << ENTRY_PAGE_SHIFT | rights | ENTRY_VALID;
}

static pa_t page_of_entry(u64 entry)
{
    return (entry >> ENTRY_PAGE_SHIFT) << PAGE_SHIFT;
}

static u16 first_table(const struct plat_space *space)
{
    return (u16)space->words[SPACE_TABLES];
}

/* The table of a space that covers an address, or 0. */
static pa_t space_table(const struct plat_space *space, uva_t address, enum pool_level level)
{
    u64 key = pool_key(address, level);

    for (u16 i = first_table(space); i != 0; i = pool_records[i].next) {
        if (pool_records[i].key == key)
            return pool_table(i);
    }
    return 0;
}

/* Notes a table that was linked. The list is in the order of making, in which tables can also be
   freed: what links a table is made before it. */
static void space_note_table(struct plat_space *space, u64 key, pa_t table)
{
    u16 index = pool_index(table), last = (u16)space->words[SPACE_LAST_TABLE];

    pool_records[index] = (struct pool_record){.key = key};
    if (last == 0)
        space->words[SPACE_TABLES] = index;
    else
        pool_records[last].next = index;
    space->words[SPACE_LAST_TABLE] = index;
    space->words[SPACE_TABLE_COUNT]++;
}

/* Gives all tables of a space back to the pool. */
static void space_free_tables(const struct plat_space *space)
{
    pool_table_free(space->words[SPACE_ROOT]);
    for (u16 i = first_table(space), next; i != 0; i = next) {
        next = pool_records[i].next;
        pool_table_free(pool_table(i));
    }
}

/* A table, at the cost of a spare space if the pool is used up; 0 when that does not help. */
static pa_t table_make(enum pool_level level)
{
    pa_t table = pool_table_make(level);
    struct plat_space spare;

    while (table == 0 && spare_take(&spare)) {
        space_free_tables(&spare);
        table = pool_table_make(level);
    }
    return table;
}

static int space_add_table(struct plat_space *space, uva_t address, enum pool_level level)
{
    pa_t table = table_make(level);

    if (table == 0)
        return -ENOMEM;
    pv_expect_done(candor_table_link(space->words[SPACE_ROOT], address, table), "table_link");
    space_note_table(space, pool_key(address, level), table);
    return 0;
}

/* Sees to it that an entry exists for an address. */
static int space_cover(struct plat_space *space, uva_t address)
{
    int error = 0;

    if (space_table(space, address, POOL_PAGE_TABLE) != 0)
        return 0;
    if (space_table(space, address, POOL_MIDDLE) == 0)
        error = space_add_table(space, address, POOL_MIDDLE);
    return error ? error : space_add_table(space, address, POOL_PAGE_TABLE);
}

static int space_cover_range(struct plat_space *space, uva_t address, u64 count)
{
    uva_t end = address + count * PAGE_SIZE;

    for (uva_t at = ALIGN_DOWN(address, PAGE_TABLE_SPAN); at < end; at += PAGE_TABLE_SPAN) {
        int error = space_cover(space, at);

        if (error)
            return error;
    }
    return 0;
}

int plat_space_create(struct plat_space *space)
{
    if (spare_take(space))
        return 0;
    *space = (struct plat_space){0};
    space->words[SPACE_ROOT] = table_make(POOL_ROOT);
    return space->words[SPACE_ROOT] == 0 ? -ENOMEM : 0;
}

void plat_space_destroy(struct plat_space *space)
{
    if (space->words[SPACE_TABLE_COUNT] > SPARE_TABLES_MAX || !spare_give(space))
        space_free_tables(space);
}

void plat_space_switch(struct plat_space *space)
{
    pv_expect_done(candor_space_switch(space ? space->words[SPACE_ROOT] : boot_root),
                   "space_switch");
}

int plat_map(struct plat_space *space, uva_t address, pa_t page, u32 prot)
{
    u64 entry = entry_of(page, entry_rights(prot));
    struct hc_result set = candor_pte_set(space->words[SPACE_ROOT], address, entry);

    if (set.error == HC_NO_TABLE) {
        int error = space_cover(space, address);

        if (error)
            return error;
        set = candor_pte_set(space->words[SPACE_ROOT], address, entry);
    }
    pv_expect_done(set, "pte_set");
    return 0;
}

int plat_map_many(struct plat_space *space, uva_t address, u64 count, const pa_t *pages, u32 prot)
{
    int error = space_cover_range(space, address, count);
    u64 rights = entry_rights(prot);

    if (error)
        return error;
    for (u64 at = 0, run; at < count; at += run) {
        if (pages[at] == 0) {
            run = 1;
            continue;
        }
        for (run = 1; at + run < count && pages[at + run] != 0; run++)
            ;
        struct hc_result filled = candor_pte_fill(
            space->words[SPACE_ROOT], address + at * PAGE_SIZE, pv_gpa(&pages[at]), run, rights);
        pv_expect_done(filled, "pte_fill");
        run = filled.value;
    }
    return 0;
}

bool plat_lookup(struct plat_space *space, uva_t address, pa_t *page, u32 *prot)
{
    pa_t table = space_table(space, address, POOL_PAGE_TABLE);

    if (table == 0)
        return false;
    /* The raw entry can be read, and its flags are ours; only the page is asked for. */
    const volatile u64 *entries = (const volatile u64 *)(table + PLAT_DIRECT_MAP_OFFSET);
    u64 entry = entries[(address % PAGE_TABLE_SPAN) >> PAGE_SHIFT];
    if (!(entry & ENTRY_VALID))
        return false;
    if (prot)
        *prot = prot_of_entry(entry);
    if (page) {
        struct hc_result got = candor_pte_get(space->words[SPACE_ROOT], address);

        pv_expect_done(got, "pte_get");
        *page = page_of_entry(got.value);
    }
    return true;
}

void plat_protect(struct plat_space *space, uva_t address, u64 count, u32 prot)
{
    u64 rights = entry_rights(prot);

    for (u64 done = 0; done < count;) {
        struct hc_result step = candor_pte_protect(
            space->words[SPACE_ROOT], address + done * PAGE_SIZE, count - done, rights);

        pv_expect_done(step, "pte_protect");
        done += step.value;
    }
}

/* How many of `count` pages from an address on lie under one page table. */
static u64 pages_under_table(uva_t address, u64 count)
{
    return min(count, (PAGE_TABLE_SPAN - address % PAGE_TABLE_SPAN) >> PAGE_SHIFT);
}

/* Turns `count` entries into the pages of those that are not empty, in place. How many. */
static u64 entries_to_pages(pa_t *entries, u64 count)
{
    u64 found = 0;

    for (u64 i = 0; i < count; i++) {
        if (entries[i] != 0)
            entries[found++] = page_of_entry(entries[i]);
    }
    return found;
}

long plat_clone_cow(struct plat_space *to, struct plat_space *from, uva_t address, u64 count,
                    pa_t *pages)
{
    u64 found = 0;

    for (u64 at = 0, step; at < count; at += step) {
        uva_t start = address + at * PAGE_SIZE;

        step = pages_under_table(start, count - at);
        if (space_table(from, start, POOL_PAGE_TABLE) == 0)
            continue;
        int error = space_cover(to, start);
        if (error) {
            (void)plat_unmap(to, address, at, pages, PLAT_UNMAP_LIVE);
            return error;
        }
        struct hc_result cloned = candor_pte_clone(to->words[SPACE_ROOT], from->words[SPACE_ROOT],
                                                   start, step, pv_gpa(&pages[found]));
        pv_expect_done(cloned, "pte_clone");
        step = cloned.value;
        found += entries_to_pages(&pages[found], step);
    }
    return (long)found;
}

u64 plat_unmap(struct plat_space *space, uva_t address, u64 count, pa_t *pages,
               enum plat_unmap_mode mode)
{
    u64 found = 0;

    (void)mode; /* the call that clears a range flushes it */
    for (u64 at = 0, step; at < count; at += step) {
        uva_t start = address + at * PAGE_SIZE;

        step = pages_under_table(start, count - at);
        if (space_table(space, start, POOL_PAGE_TABLE) == 0)
            continue;
        struct hc_result cleared = candor_pte_clear(space->words[SPACE_ROOT], start, step,
                                                    pv_gpa(&pages[found]));
        pv_expect_done(cleared, "pte_clear");
        step = cleared.value;
        found += entries_to_pages(&pages[found], step);
    }
    return found;
}
