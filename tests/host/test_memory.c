/* SPDX-License-Identifier: MIT */
/*
 * Frames, the p2m, copies to and from guests, address-space identifiers.
 */
#include "check.h"

#include "arch/arch.h"
#include "candor_abi.h"
#include "host.h"
#include "mem/frame.h"
#include "mem/guest_memory.h"
#include "mem/p2m.h"
#include "mem/space_id.h"
#include "tlb.h"
#include "world.h"

static void test_a_machine_without_room_is_refused(void **state)
{
    (void)state;
    host_start(4 << 20);
    assert_false(frame_init(maddr(HOST_MEMORY_BASE), maddr(HOST_MEMORY_BASE + (2 << 20))));
}

static void test_open_memory_is_made_of_chunks_above_closed_memory(void **state)
{
    u64 base, end;

    (void)state;
    world_start(0, NULL);
    base = mfn_to_maddr(frame_open_base).value;
    end = mfn_to_maddr(frame_open_end).value;
    assert_int_equal(base % CHUNK_BYTES, 0);
    assert_int_equal(end, HOST_MEMORY_BASE + WORLD_MEMORY);
    assert_int_equal(frame_chunks_all(), (end - base) / CHUNK_BYTES);
    assert_null(frame_get(mfn(frame_open_base.number - 1)));
    assert_null(frame_get(frame_open_end));
    assert_non_null(frame_get(frame_open_base));
}

static void test_every_chunk_is_given_once(void **state)
{
    u32 all;
    mfn_t first;

    (void)state;
    world_start(0, NULL);
    all = frame_chunks_all();
    for (u32 i = 0; i < all; i++) {
        mfn_t chunk = frame_chunk_alloc(1);

        assert_true(mfn_valid(chunk));
        assert_int_equal(chunk.number % CHUNK_FRAMES, 0);
        assert_int_equal(frame_get(chunk)->vm, 1);
        frame_get(chunk)->type = FRAME_DATA; /* seen again below if it is given twice */
        assert_int_equal(frame_chunks_free(), all - 1 - i);
    }
    assert_false(mfn_valid(frame_chunk_alloc(1)));
    assert_false(mfn_valid(frame_table_alloc(1, 0)));
    for (u32 i = 0; i < all; i++)
        assert_int_equal(frame_get(mfn(frame_open_base.number + i * CHUNK_FRAMES))->type,
                         FRAME_DATA);
    first = frame_open_base;
    frame_chunk_free(first);
    assert_int_equal(frame_get(first)->vm, FRAME_NO_VM);
    assert_true(mfn_equal(frame_chunk_alloc(2), first));
}

static void test_single_frames_are_zeroed_and_return_their_chunk(void **state)
{
    mfn_t frames[CHUNK_FRAMES + 1];
    u32 before;

    (void)state;
    world_start(0, NULL);
    before = frame_chunks_free();
    memset(arch_frame_bytes(frame_open_base), 0x55, (size_t)before * CHUNK_BYTES);
    for (u32 i = 0; i < ARRAY_SIZE(frames); i++) {
        frames[i] = frame_table_alloc(3, 1);
        assert_true(mfn_valid(frames[i]));
        assert_int_equal(frame_get(frames[i])->type, FRAME_DIRECT_MAP);
        assert_int_equal(frame_get(frames[i])->vm, 3);
        for (u32 word = 0; word < FRAME_BYTES / 8; word++)
            assert_int_equal(((u64 *)arch_frame_bytes(frames[i]))[word], 0);
        memset(arch_frame_bytes(frames[i]), 0x77, FRAME_BYTES);
    }
    assert_int_equal(frame_chunks_free(), before - 2);
    for (u32 i = 0; i < ARRAY_SIZE(frames); i++)
        frame_table_free(frames[i]);
    assert_int_equal(frame_chunks_free(), before);
}

