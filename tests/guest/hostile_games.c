/* SPDX-License-Identifier: MIT */
/*
 * Games with entries and levels: every combination of an entry's low bits, every frame, tables
 * linked at odd places and many times, addresses and counts that no range can have. Judged by rules
 * written down here a second time.
 */
#include "attacks.h"

enum {
    BASE = 0x400000,
    LOW_BITS = 10,
    PAGE_SHIFT = 12,
    FRAME_BITS = 44,
    TABLE_WORDS = 512,
    WILD_MAX = 16,
    PLACES = 64,
    REGION = 0x200000,
};

static u64 root, table, page, array;
static u64 *words; /* of the array */

static u64 raw_entry(u64 gva)
{
    return ((volatile u64 *)gpa_to_pointer(table))[gva >> PAGE_SHIFT & (TABLE_WORDS - 1)];
}

static i64 expected_of(u64 bits)
{
    bool rights = (bits & PTE_R) != 0 || (bits & (PTE_W | PTE_X)) == PTE_X;

    return (bits & PTE_V) != 0 && rights ? HC_OK : HC_BAD_ENTRY;
}

static struct hc_result set_by_batch(u64 gva, u64 entry)
{
    words[0] = gva;
    words[1] = entry;
    return candor_pte_batch(root, array, 1);
}

static void all_low_bits(void)
{
    u64 wrong = 0;

    for (u64 bits = 0; bits < BIT(LOW_BITS); bits++) {
        u64 entry = page >> PAGE_SHIFT << LOW_BITS | bits;
        i64 expected = expected_of(bits);
        u64 shown = expected == HC_OK ? (entry & ~(u64)PTE_G) | PTE_A | PTE_D : 0;

        for (u32 by_batch = 0; by_batch < 2; by_batch++) {
            struct hc_result r = by_batch != 0 ? set_by_batch(BASE, entry)
                                               : candor_pte_set(root, BASE, entry);

            wrong += r.error != expected || candor_pte_get(root, BASE).value != shown;
            wrong += (raw_entry(BASE) & (BIT(LOW_BITS) - 1)) != (shown & (BIT(LOW_BITS) - 1));
            must("clear", candor_pte_set(root, BASE, 0));
        }
    }
    expect_true("an entry is taken or refused by its low bits alone, and shown as it stands",
                wrong == 0);
}

static void all_rights_of_ranges(void)
{
    u64 wrong = 0;

    words[0] = page;
    for (u64 prot = 0; prot < 2 * BIT(LOW_BITS); prot++) {
        bool good = (prot & ~(u64)(PTE_R | PTE_W | PTE_X | PTE_U)) == 0 &&
                    expected_of(prot | PTE_V) == HC_OK;
        i64 expected = good ? HC_OK : HC_INVALID_PARAM;

        wrong += candor_pte_fill(root, BASE, array, 1, prot).error != expected;
        wrong += (candor_pte_get(root, BASE).value != 0) != good;
        must("map", candor_pte_set(root, BASE, leaf(page, PTE_R)));
        wrong += candor_pte_protect(root, BASE, 1, prot).error != expected;
        wrong += (candor_pte_get(root, BASE).value & (BIT(LOW_BITS) - 1)) !=
                 ((good ? prot : PTE_R) | PTE_V | PTE_A | PTE_D);
        must("clear", candor_pte_set(root, BASE, 0));
    }
    expect_true("rights of ranges are those of entries", wrong == 0);
}

static void all_high_bits(void)
{
    u64 wrong = 0;

    must("a good entry, so that assembly serves the next",
         candor_pte_set(root, BASE, leaf(page, PTE_R)));
    for (u64 high = 1; high < BIT(10); high++) {
        wrong += candor_pte_set(root, BASE, leaf(page, PTE_R) | high << 54).error != HC_BAD_ENTRY;
        wrong += set_by_batch(BASE, leaf(page, PTE_R | PTE_W) | high << 54).error != HC_BAD_ENTRY;
    }
    wrong += candor_pte_get(root, BASE).value != leaf(page, PTE_R | PTE_A | PTE_D);
    must("clear", candor_pte_set(root, BASE, 0));
    expect_true("bits 54 to 63 are refused, one and all", wrong == 0);
}

/* Every frame of its memory, and as many before and behind it. */
static void all_frames(void)
{
    u64 pool = start->pool_base_gpa, pool_end = pool + start->pool_bytes, wrong = 0;
    u64 low = start->memory_base_gpa, end = low + start->memory_bytes;

    for (u64 at = low - start->memory_bytes; at < end + start->memory_bytes; at += PAGE_BYTES) {
        i64 expected = at < low || at >= end         ? HC_BAD_ENTRY
                       : at >= pool && at < pool_end ? HC_IS_POOL
                                                     : HC_OK;

        wrong += candor_pte_set(root, BASE, leaf(at, PTE_R | PTE_W)).error != expected;
        wrong += set_by_batch(BASE, leaf(at, PTE_R | PTE_W)).error != expected;
        wrong += (candor_pte_set(root, BASE, leaf(at, PTE_R)).error == HC_OK) !=
                 (expected != HC_BAD_ENTRY);
    }
    for (u32 bit = 0; bit < FRAME_BITS; bit++) {
        u64 at = BIT(bit) << PAGE_SHIFT;

        if (at < low || at >= end)
            wrong += candor_pte_set(root, BASE, leaf(at, PTE_R)).error != HC_BAD_ENTRY;
        if (at > start->memory_bytes && at < low) /* its page's own number, and a bit too many */
            wrong += candor_pte_set(root, BASE, leaf(page ^ at, PTE_R)).error != HC_BAD_ENTRY;
    }
    must("clear", candor_pte_set(root, BASE, 0));
    expect_true("of all frames only its own are mapped, and those of the pool not to be written",
                wrong == 0);
}

