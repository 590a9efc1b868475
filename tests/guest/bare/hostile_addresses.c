/* SPDX-License-Identifier: MIT */
/*
 * Accesses to where nothing is: without translation, and by leaves, tables and roots of every size
 * that lead there.
 */
#include "bare.h"

enum { PLACE = 0x40000000, MANY = 64, UART_LINE_CONTROL = 3, UART_DIVISOR = 0x83 };

/* Holes of QEMU's `virt` too. */
static const u64 holes[] = {
    0x300000, 0x1800000, 0x2100000, 0x18000000, 0x28000000, BIT(40), BIT(45), BIT(55), BIT(56) - 8,
};

static u64 wrong_unless(u64 cause, u64 expected, u64 value)
{
    return cause != expected || last_trap.value != value;
}

/* All three ways, without translation or by a translation that is there. */
static u64 hole_wrong(u64 address)
{
    u64 wrong = wrong_unless(load_cause(address, NULL), CAUSE_LOAD_ACCESS, address);

    wrong += wrong_unless(store_cause(address, ~0UL), CAUSE_STORE_ACCESS, address);
    return wrong + wrong_unless(fetch_cause(address), CAUSE_FETCH_ACCESS, address);
}

static void holes_without_translation(void)
{
    u64 wrong = 0;

    for (u32 i = 0; i < ARRAY_SIZE(holes); i++)
        wrong += hole_wrong(holes[i]);
    expect_none("a hole is an access fault at its address", wrong);
    wrong = 0;
    for (u64 at = bare_memory_end; !bare_machine && at < RAM_BASE + 4 * GIGAPAGE_BYTES;
         at += MEGAPAGE_BYTES)
        wrong += hole_wrong(at);
    expect_none("nothing is behind the memory", wrong);
}

/* Candor's own memory begins where the guest's seems to; the devices are of the guest's own kind.
 */
static void candors_own_addresses(void)
{
    static const u64 places[] = {0x2000000, 0x2004000, 0x200bff8, 0x10001000, 0x30000000};
    u64 before, wrong = 0, after;

    wrong += load_cause(RAM_BASE, &before) != 0 && !bare_machine;
    if (!bare_machine)
        *(volatile u64 *)RAM_BASE = ~before;
    wrong += !bare_machine && *(volatile u64 *)RAM_BASE != ~before;
    for (u32 i = 0; i < ARRAY_SIZE(places) && !bare_machine; i++)
        wrong += hole_wrong(places[i]);
    (void)load_cause(RAM_BASE, &after);
    expect_none("its memory begins with its own frame, and the machine's timer is not there",
                wrong);
}

static void leaves_to_nowhere(void)
{
    u64 *root = space_make(), wrong = 0;
    u64 *entry = map_page(root, PLACE, 0);

    space_use(root, 1);
    for (u32 i = 0; i < ARRAY_SIZE(holes); i++) {
        u64 frame = holes[i] & ~(u64)(PAGE_BYTES - 1);

        *entry = entry_of((void *)frame, PTE_ALL);
        fence_all();
        wrong += hole_wrong(PLACE + 8);
        root[3] = entry_of((void *)(holes[i] & ~(GIGAPAGE_BYTES - 1)), PTE_ALL);
        fence_all();
        if (holes[i] >= BIT(40))
            wrong += hole_wrong(3 * GIGAPAGE_BYTES + 16);
        root[3] = 0;
    }
    for (u32 bit = 0; bit < 44;
         bit++) { /* each bit of the frame's number, with the last of memory */
        u64 frame = (bare_memory_end - PAGE_BYTES) ^ BIT(bit) << PAGE_SHIFT;
        u64 value;

        if (bare_machine || (frame >= RAM_BASE && frame < bare_memory_end))
            continue;
        *entry = entry_of((void *)frame, PTE_DATA);
        fence_page(PLACE);
        if (frame < RAM_BASE)
            continue;
        wrong += load_cause(PLACE, &value) != CAUSE_LOAD_ACCESS;
    }
    expect_none("a leaf that leads nowhere is an access fault", wrong);
}

/* QEMU takes a table that it cannot read for an entry that is not valid (4.3.2 has it otherwise).
 */
static u64 table_wrong(u64 address)
{
    return bare_machine ? load_cause(address, NULL) != CAUSE_LOAD_PAGE : hole_wrong(address);
}

static void tables_nowhere(void)
{
    u64 *root = space_make(), wrong = 0;

    space_use(root, 1);
    for (u32 i = 0; i < ARRAY_SIZE(holes); i++) {
        u64 *middle = page_take();

        root[1] = entry_of((void *)(holes[i] & ~(u64)(PAGE_BYTES - 1)), PTE_V);
        fence_all();
        wrong += table_wrong(PLACE);
        root[1] = entry_of(middle, PTE_V);
        middle[0] = entry_of((void *)(holes[i] & ~(u64)(PAGE_BYTES - 1)), PTE_V);
        fence_all();
        wrong += table_wrong(PLACE);
    }
    expect_none("a table where nothing is gives access faults", wrong);
    /* Of a device's registers no table can be; what a processor reads there is its own affair. */
    static const u64 devices[] = {FINISHER_BASE, PLIC_BASE, UART_BASE};
    wrong = 0;
    for (u32 i = 0; i < ARRAY_SIZE(devices) && !bare_machine; i++) {
        root[1] = entry_of((void *)devices[i], PTE_V);
        fence_all();
        wrong += hole_wrong(PLACE);
    }
    expect_none("a device is no table", wrong);
}

