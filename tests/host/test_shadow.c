/* SPDX-License-Identifier: MIT */
/*
 * Shadow page tables, one rule a test: what a fence brings back in step and in how many steps, what
 * a view shows, where D comes from, and that nothing runs out. At random: test_shadow_random.c.
 */
#include "check.h"

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
#include "virt/shadow/table_store.h"
#include "virt/virt.h"

enum { ROOTS = 3 };

static void test_a_page_taken_away_is_gone_after_the_fence(void **state)
{
    (void)state;
    guest_with_one_page();
    guest_write(4, 0, 0);
    while (shadow_fence_page(vcpu, gva(0)))
        ;
    assert_int_equal(guest_go(gva(0), SV39_R), 0);
    audit_holds();
}

/* The second entry is stale where the table was before, and was never seen where it is linked now.
 */
static void test_a_table_that_is_linked_again_shows_nothing_stale_there(void **state)
{
    const u64 rights = SV39_V | SV39_R | SV39_W | SV39_U | SV39_A | SV39_D;
    u64 leaf;

    (void)state;
    guest_with_one_page();
    guest_write(4, 1, guest_frame(21) << 10 | rights);
    assert_int_not_equal(guest_go(gva(FRAME_BYTES), SV39_R), 0);
    guest_write(4, 1, guest_frame(22) << 10 | rights);
    guest_write(3, 1, guest_frame(4) << 10 | SV39_V);
    assert_int_not_equal(guest_go(gva(CHUNK_BYTES), SV39_R), 0);
    leaf = guest_go(gva(CHUNK_BYTES + FRAME_BYTES), SV39_R);
    assert_int_equal(sv39_frame(leaf), p2m_lookup(&vm->p2m, guest_frame(22)).number);
    audit_holds();
}

static void test_a_table_in_step_stays_so_over_fences_and_keeps_its_shadow(void **state)
{
    u64 fills;

    (void)state;
    guest_with_one_page();
    fills = vm->shadow->tables.counts.fills;
    guest_fence();
    guest_enter(1, 0);
    guest_enter(0, 0);
    guest_is_user = true;
    assert_int_not_equal(guest_go(gva(0), SV39_W), 0);
    assert_int_equal(vm->shadow->tables.counts.fills, fills);
}

/* The page was not accessed yet (A is clear), so it shows nothing; least of all the table there. */
static void test_a_table_that_becomes_a_page_is_gone_after_the_fence(void **state)
{
    const u64 rights = SV39_V | SV39_R | SV39_W | SV39_U;
    const u32 aligned = CHUNK_FRAMES -
                        8; /* guest_frame() of it is one that a large page begins at */
    u64 entry;

    (void)state;
    guest_with_one_page();
    assert_int_equal(guest_frame(aligned) % CHUNK_FRAMES, 0);
    guest_table(aligned)[0] = guest_frame(20) << 10 | rights | SV39_A | SV39_D;
    guest_is_user = false;
    guest_write(3, 0, guest_frame(aligned) << 10 | SV39_V);
    guest_fence();
    guest_is_user = true;
    assert_int_not_equal(guest_go(gva(0), SV39_R), 0);
    guest_is_user = false;
    guest_write(3, 0, guest_frame(aligned) << 10 | rights);
    guest_fence();
    assert_false(host_access(vcpu, gva(0), SV39_R, &entry));
    audit_holds();
}

static void test_a_fence_that_takes_several_steps_sees_what_is_written_between_them(void **state)
{
    const u64 rights = SV39_V | SV39_R | SV39_W | SV39_U | SV39_A | SV39_D;
    const u32 last = SV39_ENTRIES - 1;

    (void)state;
    guest_with_one_page();
    for (u32 i = 1; i <= last; i++)
        guest_table(4)[i] = guest_frame(20) << 10 | rights;
    for (u32 i = 1; i <= last; i++)
        assert_int_not_equal(guest_go(gva((u64)i * FRAME_BYTES), SV39_R), 0);
    guest_is_user = false;
    guest_write(4, last, 0);
    assert_true(shadow_fence_all(vcpu));
    audit_holds();
    guest_write(4, 0, 0);
    assert_int_equal(vm->shadow->tables.loose_count, 1);
    guest_fence();
    guest_is_user = true;
    assert_int_equal(guest_go(gva(0), SV39_R), 0);
    assert_int_equal(guest_go(gva((u64)last * FRAME_BYTES), SV39_R), 0);
    assert_int_not_equal(guest_go(gva(FRAME_BYTES), SV39_R), 0);
    audit_holds();
}