static void test_runs_are_zeroed_apart_and_reusable(void **state)
{
    u8 *a, *b, *c;

    (void)state;
    world_start(0, NULL);
    a = frame_run_alloc(3 * FRAME_BYTES);
    b = frame_run_alloc(1);
    assert_non_null(a);
    assert_non_null(b);
    assert_true(b >= a + 3 * FRAME_BYTES || b + FRAME_BYTES <= a);
    memset(a, 1, 3 * FRAME_BYTES);
    frame_run_free(a, 3 * FRAME_BYTES);
    c = frame_run_alloc(3 * FRAME_BYTES);
    assert_ptr_equal(a, c);
    assert_int_equal(c[0], 0);
    assert_null(frame_run_alloc(1UL << 40));
    assert_null(frame_run_alloc(0));
    assert_true(c + FRAME_BYTES <= (u8 *)arch_frame_bytes(frame_open_base));
}

static void test_a_gap_of_the_heap_that_is_too_short_is_passed_over(void **state)
{
    u8 *gap, *between, *hole, *last;

    (void)state;
    world_start(0, NULL);
    gap = frame_run_alloc(2 * FRAME_BYTES);
    between = frame_run_alloc(FRAME_BYTES);
    hole = frame_run_alloc(FRAME_BYTES);
    last = frame_run_alloc(FRAME_BYTES);
    assert_ptr_equal(last, between + 2 * FRAME_BYTES);
    frame_run_free(gap, 2 * FRAME_BYTES);
    frame_run_free(hole, FRAME_BYTES);
    assert_ptr_equal(frame_run_alloc(3 * FRAME_BYTES), last + FRAME_BYTES);
    assert_ptr_equal(frame_run_alloc(2 * FRAME_BYTES), gap);
}

static void test_the_p2m_answers_for_its_range_alone(void **state)
{
    struct p2m map;
    u8 *behind;

    (void)state;
    world_start(0, NULL);
    /* A whole frame of entries, and something else behind it. */
    assert_true(p2m_init(&map, gfn(0x80000), FRAME_BYTES / sizeof(u32)));
    behind = frame_run_alloc(FRAME_BYTES);
    memset(behind, 0xff, FRAME_BYTES);
    assert_int_equal(p2m_entry(&map, 0x80400), 0);
    p2m_destroy(&map);
    frame_run_free(behind, FRAME_BYTES);
    assert_true(p2m_init(&map, gfn(0x80000), 512));
    assert_int_equal(p2m_entry(&map, 0x80000), 0);
    p2m_set(&map, gfn(0x80000), mfn(0x81234), false);
    p2m_set(&map, gfn(0x801ff), mfn(0x81235), true);
    assert_int_equal(p2m_lookup(&map, 0x80000).number, 0x81234);
    assert_int_equal(p2m_entry(&map, 0x801ff), 0x81235 | P2M_POOL);
    assert_int_equal(p2m_lookup(&map, 0x801ff).number, 0x81235);
    assert_int_equal(p2m_entry(&map, 0x7ffff), 0);
    assert_int_equal(p2m_entry(&map, 0x80200), 0);
    assert_int_equal(p2m_entry(&map, ~0UL), 0);
    assert_int_equal(p2m_entry(&map, 0x100080000), 0);
    p2m_clear(&map, gfn(0x80000), 511);
    assert_int_equal(p2m_entry(&map, 0x80000), 0);
    assert_int_equal(p2m_lookup(&map, 0x801ff).number, 0x81235);
    p2m_destroy(&map);
    assert_int_equal(p2m_entry(&map, 0x80000), 0);
}

