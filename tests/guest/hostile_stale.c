/* SPDX-License-Identifier: MIT */
/*
 * Stale translations: frames, roots and identifiers that were used, are given up and used again,
 * and mappings that change under an address that was just used. What was true before must be gone.
 */
#include "attacks.h"

enum {
    BASE = 0x400000,
    ELSEWHERE = 0x40000000,
    ROUNDS = 17000,
    RETURN_1 = 0x4505,
    RETURN_2 = 0x4509,
    RETURN = 0x8082
};

static void table_to_other_level(void)
{
    u64 last, root = make_space(BASE, &last);

    must("map", candor_pte_set(root, BASE, leaf(marked_page(1), PTE_R | PTE_W)));
    must("switch", candor_space_switch(root));
    expect_word("the page is there", BASE, 1);
    must("unlink", candor_table_unlink(root, BASE, 0));
    must("free", candor_table_free(last));
    must("make level 1 of it", candor_table_make(last, 1));
    must("link it elsewhere", candor_table_link(root, ELSEWHERE, last));
    expect_absent("the page is gone", BASE);
    expect_absent("the table says nothing at its new place", ELSEWHERE);
    must("link a level-0 table into it", candor_table_link(root, ELSEWHERE, make_table(0)));
    expect_absent("that says nothing either", ELSEWHERE);
    leave_space(root);
}

static void root_to_table(void)
{
    u64 old = make_space(BASE, NULL), root;

    must("map", candor_pte_set(old, BASE, leaf(marked_page(1), PTE_R)));
    must("switch", candor_space_switch(old));
    expect_word("the page is there", BASE, 1);
    leave_space(old);
    must("make level 0 of the root", candor_table_make(old, 0));
    root = make_table(2);
    must("link", candor_table_link(root, BASE, make_table(1)));
    must("link the old root", candor_table_link(root, BASE, old));
    must("switch", candor_space_switch(root));
    expect_absent("what it mapped as a root is gone", BASE);
    expect_absent("its upper half shows nothing", BASE + 258 * PAGE_BYTES);
    must("map", candor_pte_set(root, BASE, leaf(marked_page(2), PTE_R)));
    expect_word("it maps as a table", BASE, 2);
    expect_error("it is no root any more", candor_space_switch(old), HC_BAD_LEVEL);
    leave_space(root);
}

static void root_to_root(void)
{
    u64 root = make_space(BASE, NULL);

    must("map", candor_pte_set(root, BASE, leaf(marked_page(1), PTE_R)));
    must("switch", candor_space_switch(root));
    expect_word("the page is there", BASE, 1);
    leave_space(root);
    must("make a root of the same frame", candor_table_make(root, 2));
    must("switch", candor_space_switch(root));
    expect_absent("the new space is empty", BASE);
    leave_space(root);
}

/* More roots than there are identifiers, one after the other: every second maps nothing. */
static void identifiers_come_round(void)
{
    u64 middle, last = make_table(0), root = make_table(2), wrong = 0;
    struct guest_trap trap;

    middle = make_table(1);
    must("link level 1", candor_table_link(root, BASE, middle));
    must("link level 0", candor_table_link(root, BASE, last));
    must("map", candor_pte_set(root, BASE, leaf(marked_page(7), PTE_R)));
    for (u64 round = 0; round < ROUNDS; round++) {
        bool full = round % 2 == 0;
        u64 value = 0;

        must("switch", candor_space_switch(root));
        if (try_load(BASE, &value, &trap) != full || (full && value != 7))
            wrong++;
        leave_space(root);
        must("make a root", candor_table_make(root, 2));
        if (!full)
            must("link", candor_table_link(root, BASE, middle));
    }
    leave_space(root);
    expect_true("no root sees what another with its identifier saw", wrong == 0);
}