static void test_a_write_sets_d_and_a_read_does_not(void **state)
{
    const u64 rights = SV39_V | SV39_R | SV39_W | SV39_U;
    u64 entry;

    (void)state;
    guest_with_one_page();
    guest_table(3)[1] = guest_frame(5) << 10 | SV39_V;
    guest_table(5)[0] = guest_frame(21) << 10 | rights;
    guest_fence();
    assert_int_not_equal(guest_go(gva(CHUNK_BYTES), SV39_R), 0);
    assert_int_equal(guest_table(5)[0] & (SV39_A | SV39_D), SV39_A);
    assert_false(host_access(vcpu, gva(CHUNK_BYTES), SV39_W, &entry));
    assert_int_not_equal(guest_go(gva(CHUNK_BYTES), SV39_W), 0);
    assert_int_equal(guest_table(5)[0] & (SV39_A | SV39_D), SV39_A | SV39_D);
    audit_holds();
}

/* Of a user page that may be read and run, and of a kernel's that may be written. */
static void test_a_view_shows_what_its_mode_may_do(void **state)
{
    static const struct {
        enum shadow_view view;
        u64 user_page, kernel_page; /* what can be done there */
    } views[] = {
        {SHADOW_VIEW_USER, SV39_R | SV39_X, 0},
        {SHADOW_VIEW_KERNEL, 0, SV39_R | SV39_W},
        {SHADOW_VIEW_KERNEL_SUM, SV39_R, SV39_R | SV39_W},
    };
    const u64 rights = SV39_V | SV39_A | SV39_D;
    const u64 all = SV39_R | SV39_W | SV39_X;

    (void)state;
    machine_make();
    guest_table(0)[0] = guest_frame(3) << 10 | SV39_V;
    guest_table(3)[0] = guest_frame(4) << 10 | SV39_V;
    guest_table(4)[0] = guest_frame(20) << 10 | rights | SV39_R | SV39_X | SV39_U;
    guest_table(4)[1] = guest_frame(21) << 10 | rights | SV39_R | SV39_W;
    for (u32 i = 0; i < ARRAY_SIZE(views); i++) {
        for (u32 page = 0; page < 2; page++) {
            const struct guest_access look = {.right = SV39_R, .kernel = page == 1};
            const gva_t address = gva((u64)page * FRAME_BYTES);
            struct guest_translation found;
            u64 entry = 0;

            shadow_space_enter(vcpu, guest_satp(), views[i].view);
            guest_memo_forget(&vcpu->shadow->memo);
            assert_int_equal(
                guest_walk(vm, &vcpu->shadow->memo.path, guest_satp(), address, &look, &found),
                GUEST_WALK_OK);
            fill(address, &found, false);
            u64 shown = host_access(vcpu, address, 0, &entry) ? entry & all : 0;
            assert_int_equal(shown, page == 0 ? views[i].user_page : views[i].kernel_page);
            assert_true(shown == 0 || (entry & SV39_U) != 0);
        }
    }
}

static gva_t window_of(u32 n)
{
    return gva(0xffffffe000000000UL + (guest_frame(n) << FRAME_SHIFT));
}

static void test_the_guests_tables_cannot_be_written_while_in_step(void **state)
{
    u64 entry;

    (void)state;
    guest_with_one_page();
    guest_is_user = false;
    assert_int_not_equal(guest_go(window_of(4), SV39_R), 0);
    assert_false(host_access(vcpu, window_of(4), SV39_W, &entry));
    audit_holds();
}

/* Those beside it: one of which nothing is known, a table in step, and a page that a user writes.
 */
static void test_a_page_of_a_large_leaf_brings_the_plain_ones_beside_it(void **state)
{
    u64 fills, entry;

    (void)state;
    guest_with_one_page();
    guest_is_user = false;
    fills = vm->shadow->tables.counts.fills;
    assert_int_not_equal(guest_go(window_of(10), SV39_R), 0);
    assert_int_equal(vm->shadow->tables.counts.fills, fills + 1);
    assert_true(host_access(vcpu, window_of(11), SV39_W, &entry));
    assert_int_equal(sv39_frame(entry), p2m_lookup(&vm->p2m, guest_frame(11)).number);
    assert_false(host_access(vcpu, window_of(4), SV39_R, &entry));
    assert_false(host_access(vcpu, window_of(20), SV39_R, &entry));
    audit_holds();
    guest_write(3, 1, guest_frame(11) << 10 | SV39_V);
    guest_is_user = true;
    assert_int_equal(guest_go(gva(CHUNK_BYTES), SV39_R), 0);
    guest_is_user = false;
    guest_fence();
    audit_holds();
}

