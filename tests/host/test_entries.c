/* SPDX-License-Identifier: MIT */
/*
 * Every rule about entries of page tables, one by one: what a call refuses and with which error,
 * what it does, and what the audit sees. Those about tables are in test_tables.c.
 */
#include "spaces.h"

/* ---- single entries ---- */

static void test_an_entry_names_a_frame_of_its_own_vm(void **state)
{
    mfn_t foreign = p2m_lookup(&vms[1]->p2m, world_data(0).value >> FRAME_SHIFT);
    gpa_t root = world_pool(ROOT);

    (void)state;
    check_error(hc_pte_set(cpu, root, PLACE, entry(gpa(0), RW)), HC_BAD_ENTRY);
    check_error(hc_pte_set(cpu, root, PLACE, entry(gpa(0x10000000), RW)), HC_BAD_ENTRY);
    check_error(hc_pte_set(cpu, root, PLACE, entry(gpa(VM_MEMORY_BASE + WORLD_VM_MEMORY), RW)),
                HC_BAD_ENTRY);
    check_error(hc_pte_set(cpu, root, PLACE, entry(gpa(mfn_to_maddr(foreign).value), RW)),
                HC_BAD_ENTRY);
    check_error(hc_pte_set(cpu, root, PLACE, entry(world_data(0), RW) | 1UL << 53), HC_BAD_ENTRY);
    assert_false(reads(PLACE));
}

static void test_reserved_bits_and_bare_writes_are_refused(void **state)
{
    gpa_t root = world_pool(ROOT);
    u64 good = entry(world_data(0), RW);

    (void)state;
    for (u32 bit = 54; bit < 64; bit++)
        check_error(hc_pte_set(cpu, root, PLACE, good | 1UL << bit), HC_BAD_ENTRY);
    check_error(hc_pte_set(cpu, root, PLACE, good & ~(u64)SV39_R), HC_BAD_ENTRY);
    check_error(hc_pte_set(cpu, root, PLACE, good & ~(u64)SV39_V), HC_BAD_ENTRY);
    check_error(hc_pte_set(cpu, root, PLACE, entry(world_data(0), SV39_V)), HC_BAD_ENTRY);
    check_error(hc_pte_set(cpu, root, PLACE, entry(world_data(0), SV39_V | SV39_X | SV39_W)),
                HC_BAD_ENTRY);
    check_value(hc_pte_set(cpu, root, PLACE, entry(world_data(0), SV39_V | SV39_X)));
    check_error(hc_pte_set(cpu, root, PLACE, 2), HC_BAD_ENTRY);
}

static void test_a_frame_of_the_pool_is_never_writable(void **state)
{
    gpa_t root = world_pool(ROOT);

    (void)state;
    check_error(hc_pte_set(cpu, root, PLACE, entry(world_pool(LAST), RW)), HC_IS_POOL);
    check_error(hc_pte_set(cpu, root, PLACE, entry(world_pool(SPARE), RW)), HC_IS_POOL);
    check_value(hc_pte_set(cpu, root, PLACE, entry(world_pool(LAST), RO)));
    check_error(hc_pte_protect(cpu, root, PLACE, 1, PROT_READ | PROT_WRITE), HC_IS_POOL);
    assert_true(reads(PLACE));
    assert_false(writes(PLACE));
}

static void test_an_entry_is_set_in_the_lower_half_where_a_table_is(void **state)
{
    gpa_t root = world_pool(ROOT);
    u64 good = entry(world_data(0), RW);

    (void)state;
    check_error(hc_pte_set(cpu, root, gva(PLACE.value + 8), good), HC_INVALID_ADDRESS);
    check_error(hc_pte_set(cpu, root, gva(SV39_LOWER_END), good), HC_INVALID_ADDRESS);
    check_error(hc_pte_set(cpu, root, gva(PV_DIRECT_MAP + VM_MEMORY_BASE), good),
                HC_INVALID_ADDRESS);
    check_error(hc_pte_set(cpu, root, gva(0), good), HC_NO_TABLE);
    check_error(hc_pte_set(cpu, root, gva(PLACE.value + CHUNK_BYTES), good), HC_NO_TABLE);
    check_error(hc_pte_set(cpu, world_pool(LAST), PLACE, good), HC_BAD_LEVEL);
    check_error(hc_pte_set(cpu, world_data(0), PLACE, good), HC_NOT_POOL);
    check_error(hc_pte_get(cpu, root, gva(0)), HC_NO_TABLE);
    check_error(hc_pte_get(cpu, root, gva(1)), HC_INVALID_ADDRESS);
}

