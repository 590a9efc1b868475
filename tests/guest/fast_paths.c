/* SPDX-License-Identifier: MIT */
/*
 * The edges of what Candor's assembly serves by itself: once it remembers a root and its table,
 * each wrong argument must still be found, and an entry gets no right by the short way that it
 * would not get by the long one.
 */
#include "guest.h"

enum {
    BASE = 0x40000000,
    REGION = 0x200000,
    RIGHTS = PTE_R | PTE_W | PTE_U,
    ENTRIES = 512,
};

static u64 root, last, page;

/* From here on the calls for BASE's region are served the short way. */
static void warm_up(void)
{
    must("set", candor_pte_set(root, BASE, leaf(page, RIGHTS)));
    must("set again", candor_pte_set(root, BASE, leaf(page, RIGHTS)));
    must("clear", candor_pte_set(root, BASE, 0));
}

static void expect_empty(const char *name)
{
    const u64 *entries = gpa_to_pointer(last);

    for (u32 i = 0; i < ENTRIES; i++) {
        if (entries[i] != 0)
            fail(name, "entry %u is %lx", i, entries[i]);
    }
}

static void expect_refused(const char *name, u64 address, u64 entry, i64 error)
{
    warm_up();
    expect_error(name, candor_pte_set(root, address, entry), error);
    expect_empty(name);
}

static u64 raw_entry(void)
{
    return *(const u64 *)gpa_to_pointer(last);
}

static void expect_no_global_entries(void)
{
    u64 entry;

    warm_up();
    must("a global entry", candor_pte_set(root, BASE, leaf(page, RIGHTS | PTE_G)));
    entry = raw_entry();
    if ((entry & PTE_G) != 0 || (entry & (PTE_A | PTE_D)) != (PTE_A | PTE_D))
        fail("no global entries", "it is %lx", entry);
    must("clear", candor_pte_set(root, BASE, 0));
    pass("no global entries");
}

void guest_main(void)
{
    u64 first = start->memory_base_gpa, end = first + start->memory_bytes;

    root = make_space(BASE, &last);
    page = take_page();
    expect_refused("a misaligned address", BASE + 8, leaf(page, RIGHTS), HC_INVALID_ADDRESS);
    expect_refused("a misaligned address to clear", BASE + 1, 0, HC_INVALID_ADDRESS);
    expect_refused("another region", BASE + REGION * 8UL, leaf(page, RIGHTS), HC_NO_TABLE);
    expect_refused("another region, far away", BASE + (8UL << 30), leaf(page, RIGHTS), HC_NO_TABLE);
    expect_refused("the upper half", start->direct_map_gva + page, leaf(page, RIGHTS),
                   HC_INVALID_ADDRESS);
    expect_refused("the frame behind the last", BASE, leaf(end, RIGHTS), HC_BAD_ENTRY);
    expect_refused("the frame before the first", BASE, leaf(first - PAGE_BYTES, RIGHTS),
                   HC_BAD_ENTRY);
    expect_refused("bits above a frame's number", BASE, leaf(page, RIGHTS) | 1UL << 54,
                   HC_BAD_ENTRY);
    expect_refused("a frame's number past 32 bits", BASE, leaf(page + (1UL << 44), RIGHTS),
                   HC_BAD_ENTRY);
    expect_refused("rights that are not valid", BASE, leaf(page, RIGHTS) & ~(u64)PTE_V,
                   HC_BAD_ENTRY);
    expect_refused("the right to write alone", BASE, leaf(page, PTE_W), HC_BAD_ENTRY);
    expect_refused("a writable frame of the pool", BASE, leaf(last, RIGHTS), HC_IS_POOL);
    expect_no_global_entries();
}