/* Its guest has entered a table where there was none, and needs no fence for that. */
static void test_a_table_that_stays_out_of_step_is_compared_after_many_fills(void **state)
{
    enum { MANY = 20 };
    const u64 rights = SV39_V | SV39_R | SV39_W | SV39_U | SV39_A | SV39_D;

    (void)state;
    guest_with_one_page();
    for (u32 i = 0; i < MANY; i++)
        guest_table(5)[i] = guest_frame(30 + i) << 10 | rights;
    guest_is_user = false;
    guest_write(3, 1, guest_frame(5) << 10 | SV39_V);
    assert_int_equal(vm->shadow->tables.loose_count, 1);
    guest_is_user = true;
    for (u32 i = 0; i < MANY; i++)
        assert_int_not_equal(guest_go(gva(CHUNK_BYTES + (u64)i * FRAME_BYTES), SV39_W), 0);
    assert_int_equal(vm->shadow->tables.loose_count, 0);
    assert_ptr_equal(vcpu->shadow->memo.path.entries, guest_table(5));
    audit_holds();
}

/* Guest frame 64 + i is a table of level 1 whose first entry links itself, and so one of level 0,
   whose second entry maps a page: two shadows for each i. */
static gva_t far_page(u32 i)
{
    return gva(((u64)i << 30) + FRAME_BYTES);
}

static void far_pages_make(u32 count)
{
    const u64 rights = SV39_V | SV39_R | SV39_W | SV39_U | SV39_A | SV39_D;

    for (u32 i = 0; i < count; i++) {
        guest_table(0)[i] = guest_frame(64 + i) << 10 | SV39_V;
        guest_table(64 + i)[0] = guest_frame(64 + i) << 10 | SV39_V;
        guest_table(64 + i)[1] = guest_frame(20) << 10 | rights;
    }
}

static void test_more_tables_than_there_are_give_all_up_and_go_on(void **state)
{
    enum { PAGES_FAR = 200 };

    (void)state;
    machine_make();
    windows_make(ROOTS);
    far_pages_make(PAGES_FAR);
    guest_enter(0, 0);
    guest_is_user = true;
    u64 drops = vm->shadow->tables.counts.drops;
    for (u32 i = 0; i < PAGES_FAR; i++)
        assert_int_not_equal(guest_go(far_page(i), SV39_W), 0);
    assert_true(vm->shadow->tables.counts.drops > drops);
    assert_int_not_equal(guest_go(far_page(0), SV39_R), 0);
    guest_is_user = false;
    audit_holds();
}

static void test_more_tables_out_of_step_than_are_kept_bring_one_back(void **state)
{
    enum { PAGES_FAR = SHADOW_LOOSE_MAX + 4 };

    (void)state;
    machine_make();
    windows_make(ROOTS);
    far_pages_make(PAGES_FAR);
    guest_enter(0, 0);
    guest_is_user = true;
    for (u32 i = 0; i < PAGES_FAR; i++)
        assert_int_not_equal(guest_go(far_page(i), SV39_W), 0);
    guest_is_user = false;
    u64 settled = vm->shadow->tables.counts.settled;
    for (u32 i = 0; i < PAGES_FAR; i++)
        guest_write(64 + i, 1, 0);
    assert_int_equal(vm->shadow->tables.loose_count, SHADOW_LOOSE_MAX);
    assert_int_equal(vm->shadow->tables.counts.settled - settled, PAGES_FAR - SHADOW_LOOSE_MAX);
    guest_fence();
    guest_is_user = true;
    for (u32 i = 0; i < PAGES_FAR; i++)
        assert_int_equal(guest_go(far_page(i), SV39_R), 0);
    guest_is_user = false;
    audit_holds();
}

/* In three views: what is changed has that many shadows more. */
static void in_three_views(void (*go_there)(void))
{
    static const u8 views[] = {SHADOW_VIEW_USER, SHADOW_VIEW_KERNEL_SUM, SHADOW_VIEW_DIRECT};

    for (u32 i = 0; i < ARRAY_SIZE(views); i++) {
        shadow_space_enter(vcpu, guest_satp(), views[i]);
        guest_is_user = true;
        go_there();
        guest_is_user = false;
    }
}

static void go_to_far_pages(void)
{
    for (u32 i = 0; i < SHADOW_LOOSE_MAX; i++)
        assert_int_not_equal(guest_go(far_page(i), SV39_R), 0);
}