static void test_an_entry_maps_the_machine_frame_with_a_and_d_set_and_g_gone(void **state)
{
    const u64 *words = world_bytes(vms[0], world_pool(LAST));

    (void)state;
    assert_int_equal(check_value(hc_pte_set(cpu, world_pool(ROOT), PLACE,
                                            entry(world_data(2), RO | SV39_G | SV39_RSW))),
                     0);
    assert_int_equal(sv39_frame(words[0]),
                     p2m_lookup(&vms[0]->p2m, world_data(2).value >> FRAME_SHIFT).number);
    assert_int_equal(words[0] & SV39_FLAGS, RO | SV39_A | SV39_D | SV39_RSW);
    assert_int_equal(check_value(hc_pte_get(cpu, world_pool(ROOT), PLACE)),
                     entry(world_data(2), RO | SV39_A | SV39_D | SV39_RSW));
}

static void test_a_change_is_flushed_and_returns_the_old_entry(void **state)
{
    gpa_t root = world_pool(ROOT);
    u64 flags = SV39_A | SV39_D;

    (void)state;
    check_value(hc_pte_set(cpu, root, PLACE, entry(world_data(0), RW)));
    assert_true(writes(PLACE));
    assert_int_equal(check_value(hc_pte_set(cpu, root, PLACE, entry(world_data(1), RO))),
                     entry(world_data(0), RW | flags));
    assert_false(writes(PLACE));
    assert_int_equal(target(PLACE).number,
                     p2m_lookup(&vms[0]->p2m, world_data(1).value >> FRAME_SHIFT).number);
    assert_int_equal(check_value(hc_pte_set(cpu, root, PLACE, 0)),
                     entry(world_data(1), RO | flags));
    assert_false(reads(PLACE));
    assert_int_equal(check_value(hc_pte_set(cpu, root, PLACE, 0)), 0);
}

static void test_a_failed_call_changes_nothing(void **state)
{
    gpa_t root = world_pool(ROOT);

    (void)state;
    check_value(hc_pte_set(cpu, root, PLACE, entry(world_data(0), RW)));
    check_error(hc_pte_set(cpu, root, PLACE, entry(gpa(0), RW)), HC_BAD_ENTRY);
    check_error(hc_pte_set(cpu, root, PLACE, entry(world_pool(1), RW)), HC_IS_POOL);
    assert_int_equal(check_value(hc_pte_get(cpu, root, PLACE)),
                     entry(world_data(0), RW | SV39_A | SV39_D));
}

/* ---- arrays and ranges ---- */

static u64 *array_at(u32 n)
{
    return world_bytes(vms[0], world_data(n));
}

static void fill(gpa_t root, u32 count)
{
    for (u32 i = 0; i < count; i++)
        array_at(100)[i] = world_data(200 + i).value;
    assert_int_equal(check_value(hc_pte_fill(cpu, root, PLACE, world_data(100), count,
                                             PROT_READ | PROT_WRITE | PROT_USER)),
                     count);
}

