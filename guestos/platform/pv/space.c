/* SPDX-License-Identifier: MIT */
/*
 * Spaces by hypercall. Entries name our own page numbers; what stands in the tables afterwards is
 * machine frames, which are Candor's affair. A space is a root, the one middle table that covers
 * all user addresses, and a list of page tables, which says where a table is without reading one.
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

/* What the words of a struct plat_space are. */
enum space_word {
    SPACE_ROOT,
    SPACE_MIDDLE,
    SPACE_TABLES,      /* pool index of the first page table on its list, 0: none */
    SPACE_TABLE_COUNT, /* on that list */
};

enum space_numbers {
    ENTRY_VALID = 1 << 0,
    ENTRY_PAGE_SHIFT = 10,
    PAGE_TABLE_SPAN = 1 << 21, /* how much of a space a page table covers */
    SPARE_TABLES_MAX = 5,      /* a space with more is given back at once */
};
_Static_assert(USER_TOP <= 1 << 30, "one middle table covers a space");

_Static_assert(PLAT_PROT_READ << 1 == PROT_READ && PLAT_PROT_WRITE << 1 == PROT_WRITE &&
                   PLAT_PROT_EXEC << 1 == PROT_EXECUTE,
               "rights are an entry's bits, shifted");

/* The rights of an entry. Without any: executable for the kernel alone, which so can neither read
   nor write on a user's behalf. */
static u64 entry_rights(u32 prot)
{
    return prot != PLAT_PROT_NONE ? PROT_USER | (u64)prot << 1 : PROT_EXECUTE;
}

/* Turns `count` entries into the pages of those that are not empty, in place. How many. */
static u64 entries_to_pages(pa_t *entries, u64 count)
{
    u64 found = 0;

    for (u64 i = 0; i < count; i++)
        if (entries[i] != 0)
            entries[found++] = (entries[i] >> ENTRY_PAGE_SHIFT) << PAGE_SHIFT;
    return found;
}

/* The page table of a space that covers an address, or 0. */
static pa_t page_table(const struct plat_space *space, uva_t address)
{
    for (u64 i = space->words[SPACE_TABLES]; i != 0; i = pool_records[i].next)
        if (pool_records[i].span == address / PAGE_TABLE_SPAN)
            return pool_table((u16)i);
    return 0;
}