static void identifiers_used_up(void)
{
    u64 limit = start->pool_base_gpa + start->pool_bytes, made = 0;
    struct hc_result r = {0};

    for (u64 frame = start->pool_base_gpa; frame < limit; frame += PAGE_BYTES) {
        r = candor_table_make(frame, 2);
        made += r.error == HC_OK;
        if (r.error == HC_NO_SPACE)
            break;
    }
    expect_true("roots end with an error or with the pool", r.error == HC_NO_SPACE || made > 0);
    expect_error("a used-up share leaves what is there alone",
                 candor_space_switch(start->boot_root_gpa), HC_OK);
    for (u64 frame = start->pool_base_gpa; frame < limit; frame += PAGE_BYTES) {
        if (candor_table_free(frame).error == HC_OK)
            made--;
    }
    expect_true("all are freed again", (i64)made <= 0);
}

static void change_by_every_call(void)
{
    u64 root = make_space(BASE, NULL), other = make_space(BASE, NULL);
    u64 array = take_page(), *words = gpa_to_pointer(array);
    struct guest_trap trap;

    must("map", candor_pte_set(root, BASE, leaf(marked_page(1), PTE_R | PTE_W)));
    must("switch", candor_space_switch(root));
    expect_word("pte_set", BASE, 1);
    must("again", candor_pte_set(root, BASE, leaf(marked_page(2), PTE_R | PTE_W)));
    expect_word("pte_set over an entry", BASE, 2);
    words[0] = BASE;
    words[1] = leaf(marked_page(3), PTE_R | PTE_W);
    must("batch", candor_pte_batch(root, array, 1));
    expect_word("pte_batch over an entry", BASE, 3);
    expect_true("it is written", try_store(BASE, 4, &trap));
    must("protect", candor_pte_protect(root, BASE, 1, PROT_READ));
    expect_true("pte_protect", !try_store(BASE, 5, &trap) && trap.cause == CAUSE_STORE_FAULT);
    must("protect", candor_pte_protect(root, BASE, 1, PROT_READ | PROT_WRITE));
    expect_true("rights that come back", try_store(BASE, 6, &trap));
    must("clone", candor_pte_clone(other, root, BASE, 1, array));
    expect_true("pte_clone", !try_store(BASE, 7, &trap) && trap.cause == CAUSE_STORE_FAULT);
    must("clear", candor_pte_clear(root, BASE, 1, array));
    expect_absent("pte_clear", BASE);
    words[0] = marked_page(8);
    must("fill", candor_pte_fill(root, BASE, array, 1, PROT_READ));
    (void)candor_flush(root, BASE, 1);
    expect_word("pte_fill", BASE, 8);
    must("unlink", candor_table_unlink(root, BASE, 1));
    expect_absent("table_unlink of level 1", BASE);
    leave_space(root);
    must("free", candor_table_free(other));
}

static void many_at_once(void)
{
    enum { PAGES = 64 };
    u64 root = make_space(BASE, NULL), array = take_page(), *words = gpa_to_pointer(array),
        wrong = 0;
    struct guest_trap trap;
    u64 value;

    for (u64 i = 0; i < PAGES; i++)
        words[i] = marked_page(i);
    must("fill", candor_pte_fill(root, BASE, array, PAGES, PROT_READ | PROT_WRITE));
    must("switch", candor_space_switch(root));
    for (u64 i = 0; i < PAGES; i++)
        wrong += !try_store(BASE + i * PAGE_BYTES, i, &trap);
    must("protect", candor_pte_protect(root, BASE, PAGES, PROT_READ));
    for (u64 i = 0; i < PAGES; i++)
        wrong += try_store(BASE + i * PAGE_BYTES, i, &trap);
    must("clear", candor_pte_clear(root, BASE, PAGES, array));
    for (u64 i = 0; i < PAGES; i++)
        wrong += try_load(BASE + i * PAGE_BYTES, &value, &trap);
    expect_true("a range that is too long to be flushed page by page is flushed", wrong == 0);
    leave_space(root);
}

