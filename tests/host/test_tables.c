/* SPDX-License-Identifier: MIT */
/*
 * Every rule about page tables, one by one: making, linking and freeing them, and the identifiers
 * of roots. Those about entries are in test_entries.c.
 */
#include "spaces.h"

/* ---- tables ---- */

static void test_a_table_is_a_frame_of_the_pool(void **state)
{
    (void)state;
    check_error(hc_table_make(cpu, gpa(world_pool(SPARE).value + 8), 0), HC_INVALID_ADDRESS);
    check_error(hc_table_make(cpu, gpa(VM_MEMORY_BASE - FRAME_BYTES), 0), HC_INVALID_ADDRESS);
    check_error(hc_table_make(cpu, gpa(VM_MEMORY_BASE + WORLD_VM_MEMORY), 0), HC_INVALID_ADDRESS);
    check_error(hc_table_make(cpu, world_data(0), 0), HC_NOT_POOL);
    check_error(hc_table_make(cpu, world_pool(SPARE), 3), HC_INVALID_PARAM);
    check_error(hc_table_make(cpu, world_pool(LAST), 0), HC_EXISTS);
    check_error(hc_table_make(cpu, world_pool(0), 2), HC_EXISTS);
}

static void test_errors_come_in_the_order_of_the_arguments(void **state)
{
    (void)state;
    check_error(hc_table_make(cpu, world_data(0), 3), HC_NOT_POOL);
    check_error(hc_table_link(cpu, world_pool(LAST), gva(SV39_LOWER_END), world_data(0)),
                HC_BAD_LEVEL);
    check_error(hc_table_link(cpu, world_pool(ROOT), gva(SV39_LOWER_END), world_data(0)),
                HC_INVALID_ADDRESS);
    check_error(hc_pte_set(cpu, world_pool(ROOT), gva(1), 1), HC_INVALID_ADDRESS);
    check_error(hc_pte_set(cpu, world_pool(ROOT), gva(0), 1), HC_BAD_ENTRY);
    check_error(hc_pte_fill(cpu, world_pool(ROOT), gva(1), gpa(1), 9999, 0), HC_INVALID_ADDRESS);
    check_error(hc_pte_fill(cpu, world_pool(ROOT), PLACE, world_data(0), 9999, 0),
                HC_INVALID_PARAM);
}

static void test_a_new_table_is_empty_whatever_was_in_its_frame(void **state)
{
    u64 *words = world_bytes(vms[0], world_pool(SPARE));

    (void)state;
    memset(words, 0xff, FRAME_BYTES);
    check_value(hc_table_make(cpu, world_pool(SPARE), 0));
    for (u32 i = 0; i < SV39_ENTRIES; i++)
        assert_int_equal(words[i], 0);
}

static void test_a_root_carries_the_direct_map(void **state)
{
    const u64 *words = world_bytes(vms[0], world_pool(ROOT));
    u32 links = 0;

    (void)state;
    for (u32 i = SV39_LOWER_ENTRIES; i < SV39_ENTRIES; i++)
        links += words[i] != 0;
    assert_int_equal(links, 1);
    assert_true(writes(gva(PV_DIRECT_MAP + world_data(0).value)));
    assert_true(reads(gva(PV_DIRECT_MAP + world_pool(ROOT).value)));
    assert_false(writes(gva(PV_DIRECT_MAP + world_pool(ROOT).value)));
    assert_true(mfn_equal(target(gva(PV_DIRECT_MAP + world_data(3).value)),
                          p2m_lookup(&vms[0]->p2m, world_data(3).value >> FRAME_SHIFT)) ||
                target(gva(PV_DIRECT_MAP + world_data(3).value)).number % CHUNK_FRAMES == 0);
}

static void test_a_table_is_linked_at_its_own_level(void **state)
{
    (void)state;
    check_error(hc_table_link(cpu, world_pool(ROOT), PLACE, world_pool(ROOT2)), HC_BAD_LEVEL);
    check_error(hc_table_link(cpu, world_pool(ROOT), PLACE, world_pool(SPARE)), HC_BAD_LEVEL);
    check_error(hc_table_link(cpu, world_pool(ROOT), PLACE, world_data(0)), HC_NOT_POOL);
    check_error(hc_table_link(cpu, world_pool(MIDDLE), PLACE, world_pool(LAST)), HC_BAD_LEVEL);
    check_error(hc_table_link(cpu, world_pool(ROOT), PLACE, world_pool(LAST2)), HC_EXISTS);
    check_error(hc_table_link(cpu, world_pool(ROOT), gva(0), world_pool(LAST2)), HC_NO_TABLE);
    check_error(hc_table_link(cpu, world_pool(ROOT), gva(SV39_LOWER_END), world_pool(MIDDLE2)),
                HC_INVALID_ADDRESS);
    check_error(hc_table_link(cpu, world_pool(ROOT), gva(PV_DIRECT_MAP), world_pool(MIDDLE2)),
                HC_INVALID_ADDRESS);
}

static void test_a_table_linked_twice_is_counted_twice(void **state)
{
    gva_t second = gva(PLACE.value + CHUNK_BYTES);

    (void)state;
    check_value(hc_table_link(cpu, world_pool(ROOT), second, world_pool(LAST)));
    check_value(hc_table_unlink(cpu, world_pool(ROOT), PLACE, 0));
    check_error(hc_table_free(cpu, world_pool(LAST)), HC_IN_USE);
    assert_int_equal(world_audit(), 0);
    assert_int_equal(check_value(hc_table_unlink(cpu, world_pool(ROOT), second, 0)),
                     world_pool(LAST).value);
    check_value(hc_table_free(cpu, world_pool(LAST)));
}

