/* SPDX-License-Identifier: MIT */
/*
 * Page tables from a guest's side: what is mapped can be used, what is not traps, and changes take
 * effect at once. Every step is done twice in the same order: as the calls are served (by the
 * assembly, where it can), on fresh tables each time.
 */
#include "guest.h"

#include "string.h"

enum {
    ROUNDS = 2,
    PAGES = 40,
    RIGHTS = PTE_R | PTE_W | PTE_U,
};

#define PLACE 0x40000000UL

static u64 entry_frame(u64 entry)
{
    return entry >> 10 << 12;
}

static void open_to_kernel(void)
{
    __asm__ volatile("csrs sstatus, %0" : : "r"(1UL << 18)); /* SUM */
}

static void test_set(u64 root)
{
    struct guest_trap trap;
    u64 page = take_page(), other = take_page(), value;

    *(u64 *)gpa_to_pointer(page) = 111;
    *(u64 *)gpa_to_pointer(other) = 222;
    expect_true("an absent page traps", !try_load(PLACE, &value, &trap) &&
                                            trap.cause == CAUSE_LOAD_FAULT && trap.value == PLACE);
    expect_true("no old entry", must("set", candor_pte_set(root, PLACE, leaf(page, RIGHTS))) == 0);
    must("flush", candor_flush(root, PLACE, 1));
    expect_true("a mapped page is read", try_load(PLACE, &value, &trap) && value == 111);
    expect_true("a mapped page is written",
                try_store(PLACE, 333, &trap) && *(u64 *)gpa_to_pointer(page) == 333);
    value = must("set", candor_pte_set(root, PLACE, leaf(other, PTE_R | PTE_U)));
    expect_true("the old entry in guest frames",
                entry_frame(value) == page && (value & RIGHTS) == RIGHTS);
    expect_true("a changed page is seen", try_load(PLACE, &value, &trap) && value == 222);
    expect_true("a read-only page is not written",
                !try_store(PLACE, 1, &trap) && trap.cause == CAUSE_STORE_FAULT);
    value = must("get", candor_pte_get(root, PLACE));
    expect_true("pte_get", entry_frame(value) == other && (value & (PTE_R | PTE_W)) == PTE_R);
    value = must("clear", candor_pte_set(root, PLACE, 0));
    expect_true("the last entry in guest frames", entry_frame(value) == other);
    expect_true("a cleared page traps", !try_load(PLACE, &value, &trap));
}

static void test_ranges(u64 root, u64 other_root)
{
    static u64 frames[PAGES] __attribute__((aligned(4096)));
    static u64 old[PAGES] __attribute__((aligned(4096)));
    struct guest_trap trap;
    u64 value;
    bool good = true;

    for (u64 i = 0; i < PAGES; i++) {
        frames[i] = take_page();
        *(u64 *)gpa_to_pointer(frames[i]) = i;
    }
    value = must("fill", candor_pte_fill(root, PLACE, pointer_to_gpa(frames), PAGES,
                                         PROT_READ | PROT_WRITE | PROT_USER));
    expect_true("pte_fill does all", value == PAGES);
    for (u64 i = 0; i < PAGES; i++)
        good = good && try_load(PLACE + i * PAGE_BYTES, &value, &trap) && value == i;
    expect_true("all filled pages are read", good);
    value = must("clone", candor_pte_clone(other_root, root, PLACE, PAGES, pointer_to_gpa(old)));
    for (u64 i = 0; i < PAGES; i++)
        good = good && entry_frame(old[i]) == frames[i] && (old[i] & PTE_W);
    expect_true("pte_clone tells all entries", good && value == PAGES);
    expect_true("a cloned page is not written",
                !try_store(PLACE, 1, &trap) && try_load(PLACE, &value, &trap));
    must("switch", candor_space_switch(other_root));
    expect_true("the clone reads the same",
                try_load(PLACE + 5 * PAGE_BYTES, &value, &trap) && value == 5);
    expect_true("the clone is not written", !try_store(PLACE + 5 * PAGE_BYTES, 1, &trap));
    must("switch", candor_space_switch(root));
    must("protect", candor_pte_protect(root, PLACE, PAGES, PROT_READ | PROT_WRITE | PROT_USER));
    expect_true("rights come back", try_store(PLACE, 77, &trap));
    value = must("clear", candor_pte_clear(root, PLACE, PAGES, pointer_to_gpa(old)));
    for (u64 i = 0; i < PAGES; i++)
        good = good && entry_frame(old[i]) == frames[i] &&
               !try_load(PLACE + i * PAGE_BYTES, &value, &trap);
    expect_true("cleared pages trap", good);
    must("clear", candor_pte_clear(other_root, PLACE, PAGES, pointer_to_gpa(old)));
}

void guest_main(void)
{
    open_to_kernel();
    for (int round = 0; round < ROUNDS; round++) {
        u64 last, other_last;
        u64 root = make_space(PLACE, &last);
        u64 other = make_space(PLACE, &other_last);

        must("switch", candor_space_switch(root));
        test_set(root);
        test_set(root);
        test_ranges(root, other);
        expect_error("a root in use", candor_table_free(root), HC_IN_USE);
        expect_error("a linked table", candor_table_free(last), HC_IN_USE);
        must("switch", candor_space_switch(start->boot_root_gpa));
        expect_true("unlink names the table",
                    must("unlink", candor_table_unlink(root, PLACE, 0)) == last);
        must("free", candor_table_free(last));
        must("free", candor_table_free(root));
        expect_error("a freed root", candor_space_switch(root), HC_BAD_LEVEL);
        expect_error("a freed root's entry", candor_pte_set(root, PLACE, 0), HC_BAD_LEVEL);
        must("free", candor_table_free(other));
    }
}