static void test_a_batch_stops_at_the_first_error_and_counts(void **state)
{
    struct pte_update *updates = (struct pte_update *)array_at(100);
    gpa_t root = world_pool(ROOT);
    struct hc_result result;

    (void)state;
    updates[0] = (struct pte_update){page(0).value, entry(world_data(0), RW)};
    updates[1] = (struct pte_update){page(1).value, entry(world_data(1), RO)};
    updates[2] = (struct pte_update){page(2).value, entry(world_pool(1), RW)};
    updates[3] = (struct pte_update){page(3).value, entry(world_data(3), RW)};
    result = hc_pte_batch(cpu, root, world_data(100), 4);
    assert_int_equal(result.error, HC_IS_POOL);
    assert_int_equal(result.value, 2);
    assert_true(writes(page(0)) && reads(page(1)) && !reads(page(2)) && !reads(page(3)));
    assert_int_equal(check_value(hc_pte_batch(cpu, root, world_data(100), 2)), 2);
    assert_int_equal(check_value(hc_pte_batch(cpu, root, world_data(100), 0)), 0);
    check_error(hc_pte_batch(cpu, root, gpa(world_data(100).value + 4), 1), HC_INVALID_ADDRESS);
    check_error(hc_pte_batch(cpu, root, gpa(VM_MEMORY_BASE + WORLD_VM_MEMORY), 1),
                HC_INVALID_ADDRESS);
    check_error(hc_pte_batch(cpu, root, world_data(100), PAGING_COUNT_MAX + 1), HC_INVALID_PARAM);
}

static void test_fill_maps_where_nothing_is_mapped(void **state)
{
    gpa_t root = world_pool(ROOT);
    struct hc_result result;

    (void)state;
    fill(root, 10);
    assert_true(writes(page(9)));
    array_at(100)[0] = world_data(300).value;
    array_at(100)[1] = world_data(301).value;
    result = hc_pte_fill(cpu, root, gva(PLACE.value - FRAME_BYTES), world_data(100), 2, PROT_READ);
    assert_int_equal(result.error, HC_NO_TABLE);
    result = hc_pte_fill(cpu, root, page(10), world_data(100), 2, PROT_READ);
    assert_int_equal(result.value, 2);
    result = hc_pte_fill(cpu, root, page(9), world_data(100), 2, PROT_READ);
    assert_int_equal(result.error, HC_EXISTS);
    assert_int_equal(result.value, 0);
    array_at(100)[1] = 0x1000;
    result = hc_pte_fill(cpu, root, page(20), world_data(100), 2, PROT_READ);
    assert_int_equal(result.error, HC_INVALID_ADDRESS);
    assert_int_equal(result.value, 1);
    array_at(100)[0] = world_pool(1).value;
    check_error(hc_pte_fill(cpu, root, page(30), world_data(100), 1, PROT_READ | PROT_WRITE),
                HC_IS_POOL);
    check_value(hc_pte_fill(cpu, root, page(30), world_data(100), 1, PROT_READ));
}

static void test_rights_are_known_bits_with_read_or_execute(void **state)
{
    gpa_t root = world_pool(ROOT);

    (void)state;
    check_error(hc_pte_fill(cpu, root, PLACE, world_data(100), 1, PROT_WRITE), HC_INVALID_PARAM);
    check_error(hc_pte_fill(cpu, root, PLACE, world_data(100), 1, PROT_READ | 1), HC_INVALID_PARAM);
    check_error(hc_pte_fill(cpu, root, PLACE, world_data(100), 1, PROT_READ | 0x20),
                HC_INVALID_PARAM);
    check_error(hc_pte_fill(cpu, root, PLACE, world_data(100), 1, PROT_WRITE | PROT_EXECUTE),
                HC_INVALID_PARAM);
    check_error(hc_pte_protect(cpu, root, PLACE, 1, 0), HC_INVALID_PARAM);
    check_error(hc_pte_protect(cpu, root, PLACE, 1, PROT_READ | 0x400), HC_INVALID_PARAM);
}

