/* SPDX-License-Identifier: MIT */
/*
 * Shadow page tables against what a processor may do: a guest writes its own tables, fences, and
 * changes spaces at random; each of its accesses must give what its tables say, or have said while
 * that space was in use, since the last fence. CANDOR_SEED=n repeats a run, CANDOR_STEPS=n prolongs
 * it.
 */
#include "check.h"

#include <stdio.h>

#include "arch/arch.h"
#include "core/audit.h"
#include "core/vm.h"
#include "csr.h"
#include "host.h"
#include "mem/frame.h"
#include "shadow_machine.h"
#include "sv39.h"
#include "tlb.h"
#include "virt/shadow/shadow.h"
#include "virt/virt.h"

enum {
    ROOTS = 3,
    TABLES = 12, /* guest frames that serve as tables, roots first */
    DATA = 16,   /* guest frames that are mapped, tables among them */
    SPACES = 4,  /* identifiers that the guest uses with each root */
    PAGES = 12,  /* addresses that it uses */
    SEEN_MAX = 64,
    STEPS = 20000,
    AUDIT_EVERY = 200,
};

static u64 seed;

/* What a page may translate to in a space, since its last fence there: guest leaf entries, exact.
 */
static struct seen {
    u32 count;
    u64 leaves[SEEN_MAX];
} seen[ROOTS][SPACES][PAGES];

static u32 pick(u32 count)
{
    seed = seed * 6364136223846793005UL + 1442695040888963407UL;
    return (u32)(seed >> 33) % count;
}

/* ---- the guest's tables, walked a second way ---- */

static gva_t page_address(u32 page)
{
    static const u64 regions[] = {0, 1UL << 21, 1UL << 30, 0xffffffffc0000000UL};

    return gva(regions[page % ARRAY_SIZE(regions)] + (u64)(page / 4) * FRAME_BYTES);
}

/* The leaf that the guest's tables give an address, its frame that of the page; 0: a fault. */
static u64 leaf_of(u32 root, u32 page)
{
    gva_t address = page_address(page);
    u64 table = guest_frame(root);

    for (u32 level = SV39_LEVELS; level-- > 0;) {
        u64 pages = 1UL << (SV39_INDEX_BITS * level);
        const u64 *entries = guest_table_entry(vm, table, 0);
        u64 entry, frame;

        if (entries == NULL)
            return 0;
        entry = entries[address.value >> (FRAME_SHIFT + SV39_INDEX_BITS * level) & 511];
        frame = entry >> 10;
        if (!(entry & SV39_V) || ((entry & SV39_W) && !(entry & SV39_R)) || entry >> 54)
            return 0;
        if (!(entry & (SV39_R | SV39_W | SV39_X))) {
            if (level == 0 || (entry & (SV39_U | SV39_A | SV39_D)))
                return 0;
            table = frame;
            continue;
        }
        if (frame % pages != 0)
            return 0;
        frame += (address.value >> FRAME_SHIFT) % pages;
        return frame << 10 | (entry & (SV39_V | SV39_R | SV39_W | SV39_X | SV39_U));
    }
    return 0;
}

static void see(u32 page)
{
    struct seen *one = &seen[guest_root][guest_space][page];
    u64 leaf = leaf_of(guest_root, page);

    for (u32 i = 0; i < one->count; i++) {
        if (one->leaves[i] == leaf)
            return;
    }
    assert_true(one->count < SEEN_MAX);
    one->leaves[one->count++] = leaf;
}

static void see_all(void)
{
    for (u32 page = 0; page < PAGES; page++)
        see(page);
}

/* ---- what the guest does ---- */