static void test_copies_cross_frames_that_are_not_neighbours(void **state)
{
    static u8 pattern[3 * FRAME_BYTES], back[3 * FRAME_BYTES];
    gpa_t edge = gpa(WORLD_IMAGE + CHUNK_BYTES - FRAME_BYTES - 5);

    (void)state;
    world_start(1, NULL);
    for (u32 i = 0; i < sizeof(pattern); i++)
        pattern[i] = (u8)(i * 7);
    assert_int_equal(guest_copy_out(vms[0], edge, pattern, sizeof(pattern)), HC_OK);
    assert_int_equal(guest_copy_in(vms[0], back, edge, sizeof(back)), HC_OK);
    assert_memory_equal(pattern, back, sizeof(back));
    assert_memory_equal(world_bytes(vms[0], gpa(edge.value + 5 + FRAME_BYTES)),
                        pattern + 5 + FRAME_BYTES, 100);
}

static void test_copies_stay_in_memory_and_out_of_the_pool(void **state)
{
    const u64 end = VM_MEMORY_BASE + WORLD_VM_MEMORY;
    u8 bytes[16] = {1};
    void *frame;

    (void)state;
    world_start(1, NULL);
    assert_int_equal(guest_copy_in(vms[0], bytes, gpa(end - 8), 16), HC_INVALID_ADDRESS);
    assert_int_equal(guest_copy_in(vms[0], bytes, gpa(VM_MEMORY_BASE - 8), 16), HC_INVALID_ADDRESS);
    assert_int_equal(guest_copy_in(vms[0], bytes, gpa(~0UL - 7), 16), HC_INVALID_ADDRESS);
    assert_int_equal(guest_copy_in(vms[0], bytes, world_pool(3), 16), HC_OK);
    assert_int_equal(guest_copy_out(vms[0], world_pool(3), bytes, 16), HC_IS_POOL);
    assert_int_equal(guest_check_out(vms[0], world_pool(3), 1), HC_IS_POOL);
    assert_int_equal(guest_check_out(vms[0], gpa(WORLD_IMAGE - 8), 16), HC_IS_POOL);
    assert_int_equal(guest_copy_out(vms[0], gpa(end), bytes, 1), HC_INVALID_ADDRESS);
    assert_int_equal(guest_data_frame(vms[0], gpa(world_data(0).value + 8), &frame),
                     HC_INVALID_ADDRESS);
    assert_int_equal(guest_data_frame(vms[0], world_pool(1), &frame), HC_IS_POOL);
    assert_int_equal(guest_data_frame(vms[0], world_data(0), &frame), HC_OK);
}

static void test_a_used_identifier_comes_back_only_after_a_flush(void **state)
{
    u16 first;
    u64 leaf;

    (void)state;
    world_start(1, NULL);
    host_space_ids = 4;
    assert_true(space_id_init(4));
    first = space_id_alloc();
    assert_int_not_equal(first, 0);
    assert_true(space_id_used(first));
    assert_true(
        tlb_translate(first, arch_space_root(&vms[0]->vcpus[0]), gva(vms[0]->image.entry), &leaf));
    space_id_free(first);
    assert_int_not_equal(space_id_alloc(), first);
    assert_int_not_equal(space_id_alloc(), first);
    assert_int_not_equal(tlb_count(), 0);
    assert_int_equal(space_id_alloc(), first);
    assert_int_equal(tlb_count(), 0);
    assert_int_equal(space_id_alloc(), 0);
    assert_false(space_id_init(1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_machine_without_room_is_refused),
        cmocka_unit_test(test_open_memory_is_made_of_chunks_above_closed_memory),
        cmocka_unit_test(test_every_chunk_is_given_once),
        cmocka_unit_test(test_single_frames_are_zeroed_and_return_their_chunk),
        cmocka_unit_test(test_runs_are_zeroed_apart_and_reusable),
        cmocka_unit_test(test_a_gap_of_the_heap_that_is_too_short_is_passed_over),
        cmocka_unit_test(test_the_p2m_answers_for_its_range_alone),
        cmocka_unit_test(test_copies_cross_frames_that_are_not_neighbours),
        cmocka_unit_test(test_copies_stay_in_memory_and_out_of_the_pool),
        cmocka_unit_test(test_a_used_identifier_comes_back_only_after_a_flush),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
