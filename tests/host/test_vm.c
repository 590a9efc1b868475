/* SPDX-License-Identifier: MIT */
/*
 * VMs from the bundle: what starts, what is refused and why, ending, rebooting, and that everything
 * comes back.
 */
#include "check.h"

#include "arch/arch.h"
#include "core/hypercall.h"
#include "core/sched.h"
#include "host.h"
#include "mem/frame.h"
#include "sv39.h"
#include "tlb.h"
#include "virt/pv/paging.h"
#include "virt/virt.h"
#include "world.h"

static void check_refused(const struct world_image *image, const char *why)
{
    struct world_image images[2] = {*image, {0}};

    world_start(2, images);
    assert_non_null(strstr(world_log, "vm1: "));
    if (strstr(world_log, why) == NULL)
        fail_msg("expected '%s', the log says: %s", why, world_log);
    assert_int_equal(vms[vm_count - 1]->state, VM_RUNNING);
    assert_string_equal(vms[vm_count - 1]->name, "vm2");
    assert_int_equal(world_audit(), 0);
}

static void test_a_good_image_runs_with_its_registers_set(void **state)
{
    struct world_image image = {.initrd_bytes = 5000};
    const struct start_info *info;
    const u8 *code;
    struct vcpu *cpu;

    (void)state;
    world_start(1, &image);
    cpu = &vms[0]->vcpus[0];
    assert_int_equal(vms[0]->state, VM_RUNNING);
    assert_int_equal(cpu->arch.pc, WORLD_IMAGE + PV_DIRECT_MAP);
    assert_int_equal(cpu->arch.arguments[0], 0);
    assert_true(cpu->arch.kernel && cpu->arch.masked);
    assert_true(host_code_changes > 0);
    info = world_bytes(vms[0], gpa(cpu->arch.arguments[1] - PV_DIRECT_MAP));
    assert_int_equal(info->abi_version, CANDOR_ABI_VERSION);
    assert_int_equal(info->memory_bytes, WORLD_VM_MEMORY);
    assert_int_equal(info->pool_base_gpa, WORLD_POOL_BASE);
    assert_int_equal(info->boot_root_gpa, WORLD_POOL_BASE);
    assert_int_equal(info->initrd_bytes, 5000);
    assert_int_equal(info->image_base_gpa, WORLD_IMAGE);
    assert_int_equal(info->image_bytes, FRAME_BYTES + 8192);
    assert_string_equal(info->vm_name, "vm1");
    assert_string_equal(info->args, "one two");
    code = world_bytes(vms[0], gpa(WORLD_IMAGE));
    assert_int_equal(code[0], 0xc0);
    assert_int_equal(code[4095], 0xc0);
    code = world_bytes(vms[0], gpa(WORLD_IMAGE + FRAME_BYTES));
    assert_int_equal(code[99], 0xda);
    assert_int_equal(code[100], 0);
    code = world_bytes(vms[0], gpa(info->initrd_gpa + 4999));
    assert_int_equal(code[0], 0x1d);
    assert_int_equal(world_audit(), 0);
}

static void test_code_is_not_writable_and_data_does_not_run(void **state)
{
    struct vcpu *cpu;
    u64 leaf;

    (void)state;
    world_start(1, NULL);
    cpu = &vms[0]->vcpus[0];
    assert_true(host_access(cpu, gva(PV_DIRECT_MAP + WORLD_IMAGE), SV39_R | SV39_X, &leaf));
    assert_false(host_access(cpu, gva(PV_DIRECT_MAP + WORLD_IMAGE), SV39_W, &leaf));
    assert_true(
        host_access(cpu, gva(PV_DIRECT_MAP + WORLD_IMAGE + FRAME_BYTES), SV39_R | SV39_W, &leaf));
    assert_false(host_access(cpu, gva(PV_DIRECT_MAP + WORLD_IMAGE + FRAME_BYTES), SV39_X, &leaf));
    assert_false(host_access(cpu, gva(PV_DIRECT_MAP + WORLD_POOL_BASE), SV39_W, &leaf));
    assert_false(host_access(cpu, gva(PV_DIRECT_MAP + WORLD_IMAGE), SV39_U, &leaf));
    assert_false(host_access(cpu, gva(PV_DIRECT_MAP + VM_MEMORY_BASE + WORLD_VM_MEMORY), 0, &leaf));
    assert_false(host_access(cpu, gva(0), 0, &leaf));
}

static void test_physical_and_machine_frames_differ(void **state)
{
    (void)state;
    world_start(1, NULL);
    for (u32 i = 0; i < vms[0]->p2m.frames_count; i++)
        assert_int_not_equal(vms[0]->p2m.entries[i] & ~P2M_POOL, vms[0]->p2m.base_gfn + i);
}