static u64 any_entry(void)
{
    static const u64 rights[] = {SV39_R,          SV39_R | SV39_W,
                                 SV39_R | SV39_X, SV39_X,
                                 SV39_R | SV39_U, SV39_R | SV39_W | SV39_U,
                                 SV39_X | SV39_U, SV39_R | SV39_W | SV39_X | SV39_U,
                                 SV39_W};
    u64 frame = guest_frame(pick(DATA));

    switch (pick(8)) {
    case 0:
        return 0;
    case 1:
    case 2:
    case 3:
        return guest_frame(ROOTS + pick(TABLES - ROOTS)) << 10 | SV39_V; /* a link */
    case 4:
        frame = (VM_MEMORY_BASE >> FRAME_SHIFT) + pick(2) * CHUNK_FRAMES; /* a large leaf */
        break;
    case 5:
        frame = pick(4) == 0 ? pick(1 << 20) : frame; /* perhaps no memory */
        break;
    default:
        break;
    }
    return frame << 10 | SV39_V | rights[pick(ARRAY_SIZE(rights))] | (pick(4) ? SV39_A : 0) |
           (pick(2) ? SV39_D : 0) | (pick(8) ? 0 : SV39_G);
}

static void write_any(void)
{
    u32 table = pick(TABLES);
    gva_t address = page_address(pick(PAGES));

    guest_write(table, sv39_index(address, pick(SV39_LEVELS)), any_entry());
    see_all();
}

static void fence_all(void)
{
    guest_fence();
    memset(seen, 0, sizeof(seen));
    see_all();
}

static void fence_page(void)
{
    u32 page = pick(PAGES);

    while (shadow_fence_page(vcpu, page_address(page)))
        ;
    for (u32 root = 0; root < ROOTS; root++) {
        for (u32 space = 0; space < SPACES; space++)
            seen[root][space][page].count = 0;
    }
    see(page);
}

static void change_space(u32 root, u32 space)
{
    guest_enter(root, space);
    see_all();
}

static bool permitted(u32 page, u64 leaf, u64 right)
{
    const struct seen *one = &seen[guest_root][guest_space][page];

    for (u32 i = 0; i < one->count; i++) {
        u64 may = one->leaves[i];
        mfn_t frame = p2m_lookup(&vm->p2m, may >> 10);

        if (leaf == 0 ? (may & right) == 0 || !(may & SV39_U) != !guest_is_user || !mfn_valid(frame)
                      : (may & right) != 0 && !(may & SV39_U) == !guest_is_user &&
                            frame.number == sv39_frame(leaf))
            return true;
    }
    return false;
}

static void access_any(void)
{
    static const u64 rights[] = {SV39_R, SV39_W, SV39_X};
    u32 page = pick(PAGES);
    u64 right = rights[pick(ARRAY_SIZE(rights))];
    u64 leaf;

    guest_is_user = pick(2) != 0;
    leaf = guest_go(page_address(page), right);
    see_all(); /* A and D do not count, but a table that is mapped may have been its own */
    if (!permitted(page, leaf, right))
        fail_msg("seed %lu: page %u, right %lx, %s: the leaf %lx was never so in root %u space %u",
                 seed, page, right, guest_is_user ? "user" : "kernel", leaf, guest_root,
                 guest_space);
    guest_is_user = false;
}

/* ---- the test ---- */

static u64 number_of(const char *name, u64 usual)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 0) : usual;
}

static void test_every_access_gives_what_the_tables_say_or_said_since_the_fence(void **state)
{
    u64 steps = number_of("CANDOR_STEPS", STEPS);

    (void)state;
    seed = number_of("CANDOR_SEED", 1);
    machine_make();
    windows_make(ROOTS);
    change_space(0, 0);
    for (u64 i = 0; i < steps; i++) {
        u32 what = pick(100);

        if (what < 45)
            access_any();
        else if (what < 85)
            write_any();
        else if (what < 92)
            fence_page();
        else if (what < 95)
            fence_all();
        else
            change_space(pick(ROOTS), pick(SPACES));
        if (i % AUDIT_EVERY == 0)
            audit_holds();
    }
    assert_true(vm->shadow->tables.counts.settled > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_access_gives_what_the_tables_say_or_said_since_the_fence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
