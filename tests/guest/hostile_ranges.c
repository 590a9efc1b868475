/* SPDX-License-Identifier: MIT */
/*
 * Range calls at their edges: a space cloned into itself, counts past the limit, arrays that cross
 * the end of the memory or lie in the pages being taken away, addresses that wrap.
 */
#include "guest.h"

enum { BASE = 0x400000, LIMIT = 512, TOP = -4096 };

void guest_main(void)
{
    u64 root = make_space(BASE, NULL), other = make_space(BASE, NULL), page = take_page();
    u64 end = start->memory_base_gpa + start->memory_bytes;
    u64 array = take_page(), *entries = gpa_to_pointer(array);
    struct hc_result r;

    must("map", candor_pte_set(root, BASE, leaf(page, PTE_R | PTE_W)));
    expect_error("too many pages (protect)", candor_pte_protect(root, BASE, LIMIT + 1, PROT_READ),
                 HC_INVALID_PARAM);
    expect_error("too many pages (clear)", candor_pte_clear(root, BASE, UINT64_MAX, array),
                 HC_INVALID_PARAM);
    expect_error("too many updates", candor_pte_batch(root, array, LIMIT + 1), HC_INVALID_PARAM);
    expect_error("rights without the right to read", candor_pte_protect(root, BASE, 1, PROT_WRITE),
                 HC_INVALID_PARAM);
    expect_error("unknown rights", candor_pte_protect(root, BASE, 1, PROT_READ | BIT(40)),
                 HC_INVALID_PARAM);
    expect_error("a misaligned page", candor_pte_protect(root, BASE + 1, 1, PROT_READ),
                 HC_INVALID_ADDRESS);
    expect_error("the last page of all", candor_pte_protect(root, (u64)TOP, 2, PROT_READ),
                 HC_INVALID_ADDRESS);
    expect_error("a misaligned array", candor_pte_clear(root, BASE, 1, array + 4),
                 HC_INVALID_ADDRESS);
    expect_true("none of this has changed the entry",
                (candor_pte_get(root, BASE).value & ~(u64)(PTE_A | PTE_D)) ==
                    leaf(page, PTE_R | PTE_W));
    r = candor_pte_clear(root, BASE, 2, end - 8);
    expect_true("an array that leaves the memory is cut off there",
                r.error == HC_INVALID_ADDRESS && r.value <= 1);
    r = candor_pte_batch(root, end - 8, 1);
    expect_true("so is a batch", r.error == HC_INVALID_ADDRESS && r.value == 0);
    must("map", candor_pte_set(root, BASE, leaf(page, PTE_R | PTE_W)));
    r = candor_pte_clone(root, root, BASE, 1, array);
    expect_true("a space is not cloned over itself", r.error < 0);
    expect_error("it is cloned into another", candor_pte_clone(other, root, BASE, 1, array), HC_OK);
    expect_true("and neither may write any more",
                (candor_pte_get(root, BASE).value & PTE_W) == 0 &&
                    (candor_pte_get(other, BASE).value & PTE_W) == 0);
    expect_true("the old entry is told in guest frames",
                (entries[0] & ~(u64)(PTE_A | PTE_D)) == leaf(page, PTE_R | PTE_W));
    must("map the array itself", candor_pte_set(root, BASE, leaf(array, PTE_R | PTE_W)));
    expect_error("an array is told of its own page", candor_pte_clear(root, BASE, LIMIT / 2, array),
                 HC_OK);
    expect_true("and is written in order",
                (entries[0] & ~(u64)(PTE_A | PTE_D)) == leaf(array, PTE_R | PTE_W) &&
                    entries[1] == 0);
    expect_error("flush has its checks, too", candor_flush(root, start->direct_map_gva, 1),
                 HC_INVALID_ADDRESS);
    expect_error("of roots as well", candor_flush(page, BASE, 1), HC_NOT_POOL);
}