static void test_bad_images_are_refused_alone_and_in_one_line(void **state)
{
    (void)state;
    check_refused(&(struct world_image){.no_note = true}, "no Candor note");
    check_refused(&(struct world_image){.note_version = 99}, "another version");
    check_refused(&(struct world_image){.pool_bytes = 12345}, "whole 2 MiB");
    check_refused(&(struct world_image){.pool_base = VM_MEMORY_BASE + 64UL * CHUNK_BYTES},
                  "does not lie in its memory");
    check_refused(&(struct world_image){.pool_base = 0x10000000}, "does not lie in its memory");
    check_refused(&(struct world_image){.pool_bytes = 1UL << 63}, "does not lie in its memory");
    check_refused(&(struct world_image){.pool_bytes = UINT64_MAX - CHUNK_BYTES + 1},
                  "does not lie in its memory");
    check_refused(&(struct world_image){.code_at = WORLD_POOL_BASE}, "lies in the pool");
    check_refused(&(struct world_image){.code_at = WORLD_POOL_BASE, .data_at = WORLD_IMAGE},
                  "lies in the pool");
    check_refused(&(struct world_image){.code_at = VM_MEMORY_BASE + WORLD_VM_MEMORY},
                  "does not fit into its memory");
    check_refused(&(struct world_image){.data_at = WORLD_IMAGE + 2048}, "overlap");
    check_refused(
        &(struct world_image){.code_at = WORLD_IMAGE + 2048, .data_at = WORLD_IMAGE + 2048 + 4096},
        "both code and data");
    check_refused(&(struct world_image){.unlinked = true}, "direct map");
    check_refused(&(struct world_image){.entry = 0x1000}, "no executable segment");
    check_refused(&(struct world_image){.entry = PV_DIRECT_MAP + WORLD_IMAGE + 1},
                  "does not start at an address");
    check_refused(&(struct world_image){.memory_bytes = (u64)PV_DIRECT_MAP_GIB << 31},
                  "more memory than a paravirtual machine");
    check_refused(&(struct world_image){.pool_base = VM_MEMORY_BASE + WORLD_VM_MEMORY - CHUNK_BYTES,
                                        .initrd_bytes = FRAME_BYTES},
                  "between its pool and the end");
    check_refused(&(struct world_image){.initrd_bytes = 1 << 20,
                                        .memory_bytes = 4 << 20,
                                        .code_at = VM_MEMORY_BASE + (4 << 20) - 16384},
                  "too small");
    check_refused(&(struct world_image){.memory_bytes = 1UL << 32}, "more memory");
}

static void test_an_ended_vm_gives_everything_back(void **state)
{
    const u32 others = 0;
    u32 before;

    (void)state;
    world_start(others + 0, NULL);
    before = frame_chunks_free();
    world_start(1, NULL);
    assert_true(frame_chunks_free() < before);
    for (u32 i = 1; i < 20; i++)
        check_value(hc_table_make(&vms[0]->vcpus[0], world_pool(i), 2));
    vm_end(vms[0], VM_EXIT_SHUTDOWN);
    world_settle();
    assert_int_equal(vms[0]->state, VM_OFF);
    assert_int_equal(frame_chunks_free(), before);
    for (u32 i = frame_open_base.number; i < frame_open_end.number; i++)
        assert_int_equal(frame_get(mfn(i))->type, FRAME_FREE);
    assert_int_equal(world_audit(), 0);
    assert_int_equal(world_status, 0);
    assert_non_null(strstr(world_log, "vm1: shut down"));
}

static void test_a_vm_ends_once_and_for_the_first_reason(void **state)
{
    struct vcpu *cpu;

    (void)state;
    world_start(2, NULL);
    cpu = sched_next(arch_hart());
    assert_non_null(cpu);
    vm_end_fault(cpu, "load-page-fault", 0);
    vm_end(cpu->vm, VM_EXIT_SHUTDOWN);
    assert_int_equal(cpu->vm->state, VM_ENDING);
    assert_int_equal(cpu->vm->exit, VM_EXIT_FAULT);
    assert_non_null(strstr(world_log, "ended: load-page-fault"));
    assert_null(strstr(world_log, "shut down"));
    world_settle();
    assert_int_equal(world_audit(), 0);
}