static void test_ranges_stay_in_the_lower_half_and_within_their_count(void **state)
{
    gpa_t root = world_pool(ROOT);
    gva_t top = gva(SV39_LOWER_END - FRAME_BYTES);

    (void)state;
    check_error(hc_pte_protect(cpu, root, top, 2, PROT_READ), HC_INVALID_PARAM);
    check_error(hc_pte_clear(cpu, root, top, 2, world_data(0)), HC_INVALID_PARAM);
    check_error(hc_pte_clear(cpu, root, PLACE, PAGING_COUNT_MAX + 1, world_data(0)),
                HC_INVALID_PARAM);
    check_error(hc_pte_clear(cpu, root, gva(SV39_LOWER_END), 1, world_data(0)), HC_INVALID_ADDRESS);
    check_error(hc_flush(cpu, root, top, 2), HC_INVALID_PARAM);
    check_error(hc_flush(cpu, root, gva(5), 1), HC_INVALID_ADDRESS);
    check_value(hc_flush(cpu, root, gva(0), SV39_LOWER_END >> FRAME_SHIFT));
    assert_int_equal(check_value(hc_pte_clear(cpu, root, top, 1, world_data(0))), 1);
}

static void test_protect_gives_exactly_these_rights_and_flushes(void **state)
{
    gpa_t root = world_pool(ROOT);

    (void)state;
    fill(root, 40);
    for (u32 i = 0; i < 40; i++)
        assert_true(writes(page(i)));
    assert_int_equal(check_value(hc_pte_protect(cpu, root, PLACE, 50, PROT_READ | PROT_USER)), 50);
    for (u32 i = 0; i < 40; i++)
        assert_false(writes(page(i)));
    check_value(hc_pte_protect(cpu, root, PLACE, 2, PROT_READ | PROT_WRITE | PROT_EXECUTE));
    assert_int_equal(check_value(hc_pte_get(cpu, root, page(1))),
                     entry(world_data(201), SV39_V | SV39_R | SV39_W | SV39_X | SV39_A | SV39_D));
}

static void test_clone_takes_the_right_to_write_from_both(void **state)
{
    gpa_t root = world_pool(ROOT), other = world_pool(ROOT2);

    (void)state;
    fill(root, 30);
    check_value(hc_pte_set(cpu, root, page(7), 0));
    assert_true(writes(page(3)));
    assert_int_equal(check_value(hc_pte_clone(cpu, other, root, PLACE, 32, world_data(101))), 32);
    assert_false(writes(page(3)));
    assert_int_equal(array_at(101)[3], entry(world_data(203), RW | SV39_A | SV39_D));
    assert_int_equal(array_at(101)[7], 0);
    check_value(hc_space_switch(cpu, other));
    assert_true(reads(page(3)) && !writes(page(3)) && !reads(page(7)));
    check_error(hc_pte_clone(cpu, other, root, PLACE, 1, world_data(101)), HC_EXISTS);
    check_error(hc_pte_clone(cpu, root, root, PLACE, 1, world_data(101)), HC_INVALID_PARAM);
    check_error(hc_pte_clone(cpu, world_pool(SPARE), root, PLACE, 1, world_data(101)),
                HC_BAD_LEVEL);
}

static void test_clone_needs_tables_where_the_source_has_pages(void **state)
{
    gpa_t root = world_pool(ROOT), empty = world_pool(SPARE);
    struct hc_result result;

    (void)state;
    check_value(hc_table_make(cpu, empty, 2));
    fill(root, 3);
    result = hc_pte_clone(cpu, empty, root, gva(PLACE.value - 2 * FRAME_BYTES), 5, world_data(101));
    assert_int_equal(result.error, HC_NO_TABLE);
    assert_int_equal(result.value, 2);
    assert_true(writes(page(0)));
}

static void test_clear_returns_what_was_there(void **state)
{
    gpa_t root = world_pool(ROOT);

    (void)state;
    fill(root, 20);
    assert_true(reads(page(19)));
    assert_int_equal(check_value(hc_pte_clear(cpu, root, page(1), 20, world_data(101))), 20);
    assert_int_equal(array_at(101)[0], entry(world_data(201), RW | SV39_A | SV39_D));
    assert_int_equal(array_at(101)[19], 0);
    assert_true(reads(page(0)));
    for (u32 i = 1; i < 21; i++)
        assert_false(reads(page(i)));
}

