/* SPDX-License-Identifier: MIT */
/*
 * The audit of the direct map and of owners: each thing that is broken by hand is seen, and nothing
 * is seen once it is mended.
 */
#include "check.h"

#include "arch/arch.h"
#include "core/hypercall.h"
#include "core/sched.h"
#include "host.h"
#include "mem/frame.h"
#include "sv39.h"
#include "virt/pv/paging.h"
#include "world.h"

static struct vm *vm;

static int start(void **state)
{
    (void)state;
    world_start(2, NULL);
    vm = vms[0];
    return 0;
}

static int finish(void **state)
{
    (void)state;
    assert_int_equal(world_audit(), 0);
    return 0;
}

/* The entry of the direct map's upper table for a chunk of the memory. */
static u64 *chunk_entry(u64 chunk)
{
    u64 *table = arch_frame_bytes(vm->pv.direct_map[0]);

    return &table[sv39_index(gva(VM_MEMORY_BASE + chunk * CHUNK_BYTES), 1)];
}

/* Breaks a word, expects that text, and mends it. */
static void check_seen(u64 *word, u64 value, const char *text)
{
    u64 good = *word;

    world_log[0] = 0;
    *word = value;
    assert_true(world_audit() > 0);
    *word = good;
    if (strstr(world_log, text) == NULL)
        fail_msg("expected '%s', the audit says: %s", text, world_log);
}

static void test_a_direct_map_of_the_wrong_frame_is_seen(void **state)
{
    u64 *entry = chunk_entry(2);

    (void)state;
    assert_true(sv39_is_leaf(*entry));
    check_seen(entry, *chunk_entry(3), "the direct map maps the wrong frame");
    check_seen(entry, *entry | SV39_U, "open to users");
    check_seen(entry, *entry | SV39_W | SV39_X, "writable code");
    check_seen(chunk_entry(0), *chunk_entry(0) | SV39_W, "the pool writable");
}

static void test_a_direct_map_without_its_tables_is_seen(void **state)
{
    mfn_t upper = vm->pv.direct_map[0], root = arch_space_root(&vm->vcpus[0]);
    struct frame *frame = frame_get(upper);

    (void)state;
    check_seen(chunk_entry(2), sv39_link(root), "links no table of its own");
    frame->level = 0;
    world_log[0] = 0;
    assert_true(world_audit() > 0);
    frame->level = 1;
    assert_non_null(strstr(world_log, "the direct map lacks a table"));
}

static void test_a_frame_of_a_vm_that_is_not_there_is_seen(void **state)
{
    struct frame *frame;

    (void)state;
    vm_end(vms[1], VM_EXIT_KILLED);
    world_settle();
    frame = frame_get(frame_open_base);
    assert_int_equal(frame->type, FRAME_FREE);
    *frame = (struct frame){.type = FRAME_DATA, .vm = 2};
    world_log[0] = 0;
    assert_true(world_audit() > 0);
    *frame = (struct frame){0};
    assert_non_null(strstr(world_log, "a VM that is not there"));
}

static void test_a_vm_that_is_being_built_disturbs_nobody(void **state)
{
    (void)state;
    vm_end(vms[1], VM_EXIT_REBOOT);
    for (u32 i = 0; vms[1]->state != VM_BUILDING || vms[1]->step < 64; i++) {
        assert_true(i < 100000);
        sched_next(arch_hart());
        if (arch_hart()->current != NULL)
            sched_requeue(arch_hart()->current);
        assert_int_equal(world_audit(), 0);
        if (vms[1]->state == VM_RUNNING)
            break;
    }
    world_settle();
}

#define audited(test) cmocka_unit_test_setup_teardown(test, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        audited(test_a_direct_map_of_the_wrong_frame_is_seen),
        audited(test_a_direct_map_without_its_tables_is_seen),
        audited(test_a_frame_of_a_vm_that_is_not_there_is_seen),
        audited(test_a_vm_that_is_being_built_disturbs_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