static void test_a_fence_for_one_page_over_many_shadows_takes_several_steps(void **state)
{
    (void)state;
    machine_make();
    windows_make(ROOTS);
    far_pages_make(SHADOW_LOOSE_MAX);
    guest_enter(0, 0);
    in_three_views(go_to_far_pages);
    for (u32 i = 0; i < SHADOW_LOOSE_MAX; i++)
        guest_write(64 + i, 1, 0);
    assert_int_equal(vm->shadow->tables.loose_count, SHADOW_LOOSE_MAX);
    assert_true(shadow_fence_page(vcpu, far_page(0)));
    audit_holds();
    while (shadow_fence_page(vcpu, far_page(0)))
        ;
    guest_is_user = true;
    assert_int_equal(guest_go(far_page(0), SV39_R), 0);
    guest_is_user = false;
    audit_holds();
}

static void go_to_first(void)
{
    assert_int_not_equal(guest_go(gva(0), SV39_R), 0);
}

/* A write to a table that no space uses gives up its shadows, one by each fault. */
static void test_shadows_that_nobody_uses_are_given_up_one_by_one(void **state)
{
    const struct shadow_tables *shadow;
    u32 before;

    (void)state;
    guest_with_one_page();
    shadow = &vm->shadow->tables;
    in_three_views(go_to_first);
    guest_write(3, 0, 0);
    guest_fence();
    before = shadow->free_count;
    while (shadow_mirror_next(shadow, guest_frame(4), NULL) != NULL) {
        const struct guest_translation found = {
            .physical = gpa(guest_frame(4) << FRAME_SHIFT),
            .level = SV39_ROOT_LEVEL,
            .leaf = SV39_V | SV39_R | SV39_W | SV39_X | SV39_A | SV39_D,
        };

        fill(window_of(4), &found, true);
        assert_int_equal(shadow->free_count, ++before);
        audit_holds();
    }
    guest_write(4, 0, 0);
    audit_holds();
}

static void test_a_table_can_have_more_links_than_one_table_has_entries_times_128(void **state)
{
    const struct shadow_key low = {guest_frame(4), 0, 0, SHADOW_VIEW_DIRECT};
    struct shadow_table *table;

    (void)state;
    guest_with_one_page();
    table = shadow_table_find(&vm->shadow->tables, &low);
    assert_non_null(table);
    table->links = UINT16_MAX; /* as if from 128 tables, each with all of its entries */
    guest_table(3)[1] = guest_frame(4) << 10 | SV39_V;
    guest_fence();
    assert_int_not_equal(guest_go(gva(CHUNK_BYTES), SV39_R), 0);
    assert_int_equal(table->links, UINT16_MAX + 1);
    table->links = 2;
    audit_holds();
}

static void test_everything_can_be_given_up_at_any_time(void **state)
{
    (void)state;
    guest_with_one_page();
    shadow_drop_all(vcpu);
    assert_int_not_equal(guest_go(gva(0), SV39_W), 0);
    while (shadow_tables_release(vm))
        ;
    assert_int_equal(vm->shadow->tables.tables_used, 0); /* nor is one free that has no frame */
    assert_int_equal(vm->shadow->tables.free_count, 0);
    shadow_tables_destroy(vm);
    for (u32 i = frame_open_base.number; i < frame_open_end.number; i++)
        assert_int_not_equal(frame_get(mfn(i))->type, FRAME_SHADOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_page_taken_away_is_gone_after_the_fence),
        cmocka_unit_test(test_a_table_that_is_linked_again_shows_nothing_stale_there),
        cmocka_unit_test(test_a_table_in_step_stays_so_over_fences_and_keeps_its_shadow),
        cmocka_unit_test(test_a_table_that_becomes_a_page_is_gone_after_the_fence),
        cmocka_unit_test(test_a_fence_that_takes_several_steps_sees_what_is_written_between_them),
        cmocka_unit_test(test_a_write_sets_d_and_a_read_does_not),
        cmocka_unit_test(test_a_view_shows_what_its_mode_may_do),
        cmocka_unit_test(test_the_guests_tables_cannot_be_written_while_in_step),
        cmocka_unit_test(test_a_page_of_a_large_leaf_brings_the_plain_ones_beside_it),
        cmocka_unit_test(test_a_table_that_stays_out_of_step_is_compared_after_many_fills),
        cmocka_unit_test(test_more_tables_than_there_are_give_all_up_and_go_on),
        cmocka_unit_test(test_more_tables_out_of_step_than_are_kept_bring_one_back),
        cmocka_unit_test(test_a_fence_for_one_page_over_many_shadows_takes_several_steps),
        cmocka_unit_test(test_shadows_that_nobody_uses_are_given_up_one_by_one),
        cmocka_unit_test(test_a_table_can_have_more_links_than_one_table_has_entries_times_128),
        cmocka_unit_test(test_everything_can_be_given_up_at_any_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