/* Few pages are dropped one by one, more all at once: none is forgotten where one turns into the
 * other. */
static void test_any_number_of_cleared_pages_is_forgotten(void **state)
{
    gpa_t root = world_pool(ROOT);

    (void)state;
    for (u32 count = 1; count <= 10; count++) {
        fill(root, count);
        for (u32 i = 0; i < count; i++)
            assert_true(reads(page(i)));
        check_value(hc_pte_clear(cpu, root, PLACE, count, world_data(101)));
        for (u32 i = 0; i < count; i++)
            assert_false(reads(page(i)));
    }
}

static void test_old_entries_are_never_written_to_the_pool(void **state)
{
    gpa_t root = world_pool(ROOT);
    gpa_t edge = gpa(WORLD_POOL_BASE + WORLD_POOL - 8);

    (void)state;
    fill(root, 4);
    check_error(hc_pte_clear(cpu, root, PLACE, 1, world_pool(SPARE)), HC_IS_POOL);
    check_error(hc_pte_clear(cpu, root, PLACE, 2, edge), HC_IS_POOL);
    check_error(hc_pte_clear(cpu, root, PLACE, 2, gpa(VM_MEMORY_BASE + WORLD_VM_MEMORY - 8)),
                HC_INVALID_ADDRESS);
    check_error(hc_pte_clone(cpu, world_pool(ROOT2), root, PLACE, 1, world_pool(SPARE)),
                HC_IS_POOL);
    check_error(hc_pte_clear(cpu, root, PLACE, 1, gpa(world_data(0).value + 1)),
                HC_INVALID_ADDRESS);
    assert_true(writes(page(0)));
}

static void test_a_long_call_returns_the_rest(void **state)
{
    gpa_t root = world_pool(ROOT);
    u64 done;

    (void)state;
    for (u32 i = 0; i < PAGING_COUNT_MAX; i++)
        array_at(100)[i] = world_data(0).value;
    done = check_value(hc_pte_fill(cpu, root, PLACE, world_data(100), PAGING_COUNT_MAX, PROT_READ));
    assert_true(done > 0 && done < PAGING_COUNT_MAX);
    assert_true(reads(page(done - 1)) && !reads(page(done)));
    assert_int_equal(check_value(hc_pte_clear(cpu, root, PLACE, PAGING_COUNT_MAX, world_data(101))),
                     done);
}

/* ---- switching ---- */

static void test_only_a_root_can_be_switched_to(void **state)
{
    (void)state;
    check_error(hc_space_switch(cpu, gpa(0)), HC_INVALID_ADDRESS);
    check_error(hc_space_switch(cpu, gpa(world_pool(ROOT).value + 1)), HC_INVALID_ADDRESS);
    check_error(hc_space_switch(cpu, world_data(0)), HC_NOT_POOL);
    check_error(hc_space_switch(cpu, world_pool(SPARE)), HC_BAD_LEVEL);
    check_error(hc_space_switch(cpu, world_pool(LAST)), HC_BAD_LEVEL);
    check_error(hc_space_switch(cpu, world_pool(MIDDLE)), HC_BAD_LEVEL);
    check_value(hc_space_switch(cpu, world_pool(0)));
}

static void test_spaces_are_told_apart_without_a_flush(void **state)
{
    (void)state;
    check_value(hc_pte_set(cpu, world_pool(ROOT), PLACE, entry(world_data(0), RW)));
    check_value(hc_pte_set(cpu, world_pool(ROOT2), PLACE, entry(world_data(1), RW)));
    for (u32 i = 0; i < 3; i++) {
        check_value(hc_space_switch(cpu, world_pool(ROOT)));
        assert_int_equal(target(PLACE).number,
                         p2m_lookup(&vms[0]->p2m, world_data(0).value >> FRAME_SHIFT).number);
        check_value(hc_space_switch(cpu, world_pool(ROOT2)));
        assert_int_equal(target(PLACE).number,
                         p2m_lookup(&vms[0]->p2m, world_data(1).value >> FRAME_SHIFT).number);
    }
}