static void test_a_rebooted_vm_starts_anew_from_the_bundle(void **state)
{
    u32 free_chunks;
    struct vcpu *cpu;

    (void)state;
    world_start(2, NULL);
    free_chunks = frame_chunks_free();
    cpu = &vms[0]->vcpus[0];
    for (u32 i = 0; i < 50; i++) {
        check_value(hc_table_make(cpu, world_pool(5), 2));
        check_value(hc_space_switch(cpu, world_pool(5)));
        check_value(hc_shared_page(cpu, world_data(0)));
        memset(world_bytes(vms[0], world_data(1)), 0xaa, FRAME_BYTES);
        vm_end(vms[0], VM_EXIT_REBOOT);
        world_settle();
        assert_int_equal(vms[0]->state, VM_RUNNING);
        assert_null(cpu->shared);
        assert_int_equal(*(u64 *)world_bytes(vms[0], world_data(1)), 0);
        assert_int_equal(cpu->arch.pc, WORLD_IMAGE + PV_DIRECT_MAP);
        assert_int_equal(frame_chunks_free(), free_chunks);
        assert_int_equal(world_audit(), 0);
    }
    assert_int_equal(vms[0]->reboots, 50);
    assert_int_equal(vms[1]->state, VM_RUNNING);
}

static void test_memory_is_zero_before_another_vm_gets_it(void **state)
{
    struct world_image images[2] = {{.memory_bytes = 40 << 20}, {.memory_bytes = 44 << 20}};

    (void)state;
    world_start(2, images);
    assert_int_equal(vms[1]->state, VM_RUNNING);
    for (u64 at = VM_MEMORY_BASE; at < VM_MEMORY_BASE + (40UL << 20); at += FRAME_BYTES)
        memset(world_bytes(vms[0], gpa(at)), 0x5a, FRAME_BYTES);
    vm_end(vms[0], VM_EXIT_SHUTDOWN);
    world_settle();
    vm_end(vms[1], VM_EXIT_REBOOT); /* the highest chunks are given out first: they were vm1's */
    world_settle();
    for (u64 at = WORLD_IMAGE + 0x100000; at < VM_MEMORY_BASE + (43UL << 20); at += sizeof(u64))
        assert_int_equal(*(u64 *)world_bytes(vms[1], gpa(at)), 0);
}

static void test_the_exit_status_tells_faults_from_shutdowns(void **state)
{
    (void)state;
    world_start(2, NULL);
    vm_end(vms[0], VM_EXIT_SHUTDOWN);
    world_settle();
    assert_int_equal(world_status, -1);
    vm_end_fault(&vms[1]->vcpus[0], "a test", 0x1234);
    world_settle();
    assert_int_equal(world_status, 1);
    assert_non_null(strstr(world_log, "vm2: ended: a test at pc 0xffffffc080200000, value 0x1234"));
    world_start(1, NULL);
    vm_end(vms[0], VM_EXIT_FAILURE);
    world_settle();
    assert_int_equal(world_status, 1);
    assert_non_null(strstr(world_log, "vm1: shut down, and reports a failure"));
}

/* ---- traps and calls that are not about tables ---- */

static void test_traps_are_registered_and_handed_on(void **state)
{
    enum { STORE_PAGE = 15, ILLEGAL = 2, LOAD_ACCESS = 5 };
    const struct world_image images[] = {{0}, {.bounced = true}};
    const gva_t entry = gva(PV_DIRECT_MAP + WORLD_IMAGE + 64);
    struct virt_trap trap = {.cause = STORE_PAGE, .kernel = false, .value = 0x4000};
    struct vcpu *cpu;

    (void)state;
    world_start(2, images);
    cpu = &vms[0]->vcpus[0];
    check_error(hc_trap_register(cpu, gva(entry.value + 2), 0), HC_INVALID_ADDRESS);
    check_error(hc_trap_register(cpu, gva(0x1000), 0), HC_INVALID_ADDRESS);
    for (u32 cause = 0; cause < 64; cause++) {
        bool allowed = cause == 0 || cause == 3 || cause == 4 || cause == 6 || cause == 8 ||
                       cause == 12 || cause == 13 || cause == 15;

        assert_int_equal(hc_trap_register(cpu, entry, BIT(cause)).error,
                         allowed ? HC_OK : HC_INVALID_PARAM);
    }
    assert_int_equal(check_value(hc_trap_register(cpu, entry, BIT(STORE_PAGE))), BIT(STORE_PAGE));
    cpu = &vms[1]->vcpus[0];
    assert_int_equal(check_value(hc_trap_register(cpu, entry, BIT(STORE_PAGE))), 0);
    cpu->arch.kernel = false;
    cpu->arch.pc = 0x10000;
    vms[1]->virt->trap(cpu, &trap);
    assert_int_equal(cpu->arch.pc, entry.value);
    assert_int_equal(cpu->arch.trap_pc, 0x10000);
    assert_int_equal(cpu->arch.trap_value, 0x4000);
    check_error(hc_trap_return(cpu), HC_DENIED);
    check_value(hc_shared_page(cpu, world_data(0)));
    cpu->shared->return_a6 = 6;
    cpu->shared->return_a7 = 7;
    check_value(hc_trap_return(cpu));
    assert_int_equal(cpu->arch.pc, 0x10000);
    assert_int_equal(cpu->arch.registers6_7[0], 6);
    assert_int_equal(cpu->arch.registers6_7[1], 7);
    trap.cause = ILLEGAL;
    vms[1]->virt->trap(cpu, &trap);
    assert_int_equal(vms[1]->state, VM_RUNNING);
    trap.kernel = true;
    vms[1]->virt->trap(cpu, &trap);
    assert_int_equal(vms[1]->state, VM_ENDING);
}