static void hardware_writes_no_entry(void)
{
    struct guest_trap trap;
    u64 before, wrong = 0;

    must("map without A and D", candor_pte_set(root, BASE, leaf(page, PTE_R | PTE_W)));
    before = raw_entry(BASE);
    must("switch", candor_space_switch(root));
    wrong += !try_store(BASE, 1, &trap);
    wrong += !try_load(BASE, NULL, &trap);
    expect_true("the entry is as Candor set it", wrong == 0 && raw_entry(BASE) == before);
    must("clear", candor_pte_set(root, BASE, 0));
    must("switch", candor_space_switch(start->boot_root_gpa));
}

static void global_bit(void)
{
    u64 other = make_space(BASE, NULL);

    must("map as global", candor_pte_set(root, BASE, leaf(page, PTE_R | PTE_G)));
    must("switch", candor_space_switch(root));
    expect_true("it can be read here", try_load(BASE, NULL, &(struct guest_trap){0}));
    must("switch", candor_space_switch(other));
    expect_absent("and in no other space", BASE);
    leave_space(other);
    must("clear", candor_pte_set(root, BASE, 0));
}

/* No call takes an address of the upper half, or one that is none. */
static void upper_half(void)
{
    const u64 wild[WILD_MAX] = {
        BIT(38),
        BIT(38) + BASE,
        BIT(39),
        BIT(39) | BASE,
        BIT(40) - PAGE_BYTES,
        BIT(62),
        BIT(63),
        start->direct_map_gva,
        start->direct_map_gva + start->memory_base_gpa,
        start->direct_map_gva + start->pool_base_gpa,
        start->direct_map_gva - PAGE_BYTES,
        0UL - PAGE_BYTES,
        0UL - REGION,
        0UL - BIT(30),
        BIT(63) | BASE,
        BIT(56) | BASE,
    };
    const volatile u64 *entries = gpa_to_pointer(root);
    u64 sum = 0, after = 0, wrong = 0, other = make_space(BASE, NULL), spare = make_table(0);

    for (u64 i = TABLE_WORDS / 2; i < TABLE_WORDS; i++)
        sum = sum * 31 + entries[i];
    for (u64 i = 0; i < WILD_MAX; i++) {
        wrong += candor_pte_set(root, wild[i], leaf(page, PTE_R)).error != HC_INVALID_ADDRESS;
        wrong += candor_pte_set(root, wild[i], 0).error != HC_INVALID_ADDRESS;
        wrong += candor_pte_get(root, wild[i]).error != HC_INVALID_ADDRESS;
        wrong += set_by_batch(wild[i], leaf(page, PTE_R)).error != HC_INVALID_ADDRESS;
        wrong += candor_pte_fill(root, wild[i], array, 1, PROT_READ).error != HC_INVALID_ADDRESS;
        wrong += candor_pte_protect(root, wild[i], 1, PROT_READ | PROT_USER).error !=
                 HC_INVALID_ADDRESS;
        wrong += candor_pte_clone(other, root, wild[i], 1, array).error != HC_INVALID_ADDRESS;
        wrong += candor_pte_clear(root, wild[i], 1, array).error != HC_INVALID_ADDRESS;
        wrong += candor_flush(root, wild[i], 1).error != HC_INVALID_ADDRESS;
        wrong += candor_table_link(root, wild[i], spare).error != HC_INVALID_ADDRESS;
        wrong += candor_table_unlink(root, wild[i], 0).error != HC_INVALID_ADDRESS;
        wrong += candor_table_unlink(root, wild[i], 1).error != HC_INVALID_ADDRESS;
    }
    for (u64 i = TABLE_WORDS / 2; i < TABLE_WORDS; i++)
        after = after * 31 + entries[i];
    expect_true("no call takes such an address", wrong == 0);
    expect_true("entries 256 to 511 of the root are as they were", sum == after);
    must("free", candor_table_free(other));
    must("free", candor_table_free(spare));
}