/* ---- the audit itself ---- */

static void test_the_audit_sees_what_is_broken(void **state)
{
    u64 *last = world_bytes(vms[0], world_pool(LAST)),
        *middle = world_bytes(vms[0], world_pool(MIDDLE));
    u64 *root = world_bytes(vms[0], world_pool(ROOT));
    mfn_t own = p2m_lookup(&vms[0]->p2m, world_data(0).value >> FRAME_SHIFT);
    mfn_t pool = p2m_lookup(&vms[0]->p2m, world_pool(SPARE).value >> FRAME_SHIFT);
    mfn_t foreign = p2m_lookup(&vms[1]->p2m, world_data(0).value >> FRAME_SHIFT);
    mfn_t last_frame = arch_frame_of(last);
    struct {
        u64 *where;
        u64 value;
    } breaks[] = {
        {&last[5], sv39_leaf(foreign, RW)},
        {&last[5], sv39_leaf(mfn(1), RW)},
        {&last[5], sv39_leaf(pool, RW)},
        {&last[5], sv39_leaf(own, RW) | SV39_G},
        {&last[5], sv39_leaf(own, RW) & ~(u64)SV39_D},
        {&last[5], sv39_leaf(own, RW) | 1UL << 54},
        {&last[5], sv39_link(last_frame)},
        {&middle[9], sv39_leaf(own, RW)},
        {&middle[9], sv39_link(arch_frame_of(middle))},
        {&middle[9], sv39_link(last_frame)},
        {&middle[0], 0},
        {&root[3], sv39_link(last_frame)},
        {&root[300], sv39_link(arch_frame_of(middle))},
        {&root[258], 0},
    };

    (void)state;
    assert_int_equal(world_audit(), 0);
    for (u32 i = 0; i < ARRAY_SIZE(breaks); i++) {
        u64 before = *breaks[i].where;

        *breaks[i].where = breaks[i].value;
        if (world_audit() == 0)
            fail_msg("the audit does not see break %u", i);
        *breaks[i].where = before;
        assert_int_equal(world_audit(), 0);
    }
    frame_get(last_frame)->links++;
    assert_int_not_equal(world_audit(), 0);
    frame_get(last_frame)->links--;
    frame_get(own)->vm = 2;
    assert_int_not_equal(world_audit(), 0);
    frame_get(own)->vm = 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        rule(test_an_entry_names_a_frame_of_its_own_vm),
        rule(test_reserved_bits_and_bare_writes_are_refused),
        rule(test_a_frame_of_the_pool_is_never_writable),
        rule(test_an_entry_is_set_in_the_lower_half_where_a_table_is),
        rule(test_an_entry_maps_the_machine_frame_with_a_and_d_set_and_g_gone),
        rule(test_a_change_is_flushed_and_returns_the_old_entry),
        rule(test_a_failed_call_changes_nothing),
        rule(test_a_batch_stops_at_the_first_error_and_counts),
        rule(test_fill_maps_where_nothing_is_mapped),
        rule(test_rights_are_known_bits_with_read_or_execute),
        rule(test_ranges_stay_in_the_lower_half_and_within_their_count),
        rule(test_protect_gives_exactly_these_rights_and_flushes),
        rule(test_clone_takes_the_right_to_write_from_both),
        rule(test_clone_needs_tables_where_the_source_has_pages),
        rule(test_clear_returns_what_was_there),
        rule(test_any_number_of_cleared_pages_is_forgotten),
        rule(test_old_entries_are_never_written_to_the_pool),
        rule(test_a_long_call_returns_the_rest),
        rule(test_only_a_root_can_be_switched_to),
        rule(test_spaces_are_told_apart_without_a_flush),
        rule(test_the_audit_sees_what_is_broken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