static void addresses_that_are_none(void)
{
    u64 *root = space_make(), wrong = 0;

    root[256] = entry_of((void *)RAM_BASE, PTE_ALL);
    root[511] = entry_of((void *)RAM_BASE, PTE_ALL);
    space_use(root, 1);
    for (u32 bit = 39; bit < 64; bit++) {
        u64 address = RAM_BASE ^ BIT(bit);

        wrong += wrong_unless(load_cause(address, NULL), CAUSE_LOAD_PAGE, address);
        wrong += wrong_unless(store_cause(address, 0), CAUSE_STORE_PAGE, address);
        wrong += wrong_unless(fetch_cause(address), CAUSE_FETCH_PAGE, address);
        address = (~0UL << 38) ^ BIT(bit);
        wrong += wrong_unless(load_cause(address, NULL), CAUSE_LOAD_PAGE, address);
    }
    expect_none("an address with wrong upper bits is a page fault", wrong);
}

/* A large leaf whose end is behind the memory, and one that begins before it. */
static void superpages_over_the_edge(void)
{
    u64 *root = space_make(), wrong = 0, value;
    u64 last = RAM_BASE + 3 * GIGAPAGE_BYTES;

    root[5] = entry_of((void *)RAM_BASE, PTE_ALL);
    root[6] = entry_of((void *)last, PTE_ALL);
    space_use(root, 1);
    for (u64 at = 0; at < MANY && !bare_machine; at++) {
        u64 behind = 5 * GIGAPAGE_BYTES + (bare_memory_end - RAM_BASE) + at * MEGAPAGE_BYTES;

        wrong += hole_wrong(behind);
        wrong += hole_wrong(6 * GIGAPAGE_BYTES + at * MEGAPAGE_BYTES);
    }
    page_take()[1] = 77;
    wrong += load_cause(5 * GIGAPAGE_BYTES + (u64)page_take() - PAGE_BYTES + 8 - RAM_BASE, &value);
    wrong += value != 77;
    expect_none("a large leaf reaches no farther than the memory", wrong);
}

static void misaligned_superpages(void)
{
    u64 *root = space_make(), *middle = page_take(), wrong = 0;

    root[1] = entry_of(middle, PTE_V);
    space_use(root, 1);
    for (u32 bit = 0; bit < 18; bit++) {
        root[3] = entry_of((void *)(RAM_BASE | BIT(bit) << PAGE_SHIFT), PTE_ALL);
        if (bit < 9)
            middle[0] = root[3];
        fence_all();
        wrong += load_cause(3 * GIGAPAGE_BYTES, NULL) != CAUSE_LOAD_PAGE;
        wrong += store_cause(3 * GIGAPAGE_BYTES + 8, 0) != CAUSE_STORE_PAGE;
        wrong += load_cause(PLACE, NULL) != CAUSE_LOAD_PAGE;
    }
    expect_none("a large leaf that is not aligned is a page fault", wrong);
}

/* An access of which one half is memory and the other one is none, or a device. */
static void across_the_edge(void)
{
    u64 *root = space_make(), *page = page_take(), wrong = 0;
    u64 *last = &page[TABLE_WORDS - 1];
    u8 volatile *const uart = (volatile u8 *)UART_BASE;
    u8 divisor;

    map_page(root, PLACE, entry_of(page, PTE_DATA));
    map_page(root, PLACE + PAGE_BYTES, 0);
    space_use(root, 1);
    *last = 0x1122334455667788;
    for (u32 part = 1; part < 8; part++) {
        wrong += load_cause(PLACE + PAGE_BYTES - part, NULL) != CAUSE_LOAD_PAGE;
        wrong += store_cause(PLACE + PAGE_BYTES - part, ~0UL) != CAUSE_STORE_PAGE;
    }
    expect_none("an access across into nothing is a page fault", wrong);
    if (bare_machine)
        return;
    wrong = 0;
    map_page(root, PLACE + PAGE_BYTES, entry_of((void *)UART_BASE, PTE_DATA));
    fence_all();
    uart[UART_LINE_CONTROL] = UART_DIVISOR;
    divisor = uart[0];
    for (u32 part = 1; part < 8; part++) {
        wrong += load_cause(PLACE + PAGE_BYTES - part, NULL) != CAUSE_LOAD_ACCESS;
        wrong += store_cause(PLACE + PAGE_BYTES - part, ~0UL) != CAUSE_STORE_ACCESS;
    }
    wrong += uart[0] != divisor;
    uart[0] = divisor;
    uart[UART_LINE_CONTROL] = 3;
    expect_none("an access across into a device is refused", wrong);
}

static const struct attack attacks[] = {
    {"holes-without-translation", holes_without_translation},
    {"candors-own-addresses", candors_own_addresses},
    {"leaves-to-nowhere", leaves_to_nowhere},
    {"tables-nowhere", tables_nowhere},
    {"addresses-that-are-none", addresses_that_are_none},
    {"superpages-over-the-edge", superpages_over_the_edge},
    {"misaligned-superpages", misaligned_superpages},
    {"across-the-edge", across_the_edge},
};

void bare_main(void)
{
    attacks_make(attacks, ARRAY_SIZE(attacks));
}
