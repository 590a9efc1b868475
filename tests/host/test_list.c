/* SPDX-License-Identifier: MIT */
/*
 * VMs come and go: made of records of the bundle, started again, taken away with all that they had;
 * what is refused changes nothing.
 */
#include "check.h"

#include "arch/arch.h"
#include "core/sched.h"
#include "core/vm_list.h"
#include "host.h"
#include "mem/frame.h"
#include "printf.h"
#include "virt/pv/paging.h"
#include "world.h"

static struct vm_refusal why;

/* What must be the same before and after. */
struct holdings {
    u32 chunks, heap, count;
};

static struct holdings holdings(void)
{
    return (struct holdings){frame_chunks_free(), frame_heap_free(), vm_count};
}

static void assert_same(struct holdings before)
{
    struct holdings now = holdings();

    assert_int_equal(now.chunks, before.chunks);
    assert_int_equal(now.heap, before.heap);
    assert_int_equal(now.count, before.count);
    assert_int_equal(world_audit(), 0);
}

static bool create(const char *name, const char *record, u64 bytes)
{
    struct vm_order order = {name, record, bytes};
    struct bundle_vm_view plan;

    return vm_plan(&order, &plan, &why) && vm_create(&plan, &why);
}

static void destroy(struct vm *vm)
{
    vm->leaving = true;
    vm_end(vm, VM_EXIT_KILLED);
    world_settle();
    assert_int_equal(vm->state, VM_OFF);
    assert_true(vm_destroy(vm));
}

static void check_refused(const char *name, const char *record, u64 bytes, const char *reason)
{
    struct holdings before = holdings();
    size_t said = strlen(world_log);

    why.text[0] = '\0';
    assert_false(create(name, record, bytes));
    if (strstr(why.text, reason) == NULL)
        fail_msg("expected '%s': %s", reason, why.text);
    assert_same(before);
    assert_int_equal(strlen(world_log), said);
}

static void test_a_vm_is_made_of_any_record_and_runs(void **state)
{
    (void)state;
    world_start(2, NULL);
    assert_true(create("more", "vm2", 4 << 20));
    world_settle();
    assert_ptr_equal(vm_find("more"), vms[2]);
    assert_int_equal(vms[2]->id, 3);
    assert_int_equal(vms[2]->state, VM_RUNNING);
    assert_int_equal(vms[2]->p2m.frames_count, (4 << 20) / FRAME_BYTES);
    assert_int_equal(vms[2]->console.number, 3);
    assert_string_equal(((const struct start_info *)world_bytes(
                             vms[2], gpa(vms[2]->vcpus[0].arch.arguments[1] - PV_DIRECT_MAP)))
                            ->vm_name,
                        "more");
    assert_int_equal(world_audit(), 0);
}

static void test_made_and_taken_away_many_times_nothing_is_lost(void **state)
{
    struct holdings before;

    (void)state;
    world_start(1, NULL);
    before = holdings();
    for (u32 i = 0; i < 300; i++) {
        u32 serial = vms[0]->serial;

        assert_true(create("two", "vm1", 0));
        assert_true(create("three", "vm1", 4 << 20));
        assert_true(vms[1]->serial > serial && vms[2]->serial > vms[1]->serial);
        if (i % 3 != 0) /* else while they are being built */
            world_settle();
        destroy(vms[1]);
        assert_null(vms[1]);
        assert_null(vm_find("two"));
        assert_int_equal(vms[2]->id, 3);
        destroy(vm_find("three"));
    }
    assert_same(before);
    assert_int_equal(vms[0]->state, VM_RUNNING);
    assert_int_equal(world_status, -1);
}

static void test_what_is_refused_changes_nothing(void **state)
{
    const struct world_image images[] = {
        {0}, {.no_note = true}, {.memory_bytes = 2 << 20}, {.no_image = true}};

    (void)state;
    world_start(4, images);
    check_refused("vm1", "vm1", 0, "there is a VM vm1 already: give another name");
    check_refused("new", "nothing", 0, "the bundle has no record nothing");
    check_refused("", "vm1", 0, "its name is not");
    check_refused("a b", "vm1", 0, "its name is not");
    check_refused("much-too-long-a-name", "vm1", 0, "its name is not");
    check_refused("new", "vm2", 0, "no Candor note");
    check_refused("new", "vm1", 2 << 20, "memory");
    check_refused("new", "vm4", 0, "the record vm4 of the bundle is unusable: its image");
    check_refused("new", "vm1", 1UL << 40, "MiB are free: kill a VM, or create it with less");
    vm_end(vms[0], VM_EXIT_KILLED);
    world_settle();
    check_refused("vm1", "vm1", 0, "there is a VM vm1 already: start it, or destroy it first");
}

static void test_memory_that_was_promised_is_not_given_twice(void **state)
{
    (void)state;
    world_start(1, NULL);
    u64 most = vm_memory_free();
    assert_true(create("big", "vm1", most - (4 << 20)));
    assert_int_equal(vms[1]->state, VM_BUILDING);
    check_refused("more", "vm1", 8 << 20, "it needs 8 MiB, and 4 MiB are free");
    assert_true(create("small", "vm1", 4 << 20));
    world_settle();
    assert_int_equal(vms[1]->state, VM_RUNNING);
    assert_int_equal(vms[2]->state, VM_RUNNING);
    vm_end(vms[1], VM_EXIT_REBOOT); /* which finds its memory again */
    check_refused("more", "vm1", 8 << 20, "it needs 8 MiB");
    world_settle();
    assert_int_equal(vms[1]->state, VM_RUNNING);
}