/* Gives all tables of a space back to the pool, those that link others first. */
static void space_free_tables(const struct plat_space *space)
{
    pool_table_free(space->words[SPACE_ROOT]);
    pool_table_free(space->words[SPACE_MIDDLE]);
    for (u64 i = space->words[SPACE_TABLES], next; i != 0; i = next) {
        next = pool_records[i].next;
        pool_table_free(pool_table((u16)i));
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

/* Makes a table and links it where an address falls; 0: the pool is used up. */
static pa_t space_add_table(struct plat_space *space, uva_t address, enum pool_level level)
{
    pa_t table = table_make(level);

    if (table != 0)
        pv_expect_done(candor_table_link(space->words[SPACE_ROOT], address, table), "table_link");
    return table;
}

/* Sees to it that entries exist for a range. Cold: seldom needed, it is not to cost plat_map() the
   registers that it uses. */
static __attribute__((cold)) int space_cover(struct plat_space *space, uva_t address, u64 count)
{
    u64 last = (address + (count - 1) * PAGE_SIZE) / PAGE_TABLE_SPAN;

    for (u64 span = address / PAGE_TABLE_SPAN; span <= last; span++) {
        if (page_table(space, span * PAGE_TABLE_SPAN) != 0)
            continue;
        pa_t table = space_add_table(space, span * PAGE_TABLE_SPAN, POOL_PAGE_TABLE);
        if (table == 0)
            return -ENOMEM;
        pool_records[pool_index(table)] = (struct pool_record){(u16)span,
                                                               (u16)space->words[SPACE_TABLES]};
        space->words[SPACE_TABLES] = pool_index(table);
        space->words[SPACE_TABLE_COUNT]++;
    }
    return 0;
}

int plat_space_create(struct plat_space *space)
{
    if (spare_take(space))
        return 0;
    *space = (struct plat_space){{table_make(POOL_ROOT)}};
    if (space->words[SPACE_ROOT] == 0)
        return -ENOMEM;
    space->words[SPACE_MIDDLE] = space_add_table(space, 0, POOL_MIDDLE);
    if (space->words[SPACE_MIDDLE] != 0)
        return 0;
    pool_table_free(space->words[SPACE_ROOT]);
    return -ENOMEM;
}

void plat_space_destroy(struct plat_space *space)
{
    if (space->words[SPACE_TABLE_COUNT] > SPARE_TABLES_MAX || !spare_give(space))
        space_free_tables(space);
}

void plat_space_switch(struct plat_space *space)
{
    pv_expect_done(candor_space_switch(space ? space->words[SPACE_ROOT] : pool_base),
                   "space_switch");
}

int plat_map(struct plat_space *space, uva_t address, pa_t page, u32 prot)
{
    u64 entry = (page >> PAGE_SHIFT) << ENTRY_PAGE_SHIFT | entry_rights(prot) | ENTRY_VALID;
    struct hc_result set;

    while ((set = candor_pte_set(space->words[SPACE_ROOT], address, entry)).error == HC_NO_TABLE)
        if (space_cover(space, address, 1) != 0)
            return -ENOMEM;
    pv_expect_done(set, "pte_set");
    return 0;
}

int plat_map_many(struct plat_space *space, uva_t address, u64 count, const pa_t *pages, u32 prot)
{
    if (space_cover(space, address, count) != 0)
        return -ENOMEM;
    for (u64 done = 0; done < count;)
        done += pv_value(candor_pte_fill(space->words[SPACE_ROOT], address + done * PAGE_SIZE,
                                         pv_gpa(&pages[done]), count - done, entry_rights(prot)),
                         "pte_fill");
    return 0;
}

bool plat_lookup(struct plat_space *space, uva_t address, pa_t *page, u32 *prot)
{
    pa_t table = page_table(space, address);

    if (table == 0)
        return false;
    /* The raw entry can be read, and its flags are ours; only the page is asked for. */
    const volatile u64 *entries = (const volatile u64 *)(table + PLAT_DIRECT_MAP_OFFSET);
    u64 entry = entries[(address % PAGE_TABLE_SPAN) >> PAGE_SHIFT];
    if (!(entry & ENTRY_VALID))
        return false;
    if (prot)
        *prot = (entry & PROT_USER) != 0 ? (entry >> 1) & PLAT_PROT_ALL : PLAT_PROT_NONE;
    if (page) {
        *page = pv_value(candor_pte_get(space->words[SPACE_ROOT], address), "pte_get");
        (void)entries_to_pages(page, 1);
    }
    return true;
}

void plat_protect(struct plat_space *space, uva_t address, u64 count, u32 prot)
{
    for (u64 done = 0; done < count;)
        done += pv_value(candor_pte_protect(space->words[SPACE_ROOT], address + done * PAGE_SIZE,
                                            count - done, entry_rights(prot)),
                         "pte_protect");
}

long plat_clone_cow(struct plat_space *to, struct plat_space *from, uva_t address, u64 count,
                    pa_t *pages)
{
    u64 found = 0;

    for (u64 done = 0; done < count;) {
        struct hc_result step = candor_pte_clone(to->words[SPACE_ROOT], from->words[SPACE_ROOT],
                                                 address + done * PAGE_SIZE, count - done,
                                                 pv_gpa(&pages[found]));

        found += entries_to_pages(&pages[found], step.value);
        done += step.value;
        if (step.error != HC_NO_TABLE) {
            pv_expect_done(step, "pte_clone");
        } else if (space_cover(to, address + done * PAGE_SIZE, 1) != 0) {
            (void)plat_unmap(to, address, done, pages, PLAT_UNMAP_LIVE);
            return -ENOMEM;
        }
    }
    return (long)found;
}

u64 plat_unmap(struct plat_space *space, uva_t address, u64 count, pa_t *pages,
               enum plat_unmap_mode mode)
{
    u64 found = 0;

    (void)mode; /* the call that clears a range flushes it */
    for (u64 done = 0; done < count;) {
        u64 step = pv_value(candor_pte_clear(space->words[SPACE_ROOT], address + done * PAGE_SIZE,
                                             count - done, pv_gpa(&pages[found])),
                            "pte_clear");

        found += entries_to_pages(&pages[found], step);
        done += step;
    }
    return found;
}