static void huge_counts(void)
{
    const u64 wild[] = {513,     BIT(26),     BIT(26) + 1, BIT(32),   BIT(52),
                        BIT(60), BIT(61) + 1, BIT(63),     UINT64_MAX};
    u64 top = BIT(LOWER_HALF_SPAN_SHIFT) - PAGE_BYTES, other = make_space(BASE, NULL), wrong = 0;

    must("map", candor_pte_set(root, BASE, leaf(page, PTE_R)));
    for (u64 i = 0; i < ARRAY_SIZE(wild); i++) {
        wrong += candor_pte_batch(root, array, wild[i]).error != HC_INVALID_PARAM;
        wrong += candor_pte_fill(root, BASE, array, wild[i], PROT_READ).error != HC_INVALID_PARAM;
        wrong += candor_pte_protect(root, BASE, wild[i], PROT_READ).error != HC_INVALID_PARAM;
        wrong += candor_pte_clone(other, root, BASE, wild[i], array).error != HC_INVALID_PARAM;
        wrong += candor_pte_clear(root, BASE, wild[i], array).error != HC_INVALID_PARAM;
        wrong += candor_flush(root, top, wild[i]).error != HC_INVALID_PARAM;
        wrong += candor_pte_protect(root, top, 2, PROT_READ).error != HC_INVALID_PARAM;
    }
    wrong += candor_pte_clear(root, BASE, 0, array).error != HC_OK;
    wrong += candor_pte_get(root, BASE).value == 0;
    must("clear", candor_pte_set(root, BASE, 0));
    must("free", candor_table_free(other));
    expect_true("counts that no range has are refused, and change nothing", wrong == 0);
}

static void link_counts(void)
{
    u64 space = make_space(BASE, NULL), low = make_table(0), wrong = 0;
    u64 first = BASE + REGION;

    for (u64 i = 0; i < PLACES; i++)
        wrong += candor_table_link(space, first + i * REGION, low).error != HC_OK;
    for (u64 i = 0; i < PLACES; i++) {
        wrong += candor_table_free(low).error != HC_IN_USE;
        wrong += candor_table_unlink(space, first + i * REGION, 0).value != low;
    }
    wrong += candor_table_free(low).error != HC_OK;
    expect_true("a table is held by each of its links", wrong == 0);
    must("free", candor_table_free(space));
}

/* A level-1 table at two places of two roots: what one frees the other still has. */
static void shared_tables(void)
{
    u64 a = make_table(2), b = make_table(2), middle = make_table(1), low = make_table(0);

    must("link", candor_table_link(a, BASE, middle));
    must("link", candor_table_link(b, BASE, middle));
    must("link", candor_table_link(b, BASE + BIT(30), middle));
    must("link", candor_table_link(a, BASE, low));
    must("map", candor_pte_set(a, BASE, leaf(marked_page(5), PTE_R)));
    must("switch", candor_space_switch(b));
    expect_word("the other root shows it", BASE, 5);
    expect_word("at its second place, too", BASE + BIT(30), 5);
    must("free the first root", candor_table_free(a));
    expect_error("the table is still held", candor_table_free(middle), HC_IN_USE);
    expect_word("and shows it still", BASE, 5);
    expect_error("a table does not go below itself", candor_table_link(b, BASE + REGION, middle),
                 HC_EXISTS);
    expect_error("nor into its own place", candor_table_link(b, BASE, low), HC_EXISTS);
    leave_space(b);
    expect_error("the last root gone, it is free", candor_table_free(middle), HC_OK);
    expect_error("and what it linked", candor_table_free(low), HC_OK);
}

/* A page of the pool among others: a range becomes writable up to it, and no further. */
static void pool_page_in_a_range(void)
{
    struct hc_result r;

    must("map", candor_pte_set(root, BASE, leaf(page, PTE_R)));
    must("map a table", candor_pte_set(root, BASE + PAGE_BYTES, leaf(table, PTE_R)));
    must("map", candor_pte_set(root, BASE + 2 * PAGE_BYTES, leaf(page, PTE_R)));
    r = candor_pte_protect(root, BASE, 3, PROT_READ | PROT_WRITE);
    expect_true("it stops at the page of the pool", r.error == HC_IS_POOL && r.value == 1);
    expect_true("which stays as it was",
                (candor_pte_get(root, BASE + PAGE_BYTES).value & PTE_W) == 0);
    words[0] = page;
    words[1] = start->pool_base_gpa + start->pool_bytes - PAGE_BYTES;
    r = candor_pte_fill(root, BASE + 3 * PAGE_BYTES, array, 2, PROT_READ | PROT_WRITE);
    expect_true("so does pte_fill", r.error == HC_IS_POOL && r.value == 1);
    must("clear", candor_pte_clear(root, BASE, 5, array));
}

static const struct attack attacks[] = {
    {"all-low-bits", all_low_bits},
    {"all-rights-of-ranges", all_rights_of_ranges},
    {"all-high-bits", all_high_bits},
    {"all-frames", all_frames},
    {"hardware-writes-no-entry", hardware_writes_no_entry},
    {"global-bit", global_bit},
    {"upper-half", upper_half},
    {"huge-counts", huge_counts},
    {"link-counts", link_counts},
    {"shared-tables", shared_tables},
    {"pool-page-in-a-range", pool_page_in_a_range},
};

void guest_main(void)
{
    root = make_space(BASE, &table);
    page = take_page();
    array = take_page();
    words = gpa_to_pointer(array);
    attacks_make(attacks, ARRAY_SIZE(attacks));
}