static void second_address(void)
{
    u64 last, root = make_space(BASE, &last);

    must("link level 1", candor_table_link(root, ELSEWHERE, make_table(1)));
    must("link the same table", candor_table_link(root, ELSEWHERE, last));
    must("map", candor_pte_set(root, BASE, leaf(marked_page(1), PTE_R)));
    must("switch", candor_space_switch(root));
    expect_word("the first address", BASE, 1);
    expect_word("the second address", ELSEWHERE, 1);
    must("map", candor_pte_set(root, BASE, leaf(marked_page(2), PTE_R)));
    expect_word("the first address has changed", BASE, 2);
    must("flush", candor_flush(root, ELSEWHERE, 1));
    expect_word("so has the second, when it is flushed", ELSEWHERE, 2);
    must("unlink", candor_table_unlink(root, ELSEWHERE, 0));
    expect_absent("the second address is gone", ELSEWHERE);
    expect_word("the first is not", BASE, 2);
    leave_space(root);
}

static void same_address_in_two_spaces(void)
{
    u64 a = make_space(BASE, NULL), b = make_space(BASE, NULL);

    must("map", candor_pte_set(a, BASE, leaf(marked_page(1), PTE_R)));
    must("map", candor_pte_set(b, BASE, leaf(marked_page(2), PTE_R)));
    must("switch", candor_space_switch(a));
    expect_word("space a", BASE, 1);
    must("change the other space's entry", candor_pte_set(b, BASE, leaf(marked_page(3), PTE_R)));
    expect_word("a is as it was", BASE, 1);
    must("switch", candor_space_switch(b));
    expect_word("b shows the new page", BASE, 3);
    must("switch", candor_space_switch(a));
    must("clear the other's", candor_pte_set(b, BASE, 0));
    must("switch", candor_space_switch(b));
    expect_absent("b shows nothing", BASE);
    leave_space(a);
    leave_space(b);
}

static void absent_then_mapped(void)
{
    u64 root = make_space(BASE, NULL);

    must("switch", candor_space_switch(root));
    expect_absent("nothing is there", BASE);
    must("map", candor_pte_set(root, BASE, leaf(marked_page(1), PTE_R)));
    must("flush", candor_flush(root, BASE, 1));
    expect_word("the page is there", BASE, 1);
    leave_space(root);
}

static u64 code_returns(u64 gva)
{
    return ((u64(*)(void))gva)();
}

static void rewritten_code(void)
{
    u64 root = make_space(BASE, NULL), first = take_page(), second = take_page();
    volatile u16 *a = gpa_to_pointer(first), *b = gpa_to_pointer(second);

    a[0] = RETURN_1;
    b[0] = RETURN_2;
    a[1] = b[1] = RETURN;
    must("map", candor_pte_set(root, BASE, leaf(first, PTE_R | PTE_X)));
    must("switch", candor_space_switch(root));
    __asm__ volatile("fence.i");
    expect_true("the code runs", code_returns(BASE) == 1);
    must("map", candor_pte_set(root, BASE, leaf(second, PTE_R | PTE_X)));
    expect_true("code on another page runs", code_returns(BASE) == 2);
    b[0] = RETURN_1;
    __asm__ volatile("fence.i");
    expect_true("code that was rewritten runs", code_returns(BASE) == 1);
    leave_space(root);
}

static const struct attack attacks[] = {
    {"table-to-other-level", table_to_other_level},
    {"root-to-table", root_to_table},
    {"root-to-root", root_to_root},
    {"identifiers-come-round", identifiers_come_round},
    {"change-by-every-call", change_by_every_call},
    {"many-at-once", many_at_once},
    {"second-address", second_address},
    {"same-address-in-two-spaces", same_address_in_two_spaces},
    {"absent-then-mapped", absent_then_mapped},
    {"rewritten-code", rewritten_code},
    {"identifiers-used-up", identifiers_used_up},
};

void guest_main(void)
{
    attacks_make(attacks, ARRAY_SIZE(attacks));
}
