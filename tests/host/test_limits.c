/* SPDX-License-Identifier: MIT */
/*
 * Memory at its exact limits: what just fits, and one unit more or less of it.
 */
#include "check.h"

#include "arch/arch.h"
#include "core/hypercall.h"
#include "core/vm_list.h"
#include "host.h"
#include "mem/frame.h"
#include "virt/pv/paging.h"
#include "world.h"

enum { TABLES_CHUNK = 1 }; /* that the tables of a direct map take */

static u64 chunks_bytes(u32 chunks)
{
    return (u64)chunks * CHUNK_BYTES;
}

static void check_runs(const struct world_image *image)
{
    world_start(1, image);
    if (vm_count != 1 || vms[0]->state != VM_RUNNING)
        fail_msg("it does not run: %s", world_log);
    assert_int_equal(world_audit(), 0);
}

/* It does not start, for that reason, and leaves everything to others. */
static void check_stays_off(const struct world_image *image, const char *why, const char *cure)
{
    world_start(1, image);
    assert_true(vm_count == 0 || vms[0]->state == VM_OFF);
    if (strstr(world_log, why) == NULL || strstr(world_log, cure) == NULL)
        fail_msg("expected '%s' and '%s': %s", why, cure, world_log);
    assert_int_equal(frame_chunks_free(), frame_chunks_all());
    assert_int_equal(world_audit(), 0);
    assert_int_equal(world_status, 1);
}

static void test_a_vm_can_have_all_memory_but_what_its_tables_take(void **state)
{
    u32 all;

    (void)state;
    world_start(0, NULL);
    all = frame_chunks_all();
    check_runs(&(struct world_image){.memory_bytes = chunks_bytes(all - TABLES_CHUNK)});
    assert_int_equal(frame_chunks_free(), 0);
    check_stays_off(&(struct world_image){.memory_bytes = chunks_bytes(all)},
                    "it needs 92 MiB, and 90 MiB are left for it", "give it less (mem=)");
    check_stays_off(&(struct world_image){.memory_bytes = chunks_bytes(all + 1)},
                    "more memory than the machine has for guests, 92 MiB", "give it less (mem=)");
}

static void test_two_vms_can_share_memory_to_the_last_chunk(void **state)
{
    struct world_image images[2] = {{.memory_bytes = 8 << 20}, {0}};
    u32 all;

    (void)state;
    world_start(0, NULL);
    all = frame_chunks_all();
    images[1].memory_bytes = chunks_bytes(all - TABLES_CHUNK) - images[0].memory_bytes;
    world_start(2, images);
    assert_int_equal(vms[0]->state, VM_RUNNING);
    assert_int_equal(vms[1]->state, VM_RUNNING);
    assert_int_equal(frame_chunks_free(), 0);
    images[1].memory_bytes += CHUNK_BYTES;
    world_start(2, images);
    assert_int_equal(vms[0]->state, VM_RUNNING);
    assert_null(vms[1]);
    assert_non_null(strstr(world_log, "vm2: not started: it needs 84 MiB, and 82 MiB are left"));
    assert_int_equal(world_audit(), 0);
}

/* They take it in turns, so both could come to half of it. */
static void test_of_vms_that_want_too_much_together_the_first_have_it(void **state)
{
    struct world_image images[3] = {{.memory_bytes = 60 << 20}, {.memory_bytes = 60 << 20}, {0}};

    (void)state;
    world_start(3, images);
    assert_int_equal(vms[0]->state, VM_RUNNING);
    assert_string_equal(vms[1]->name, "vm3");
    assert_int_equal(vms[1]->state, VM_RUNNING);
    assert_null(vms[2]);
    assert_non_null(strstr(world_log, "vm2: not started: it needs 60 MiB, and 30 MiB are left for "
                                      "it: give it less (mem=), or the machine more (--mem)"));
    assert_int_equal(world_audit(), 0);
}

static void test_the_smallest_memory_holds_a_pool_and_an_image(void **state)
{
    (void)state;
    check_runs(&(struct world_image){.memory_bytes = 4 << 20});
    check_stays_off(&(struct world_image){.memory_bytes = 2 << 20},
                    "its image does not fit into its memory", "");
}

static void test_a_pool_is_whole_chunks_and_leaves_room_for_the_image(void **state)
{
    (void)state;
    check_runs(&(struct world_image){.pool_bytes = WORLD_POOL});
    check_stays_off(&(struct world_image){.pool_bytes = WORLD_POOL - FRAME_BYTES},
                    "not made of whole 2 MiB", "");
    check_stays_off(&(struct world_image){.pool_bytes = WORLD_POOL + FRAME_BYTES},
                    "not made of whole 2 MiB", "");
    check_runs(&(struct world_image){.code_at = VM_MEMORY_BASE,
                                     .pool_base = VM_MEMORY_BASE + WORLD_POOL,
                                     .pool_bytes = WORLD_VM_MEMORY - 2 * CHUNK_BYTES});
    check_stays_off(&(struct world_image){.code_at = VM_MEMORY_BASE,
                                          .pool_base = VM_MEMORY_BASE + WORLD_POOL,
                                          .pool_bytes = WORLD_VM_MEMORY - CHUNK_BYTES},
                    "its initrd does not fit between its pool and the end of its memory", "");
    check_stays_off(&(struct world_image){.code_at = VM_MEMORY_BASE,
                                          .pool_base = VM_MEMORY_BASE + WORLD_POOL,
                                          .pool_bytes = WORLD_VM_MEMORY},
                    "the pool that its image asks for does not lie in its memory", "");
}