static void test_one_whose_memory_has_been_given_away_is_not_started_again(void **state)
{
    (void)state;
    world_start(2, NULL);
    vm_end(vms[1], VM_EXIT_SHUTDOWN);
    world_settle();
    assert_true(create("big", "vm1", vm_memory_free()));
    assert_false(vm_start(vms[1], &why));
    assert_non_null(strstr(why.text, "it needs 8 MiB, and 0 MiB are free"));
    assert_int_equal(vms[1]->state, VM_OFF);
    world_settle();
    assert_int_equal(vm_find("big")->state, VM_RUNNING);
    assert_int_equal(world_audit(), 0);
}

static void test_a_vm_that_is_off_is_started_again(void **state)
{
    struct holdings before;

    (void)state;
    world_start(2, NULL);
    before = holdings();
    for (u32 i = 0; i < 20; i++) {
        vm_end(vms[1], i % 2 == 0 ? VM_EXIT_SHUTDOWN : VM_EXIT_KILLED);
        world_settle();
        assert_int_equal(vms[1]->state, VM_OFF);
        assert_true(vm_start(vms[1], &why));
        world_settle();
        assert_int_equal(vms[1]->state, VM_RUNNING);
        assert_true(vms[1]->console.open);
    }
    assert_same(before);
    vm_end(vms[1], VM_EXIT_SHUTDOWN);
    world_settle();
    assert_true(create("big", "vm1", vm_memory_free()));
    assert_false(vm_start(vms[1], &why));
    assert_non_null(strstr(why.text, "it needs 8 MiB, and 0 MiB are free"));
    assert_int_equal(vms[1]->state, VM_OFF);
}

static void test_the_machine_is_powered_off_when_the_last_vm_ends_and_not_when_it_is_destroyed(
    void **state)
{
    (void)state;
    world_start(1, NULL);
    destroy(vms[0]);
    assert_int_equal(vm_count, 0);
    assert_int_equal(world_status, -1);
    assert_true(create("again", "vm1", 0));
    world_settle();
    vm_end(vms[0], VM_EXIT_SHUTDOWN);
    world_settle();
    assert_int_equal(world_status, 0);
}

static void test_a_record_can_wait_until_it_is_asked_for(void **state)
{
    const struct world_image images[] = {{.later = true}, {.later = true}};

    (void)state;
    world_start(2, images);
    assert_int_equal(vm_count, 0);
    assert_int_equal(world_status, -1);
    assert_non_null(strstr(world_log, "no machine is started yet"));
    assert_true(create("vm2", "vm2", 0));
    world_settle();
    assert_int_equal(vms[0]->state, VM_RUNNING);
    assert_string_equal(vms[0]->name, "vm2");
}

static void test_all_places_can_be_taken_and_the_lowest_is_given_first(void **state)
{
    char name[16];

    (void)state;
    world_start(1, NULL);
    for (u32 i = 0; i < 8; i++) {
        snprintf(name, sizeof(name), "n%u", i);
        assert_true(create(name, "vm1", 4 << 20));
    }
    world_settle();
    destroy(vms[4]);
    destroy(vms[2]);
    assert_true(create("low", "vm1", 4 << 20));
    assert_string_equal(vms[2]->name, "low");
    assert_null(vms[4]);
    assert_int_equal(vm_count, 9);
}

static void test_with_all_places_taken_another_is_refused(void **state)
{
    (void)state;
    world_start(1, NULL);
    for (u32 i = 1; i < VMS_MAX; i++)
        vms[i] = vms[0];
    check_refused("more", "vm1", 4 << 20, "no room for another machine; destroy one");
    for (u32 i = 1; i < VMS_MAX; i++)
        vms[i] = NULL;
}

static void test_many_reboots_are_told_in_few_lines(void **state)
{
    u32 lines = 0;

    (void)state;
    world_start(1, NULL);
    for (u32 i = 0; i < 60; i++) {
        host_time += machine.timebase_hz / 20;
        vm_end(vms[0], VM_EXIT_REBOOT);
        world_settle();
    }
    for (const char *at = world_log; (at = strstr(at, "vm1: reboots")) != NULL; at++)
        lines++;
    assert_in_range(lines, 5, 8);
    assert_non_null(strstr(world_log, "vm1: reboots\n"));
    assert_non_null(strstr(world_log, "vm1: reboots (20 times)\n"));
    vm_end(vms[0], VM_EXIT_SHUTDOWN);
    world_settle();
    assert_non_null(strstr(world_log, " times)\nvm1: shut down\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_vm_is_made_of_any_record_and_runs),
        cmocka_unit_test(test_made_and_taken_away_many_times_nothing_is_lost),
        cmocka_unit_test(test_what_is_refused_changes_nothing),
        cmocka_unit_test(test_memory_that_was_promised_is_not_given_twice),
        cmocka_unit_test(test_one_whose_memory_has_been_given_away_is_not_started_again),
        cmocka_unit_test(test_a_vm_that_is_off_is_started_again),
        cmocka_unit_test(
            test_the_machine_is_powered_off_when_the_last_vm_ends_and_not_when_it_is_destroyed),
        cmocka_unit_test(test_a_record_can_wait_until_it_is_asked_for),
        cmocka_unit_test(test_all_places_can_be_taken_and_the_lowest_is_given_first),
        cmocka_unit_test(test_with_all_places_taken_another_is_refused),
        cmocka_unit_test(test_many_reboots_are_told_in_few_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
