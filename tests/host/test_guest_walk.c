/* SPDX-License-Identifier: MIT */
/* An unmodified guest's tables and code, as its processor would read them. */
#include "check.h"

#include "core/vm.h"
#include "csr.h"
#include "sv39.h"
#include "virt/shadow/guest_walk.h"
#include "world.h"

enum { ROOT = 0, MIDDLE = 1, LAST = 2, PAGE = 3, NEXT_PAGE = 4, SHORT = 0x4501, LONG = 0x10500073 };

static const u64 rights = SV39_V | SV39_R | SV39_X | SV39_A;

static u64 frame_of(u32 n)
{
    return world_data(n).value >> FRAME_SHIFT;
}

static u64 *entries_of(u32 n)
{
    return world_bytes(vms[0], world_data(n));
}

static u64 satp(void)
{
    return SATP_SV39 | frame_of(ROOT);
}

/* Two pages at 0, one behind the other, for the kernel to run and read. */
static void tables_make(void)
{
    world_start(1, NULL);
    entries_of(ROOT)[0] = frame_of(MIDDLE) << 10 | SV39_V;
    entries_of(MIDDLE)[0] = frame_of(LAST) << 10 | SV39_V;
    entries_of(LAST)[0] = frame_of(PAGE) << 10 | rights;
    entries_of(LAST)[1] = frame_of(NEXT_PAGE) << 10 | rights;
}

static enum guest_walk_result walk(u64 tables, u64 address, u64 right,
                                   struct guest_translation *found)
{
    const struct guest_access access = {.right = right, .kernel = true};

    struct guest_path path = {.entries = NULL};

    return guest_walk(vms[0], &path, tables, gva(address), &access, found);
}

static void test_without_translation_an_address_is_physical(void **state)
{
    struct guest_translation found;

    (void)state;
    tables_make();
    assert_int_equal(walk(0, 0x1234, SV39_W, &found), GUEST_WALK_OK);
    assert_int_equal(found.physical.value, 0x1234);
    assert_int_equal(found.level, SV39_ROOT_LEVEL);
}

static void test_an_address_whose_upper_bits_differ_faults(void **state)
{
    struct guest_translation found;

    (void)state;
    tables_make();
    assert_int_equal(walk(satp(), 1UL << 38, SV39_R, &found), GUEST_WALK_PAGE_FAULT);
    assert_int_equal(walk(satp(), 0, SV39_R, &found), GUEST_WALK_OK);
    assert_int_equal(found.physical.value, world_data(PAGE).value);
}

static void test_a_table_where_no_memory_is_is_an_access_fault(void **state)
{
    struct guest_translation found;

    (void)state;
    tables_make();
    entries_of(MIDDLE)[1] = 1UL << 10 | SV39_V;
    assert_int_equal(walk(satp(), CHUNK_BYTES, SV39_R, &found), GUEST_WALK_ACCESS_FAULT);
    assert_int_equal(walk(SATP_SV39 | 1, 0, SV39_R, &found), GUEST_WALK_ACCESS_FAULT);
}

static void test_what_may_only_be_run_is_read_with_mxr(void **state)
{
    struct guest_access access = {.right = SV39_R, .kernel = true};
    struct guest_path path = {.entries = NULL};
    struct guest_translation found;

    (void)state;
    tables_make();
    entries_of(LAST)[0] = frame_of(PAGE) << 10 | SV39_V | SV39_X | SV39_A;
    assert_int_equal(guest_walk(vms[0], &path, satp(), gva(0), &access, &found),
                     GUEST_WALK_PAGE_FAULT);
    access.status = MSTATUS_MXR;
    assert_int_equal(guest_walk(vms[0], &path, satp(), gva(0), &access, &found), GUEST_WALK_OK);
}

static void test_a_way_that_is_known_is_not_walked(void **state)
{
    const struct guest_access access = {.right = SV39_R, .kernel = true};
    struct guest_memo memo = {.path = {.entries = NULL}};
    struct guest_translation found;

    (void)state;
    tables_make();
    memo.path = (struct guest_path){
        satp(), 0, entries_of(LAST), {frame_of(LAST), frame_of(MIDDLE)}};
    entries_of(MIDDLE)[0] = 0;
    assert_int_equal(guest_walk(vms[0], &memo.path, satp(), gva(FRAME_BYTES), &access, &found),
                     GUEST_WALK_OK);
    assert_int_equal(found.tables[0], frame_of(LAST));
    assert_int_equal(found.tables[1], frame_of(MIDDLE));
    assert_int_equal(found.physical.value >> FRAME_SHIFT, frame_of(NEXT_PAGE));
    assert_int_equal(guest_walk(vms[0], &memo.path, satp(), gva(1UL << 39), &access, &found),
                     GUEST_WALK_PAGE_FAULT);
    assert_int_equal(guest_walk(vms[0], &memo.path, satp() ^ 1UL << 44, gva(0), &access, &found),
                     GUEST_WALK_PAGE_FAULT);
    guest_memo_forget(&memo);
    assert_int_equal(guest_walk(vms[0], &memo.path, satp(), gva(0), &access, &found),
                     GUEST_WALK_PAGE_FAULT);
}

static void put_code(u32 offset, u32 word)
{
    u8 *page = world_bytes(vms[0], world_data(offset < FRAME_BYTES ? PAGE : NEXT_PAGE));

    page[offset % FRAME_BYTES] = (u8)word;
    page[offset % FRAME_BYTES + 1] = (u8)(word >> 8);
}

static void test_instructions_are_fetched_across_pages_and_remembered_till_told(void **state)
{
    enum { EDGE = FRAME_BYTES - 2 };
    struct guest_memo memo = {.code = {.bytes = NULL}};
    u32 word;

    (void)state;
    tables_make();
    put_code(0, SHORT);
    put_code(EDGE, LONG & 0xffff);
    put_code(FRAME_BYTES, LONG >> 16);
    assert_true(guest_fetch(vms[0], &memo, satp(), 0, true, &word));
    assert_int_equal(word, SHORT);
    assert_true(guest_fetch(vms[0], &memo, satp(), EDGE, true, &word));
    assert_int_equal(word, LONG);
    entries_of(LAST)[1] = 0;
    guest_memo_forget(&memo);
    assert_false(guest_fetch(vms[0], &memo, satp(), EDGE, true, &word));
    assert_false(guest_fetch(vms[0], &memo, satp(), 0, false, &word));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_translation_an_address_is_physical),
        cmocka_unit_test(test_an_address_whose_upper_bits_differ_faults),
        cmocka_unit_test(test_a_table_where_no_memory_is_is_an_access_fault),
        cmocka_unit_test(test_what_may_only_be_run_is_read_with_mxr),
        cmocka_unit_test(test_a_way_that_is_known_is_not_walked),
        cmocka_unit_test(test_instructions_are_fetched_across_pages_and_remembered_till_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