static void test_a_trap_without_an_entry_ends_the_vm(void **state)
{
    struct virt_trap trap = {.cause = 13, .kernel = false, .value = 0};

    (void)state;
    world_start(1, NULL);
    vms[0]->virt->trap(&vms[0]->vcpus[0], &trap);
    assert_int_equal(vms[0]->state, VM_ENDING);
}

static void test_a_fault_of_the_trap_entry_itself_ends_the_vm(void **state)
{
    struct virt_trap trap = {.cause = 12, .kernel = true, .value = 0};
    struct vcpu *cpu;

    (void)state;
    world_start(1, NULL);
    cpu = &vms[0]->vcpus[0];
    check_value(hc_trap_register(cpu, gva(PV_DIRECT_MAP + VM_MEMORY_BASE), 0));
    vms[0]->virt->trap(cpu, &trap);
    assert_int_equal(vms[0]->state, VM_RUNNING);
    vms[0]->virt->trap(cpu, &trap);
    assert_int_equal(vms[0]->state, VM_ENDING);
}

static void test_the_shared_page_is_data_and_given_once(void **state)
{
    struct vcpu *cpu;

    (void)state;
    world_start(1, NULL);
    cpu = &vms[0]->vcpus[0];
    check_error(hc_shared_page(cpu, world_pool(1)), HC_IS_POOL);
    check_error(hc_shared_page(cpu, gpa(world_data(0).value + 8)), HC_INVALID_ADDRESS);
    check_error(hc_shared_page(cpu, gpa(0)), HC_INVALID_ADDRESS);
    memset(world_bytes(vms[0], world_data(0)), 0xff, FRAME_BYTES);
    check_value(hc_shared_page(cpu, world_data(0)));
    assert_int_equal(((u64 *)world_bytes(vms[0], world_data(0)))[100], 0);
    assert_int_equal((u64)cpu->shared->time_offset + vms[0]->started_at, 0);
    check_error(hc_shared_page(cpu, world_data(1)), HC_EXISTS);
}

static void test_calls_are_dispatched_by_number_and_counted(void **state)
{
    const u64 arguments[6] = {world_pool(9).value, 2};
    struct vcpu *cpu;

    (void)state;
    world_start(1, NULL);
    cpu = &vms[0]->vcpus[0];
    assert_int_equal(check_value(hypercall_handle(cpu, HC_CALL_VERSION, arguments)),
                     CANDOR_ABI_VERSION);
    check_value(hypercall_handle(cpu, HC_CALL_TABLE_MAKE, arguments));
    check_error(hypercall_handle(cpu, HC_CALL_TABLE_MAKE, arguments), HC_EXISTS);
    check_error(hypercall_handle(cpu, HC_CALL_COUNT, arguments), HC_NOT_SUPPORTED);
    check_error(hypercall_handle(cpu, ~0UL, arguments), HC_NOT_SUPPORTED);
    check_error(hypercall_handle(cpu, 1UL << 32, arguments), HC_NOT_SUPPORTED);
    assert_int_equal(cpu->counts.calls[HC_CALL_COUNT], 0);
    assert_int_equal(cpu->counts.calls[HC_CALL_TABLE_MAKE], 2);
    assert_int_equal(cpu->counts.calls[HC_CALL_VERSION], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_image_runs_with_its_registers_set),
        cmocka_unit_test(test_code_is_not_writable_and_data_does_not_run),
        cmocka_unit_test(test_physical_and_machine_frames_differ),
        cmocka_unit_test(test_bad_images_are_refused_alone_and_in_one_line),
        cmocka_unit_test(test_an_ended_vm_gives_everything_back),
        cmocka_unit_test(test_a_vm_ends_once_and_for_the_first_reason),
        cmocka_unit_test(test_a_rebooted_vm_starts_anew_from_the_bundle),
        cmocka_unit_test(test_memory_is_zero_before_another_vm_gets_it),
        cmocka_unit_test(test_the_exit_status_tells_faults_from_shutdowns),
        cmocka_unit_test(test_traps_are_registered_and_handed_on),
        cmocka_unit_test(test_a_trap_without_an_entry_ends_the_vm),
        cmocka_unit_test(test_a_fault_of_the_trap_entry_itself_ends_the_vm),
        cmocka_unit_test(test_the_shared_page_is_data_and_given_once),
        cmocka_unit_test(test_calls_are_dispatched_by_number_and_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
