/* SPDX-License-Identifier: MIT */
/*
 * Page tables are read-only to their guest, whatever it maps: no writable leaf of a pool frame by
 * any call, no store through the direct map, no rights raised afterwards, no copying of Candor's
 * into the pool.
 */
#include "guest.h"

enum { BASE = 0x400000, OTHER = 0x401000 };

void guest_main(void)
{
    u64 last, root = make_space(BASE, &last);
    u64 page = take_page(), pool_frame = last;
    u64 *frames = gpa_to_pointer(take_page());
    struct guest_trap trap;
    u64 value, before;

    expect_true("the pool can be read through the direct map",
                try_load((u64)gpa_to_pointer(last), &before, &trap));
    expect_true("the pool cannot be written through the direct map",
                !try_store((u64)gpa_to_pointer(last), leaf(page, PTE_R), &trap) &&
                    trap.cause == CAUSE_STORE_FAULT);
    expect_true(
        "a pool frame that is no table cannot be written either",
        !try_store((u64)gpa_to_pointer(start->pool_base_gpa + start->pool_bytes - 8), 1, &trap));
    expect_error("a writable leaf of a table",
                 candor_pte_set(root, BASE, leaf(pool_frame, PTE_R | PTE_W)), HC_IS_POOL);
    expect_error("a writable leaf of a root",
                 candor_pte_set(root, BASE, leaf(root, PTE_R | PTE_W | PTE_U)), HC_IS_POOL);
    frames[0] = pool_frame;
    expect_error("the same by fill",
                 candor_pte_fill(root, BASE, pointer_to_gpa(frames), 1, PROT_READ | PROT_WRITE),
                 HC_IS_POOL);
    expect_true("nothing has been mapped", candor_pte_get(root, BASE).value == 0);

    struct hc_result r = candor_pte_set(root, BASE, leaf(pool_frame, PTE_R));
    if (r.error == HC_OK) {
        must("switch", candor_space_switch(root));
        expect_error("a read-only leaf of a table is not made writable",
                     candor_pte_protect(root, BASE, 1, PROT_READ | PROT_WRITE), HC_IS_POOL);
        expect_error("nor by setting it again",
                     candor_pte_set(root, BASE, leaf(pool_frame, PTE_R | PTE_W)), HC_IS_POOL);
        expect_true("it still cannot be written",
                    !try_store(BASE, leaf(page, PTE_R), &trap) && trap.cause == CAUSE_STORE_FAULT);
    } else {
        expect_error("a read-only leaf of a table is refused or harmless", r, HC_IS_POOL);
    }
    must("clear", candor_pte_set(root, BASE, 0));
    must("map", candor_pte_set(root, OTHER, leaf(page, PTE_R | PTE_W)));
    expect_error("old entries are not written into the pool (clear)",
                 candor_pte_clear(root, OTHER, 1, pool_frame), HC_IS_POOL);
    expect_error("nor by clone",
                 candor_pte_clone(make_space(BASE, NULL), root, OTHER, 1, pool_frame), HC_IS_POOL);
    expect_true(
        "nor across the edge from data to the pool's neighbour",
        candor_pte_clear(root, BASE, 2, start->pool_base_gpa + start->pool_bytes - 8).error < 0);
    try_load((u64)gpa_to_pointer(last), &value, &trap);
    expect_true("the table is as it was", value == before);
    expect_true("text cannot be written",
                !try_store((u64)guest_trap_entry, 0, &trap) && trap.cause == CAUSE_STORE_FAULT);
    *(u32 *)gpa_to_pointer(page) = 0x8067; /* ret */
    expect_true("data cannot be executed",
                !try_execute((u64)gpa_to_pointer(page), &trap) && trap.cause == CAUSE_FETCH_FAULT);
}