static void test_a_pool_is_used_to_its_last_frame(void **state)
{
    struct vcpu *cpu;

    (void)state;
    world_start(1, NULL);
    cpu = &vms[0]->vcpus[0];
    for (u32 i = 1; i < WORLD_POOL / FRAME_BYTES; i++)
        check_value(hc_table_make(cpu, world_pool(i), 0));
    check_error(hc_table_make(cpu, world_pool(WORLD_POOL / FRAME_BYTES), 0), HC_NOT_POOL);
    check_error(hc_table_make(cpu, world_pool(1), 0), HC_EXISTS);
    assert_int_equal(world_audit(), 0);
}

/* The image ends 3 pages after its start, and the page of start_info stands before the initrd. */
static void test_an_initrd_fills_memory_to_the_last_page(void **state)
{
    enum { IMAGE_PAGES = 3, START_INFO_PAGES = 1, MEMORY = 4 << 20 };
    const u64 room = (u64)MEMORY - WORLD_POOL - (IMAGE_PAGES + START_INFO_PAGES) * FRAME_BYTES;
    struct world_image image = {.memory_bytes = MEMORY, .initrd_bytes = room};

    (void)state;
    check_runs(&image);
    image.initrd_bytes = room + 1;
    check_stays_off(&image, "its memory is too small for its image and initrd",
                    "give it more (mem=)");
}

static void test_a_machine_with_one_chunk_is_one_and_one_page_less_is_none(void **state)
{
    const u64 end = HOST_MEMORY_BASE + (8UL << 20);
    u64 closed = HOST_MEMORY_BASE;

    (void)state;
    host_start(8 << 20);
    while (frame_init(maddr(closed + FRAME_BYTES), maddr(end)))
        closed += FRAME_BYTES;
    assert_true(closed > HOST_MEMORY_BASE);
    assert_true(frame_init(maddr(closed), maddr(end)));
    assert_int_equal(frame_chunks_all(), 1);
    assert_true(mfn_valid(frame_chunk_alloc(1)));
    assert_false(mfn_valid(frame_chunk_alloc(1)));
    assert_false(mfn_valid(frame_table_alloc(1, 0)));
    /* And the heap below it is whole. */
    while (frame_heap_free() > 0)
        assert_non_null(frame_run_alloc(FRAME_BYTES));
    assert_null(frame_run_alloc(FRAME_BYTES));
    assert_false(frame_init(maddr(closed), maddr(end - FRAME_BYTES)));
}

/* Leaves so many frames of the heap. */
static void heap_leave(u32 left)
{
    void *taken;

    assert_true(frame_heap_free() > left);
    taken = frame_run_alloc((u64)(frame_heap_free() - left) << FRAME_SHIFT);
    assert_non_null(taken);
    assert_int_equal(frame_heap_free(), left);
}

static bool create(struct vm_refusal *why)
{
    const struct vm_order order = {"made", "vm2", 0};
    struct bundle_vm_view plan;

    return vm_plan(&order, &plan, why) && vm_create(&plan, why);
}

static void test_the_heap_is_used_up_exactly_and_a_frame_less_is_told(void **state)
{
    const struct world_image images[] = {{0}, {.later = true}};
    struct vm_refusal why;
    u32 before, needed;

    (void)state;
    world_start(2, images);
    before = frame_heap_free();
    assert_true(create(&why));
    needed = before - frame_heap_free();

    world_start(2, images);
    heap_leave(needed);
    assert_true(create(&why));
    assert_int_equal(frame_heap_free(), 0);
    world_settle();
    assert_int_equal(vm_find("made")->state, VM_RUNNING);

    world_start(2, images);
    heap_leave(needed - 1);
    assert_false(create(&why));
    assert_non_null(strstr(why.text, "no room for the map of its memory: give it less (mem=)"));
    assert_int_equal(frame_heap_free(), needed - 1);
    heap_leave(1);
    assert_false(create(&why));
    assert_non_null(strstr(why.text, "no room for another machine; destroy one"));
    assert_int_equal(frame_heap_free(), 1);
    assert_int_equal(vms[0]->state, VM_RUNNING);
    assert_int_equal(world_audit(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_vm_can_have_all_memory_but_what_its_tables_take),
        cmocka_unit_test(test_two_vms_can_share_memory_to_the_last_chunk),
        cmocka_unit_test(test_of_vms_that_want_too_much_together_the_first_have_it),
        cmocka_unit_test(test_the_smallest_memory_holds_a_pool_and_an_image),
        cmocka_unit_test(test_a_pool_is_whole_chunks_and_leaves_room_for_the_image),
        cmocka_unit_test(test_a_pool_is_used_to_its_last_frame),
        cmocka_unit_test(test_an_initrd_fills_memory_to_the_last_page),
        cmocka_unit_test(test_a_machine_with_one_chunk_is_one_and_one_page_less_is_none),
        cmocka_unit_test(test_the_heap_is_used_up_exactly_and_a_frame_less_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