static void test_a_table_in_use_is_not_freed(void **state)
{
    (void)state;
    check_error(hc_table_free(cpu, world_pool(ROOT)), HC_IN_USE);
    check_error(hc_table_free(cpu, world_pool(MIDDLE)), HC_IN_USE);
    check_error(hc_table_free(cpu, world_pool(LAST)), HC_IN_USE);
    check_error(hc_table_free(cpu, world_pool(SPARE)), HC_BAD_LEVEL);
    check_error(hc_table_free(cpu, world_data(0)), HC_NOT_POOL);
    check_error(hc_table_free(cpu, gpa(1)), HC_INVALID_ADDRESS);
}

static void test_freeing_a_table_takes_its_links_back(void **state)
{
    (void)state;
    assert_int_equal(check_value(hc_table_free(cpu, world_pool(ROOT2))), 1);
    assert_int_equal(check_value(hc_table_free(cpu, world_pool(MIDDLE2))), 1);
    check_value(hc_table_free(cpu, world_pool(LAST2)));
    check_error(hc_space_switch(cpu, world_pool(ROOT2)), HC_BAD_LEVEL);
    check_error(hc_pte_set(cpu, world_pool(ROOT2), PLACE, 0), HC_BAD_LEVEL);
}

static void test_unlinking_says_what_was_there_and_flushes(void **state)
{
    (void)state;
    check_value(hc_pte_set(cpu, world_pool(ROOT), PLACE, entry(world_data(0), RW)));
    assert_true(reads(PLACE));
    check_error(hc_table_unlink(cpu, world_pool(ROOT), PLACE, 2), HC_INVALID_PARAM);
    check_error(hc_table_unlink(cpu, world_pool(ROOT), gva(0), 0), HC_NO_TABLE);
    check_error(hc_table_unlink(cpu, world_pool(ROOT), gva(0), 1), HC_NO_TABLE);
    check_error(hc_table_unlink(cpu, world_pool(ROOT), gva(PV_DIRECT_MAP + VM_MEMORY_BASE), 1),
                HC_INVALID_ADDRESS);
    assert_int_equal(check_value(hc_table_unlink(cpu, world_pool(ROOT), PLACE, 1)),
                     world_pool(MIDDLE).value);
    assert_false(reads(PLACE));
}

/* A freed last-level table comes back as a middle one: a hart that remembered the link would take
 * pages for tables. */
static void test_a_table_that_changes_its_level_leaves_no_translation(void **state)
{
    (void)state;
    check_value(hc_pte_set(cpu, world_pool(ROOT), PLACE, entry(world_data(0), RW)));
    assert_true(reads(PLACE));
    check_value(hc_table_unlink(cpu, world_pool(ROOT), PLACE, 0));
    check_value(hc_table_free(cpu, world_pool(LAST)));
    check_value(hc_table_make(cpu, world_pool(LAST), 1));
    assert_false(reads(PLACE));
    assert_int_equal(tlb_check().unsafe, 0);
}

static u32 make_roots(struct vcpu *of, u32 most)
{
    u32 made = 0;

    while (made < most && hc_table_make(of, world_pool(SPARE + made), 2).error == HC_OK)
        made++;
    return made;
}

static void test_a_vm_that_makes_roots_without_end_takes_no_other_ones_identifiers(void **state)
{
    enum { SHARE = 31, HAS = 3, NEIGHBOUR_HAS = 1 }; /* the boot roots, and those of start() */
    struct vcpu *neighbour = &vms[1]->vcpus[0];

    (void)state;
    assert_true(space_id_init(2 * SHARE + 2));
    assert_int_equal(make_roots(cpu, 2 * SHARE), SHARE - HAS);
    check_error(hc_table_make(cpu, world_pool(SPARE + SHARE), 2), HC_NO_SPACE);
    assert_int_equal(make_roots(neighbour, 2 * SHARE), SHARE - NEIGHBOUR_HAS);
    check_value(hc_table_free(cpu, world_pool(SPARE)));
    assert_int_equal(make_roots(cpu, 1), 1);
    vm_end(vms[1], VM_EXIT_REBOOT);
    world_settle();
    assert_int_equal(vms[1]->pv.roots, NEIGHBOUR_HAS);
    start(NULL);
}

static void test_identifiers_that_run_out_are_an_error(void **state)
{
    (void)state;
    assert_true(space_id_init(2)); /* the roots made so far keep theirs; one more can be made */
    vms[0]->pv.roots = vms[1]->pv.roots = 0;
    assert_int_equal(make_roots(cpu, 2), 1);
    check_error(hc_table_make(&vms[1]->vcpus[0], world_pool(SPARE), 2), HC_NO_SPACE);
    start(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        rule(test_a_table_is_a_frame_of_the_pool),
        rule(test_errors_come_in_the_order_of_the_arguments),
        rule(test_a_new_table_is_empty_whatever_was_in_its_frame),
        rule(test_a_root_carries_the_direct_map),
        rule(test_a_table_is_linked_at_its_own_level),
        rule(test_a_table_linked_twice_is_counted_twice),
        rule(test_a_table_in_use_is_not_freed),
        rule(test_freeing_a_table_takes_its_links_back),
        rule(test_unlinking_says_what_was_there_and_flushes),
        rule(test_a_table_that_changes_its_level_leaves_no_translation),
        rule(test_a_vm_that_makes_roots_without_end_takes_no_other_ones_identifiers),
        rule(test_identifiers_that_run_out_are_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
