/* SPDX-License-Identifier: MIT */
/*
 * Roots: only a validated one is ever in use. One in use is not freed, a freed one is not used, and
 * what the fast paths remember of roots and tables is forgotten in time.
 */
#include "guest.h"

enum { BASE = 0x400000 };

void guest_main(void)
{
    u64 last_a, last_b, page = take_page(), other = take_page();
    u64 a = make_space(BASE, &last_a), b = make_space(BASE, &last_b);
    u64 boot = start->boot_root_gpa, freed = take_pool_frame();
    struct guest_trap trap;
    u64 value;

    expect_error("the boot root in use is not freed", candor_table_free(boot), HC_IN_USE);
    expect_error("a data page is no root", candor_space_switch(page), HC_NOT_POOL);
    expect_error("a pool frame that is no table is no root", candor_space_switch(freed),
                 HC_BAD_LEVEL);
    expect_error("a level-0 table is no root", candor_space_switch(last_a), HC_BAD_LEVEL);
    expect_error("a frame outside is no root", candor_space_switch(0x1000), HC_INVALID_ADDRESS);
    expect_error("a misaligned root is none", candor_space_switch(a + 8), HC_INVALID_ADDRESS);
    expect_error("all ones is no root", candor_space_switch(UINT64_MAX), HC_INVALID_ADDRESS);

    /* What an implementation may use for "none" must not be a name. */
    for (u64 wild = 0; wild < PAGE_BYTES; wild++) {
        if (candor_space_switch(wild).error != HC_INVALID_ADDRESS ||
            candor_pte_set(wild, 0, 0).error != HC_INVALID_ADDRESS ||
            candor_pte_set(wild, 0, leaf(page, PTE_R)).error != HC_INVALID_ADDRESS)
            fail("small numbers are no roots", "%lx is one", wild);
    }
    pass("small numbers are no roots");

    *(u64 *)gpa_to_pointer(page) = 1;
    *(u64 *)gpa_to_pointer(other) = 2;
    must("map", candor_pte_set(a, BASE, leaf(page, PTE_R | PTE_W)));
    must("map", candor_pte_set(b, BASE, leaf(other, PTE_R | PTE_W)));
    must("switch", candor_space_switch(a));
    expect_true("space a shows its page", try_load(BASE, &value, &trap) && value == 1);
    expect_error("a root in use is not freed", candor_table_free(a), HC_IN_USE);
    must("switch", candor_space_switch(b));
    expect_true("space b shows its page", try_load(BASE, &value, &trap) && value == 2);
    expect_error("a root that was in use is freed", candor_table_free(a), HC_OK);
    expect_error("a freed root is not used", candor_space_switch(a), HC_BAD_LEVEL);
    expect_error("nor written", candor_pte_set(a, BASE, leaf(page, PTE_R)), HC_BAD_LEVEL);
    expect_error("nor read", candor_pte_get(a, BASE), HC_BAD_LEVEL);
    must("make it a level-0 table", candor_table_make(a, 0));
    expect_error("nor used when it is another table", candor_space_switch(a), HC_BAD_LEVEL);

    must("set through the fast path", candor_pte_set(b, BASE, leaf(page, PTE_R)));
    must("unlink the table just used", candor_table_unlink(b, BASE, 0));
    expect_error("an unlinked table is not written", candor_pte_set(b, BASE, leaf(other, PTE_R)),
                 HC_NO_TABLE);
    expect_true("nor used by the processor",
                !try_load(BASE, &value, &trap) && trap.cause == CAUSE_LOAD_FAULT);
    must("free it", candor_table_free(last_b));
    must("make it a root", candor_table_make(last_b, 2));
    expect_error("a frame that was a level-0 table is a root now", candor_space_switch(last_b),
                 HC_OK);
    expect_true("and maps nothing",
                !try_load(BASE, &value, &trap) && trap.cause == CAUSE_LOAD_FAULT);
    must("switch back", candor_space_switch(boot));
    expect_error("roots are freed when nothing uses them", candor_table_free(last_b), HC_OK);
}
