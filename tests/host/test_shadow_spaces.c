/* SPDX-License-Identifier: MIT */
/*
 * The spaces of an unmodified guest, and the hardware's identifiers: a guest that switches between
 * a handful of processes finds theirs; where identifiers are few, machines share them without
 * seeing each other's memory; and what is known of a frame does not outlive the shadows.
 */
#include "check.h"

#include "arch/arch.h"
#include "core/sched.h"
#include "core/sched_policy.h"
#include "core/vm.h"
#include "csr.h"
#include "host.h"
#include "mem/frame.h"
#include "mem/space_id.h"
#include "shadow_machine.h"
#include "sv39.h"
#include "tlb.h"
#include "virt/shadow/shadow.h"
#include "virt/shadow/table_store.h"
#include "virt/virt.h"

enum {
    PROCESSES = 5,
    ROUNDS = 20,
    STARTS = 200,
    SMALL_SHARE = 3,
};

static u64 satp_of(u32 root, u64 asid)
{
    return SATP_SV39 | asid << SATP_ASID_SHIFT | guest_frame(root);
}

static u64 missed(void)
{
    return vm->shadow->tables.counts.spaces_missed;
}

/* ---- found again ---- */

/* All processes take turns, each of them once in every view of a kernel in U-mode. */
static void processes_take_turns(u32 first_root, u64 first_asid)
{
    for (u32 i = 0; i < PROCESSES; i++) {
        for (u32 view = SHADOW_VIEW_USER; view <= SHADOW_VIEW_KERNEL_SUM; view++)
            shadow_space_enter(vcpu, satp_of(first_root + 7 * i, first_asid + i), view);
    }
}

static void test_a_handful_of_processes_find_their_spaces_wherever_they_stand(void **state)
{
    (void)state;
    machine_make();
    for (u32 start = 0; start < STARTS; start++) {
        const u32 root = start * 3;
        u64 before;

        processes_take_turns(root, start);
        before = missed();
        for (u32 round = 0; round < ROUNDS; round++)
            processes_take_turns(root, start);
        assert_int_equal(missed(), before);
    }
    audit_holds();
}

static void test_a_kernel_in_s_mode_finds_as_many_spaces_as_are_kept(void **state)
{
    enum { KEPT = SHADOW_SPACES / 2 };
    u64 before = 0;

    (void)state;
    machine_make();
    for (u32 round = 0; round < ROUNDS; round++) {
        for (u32 i = 0; i < KEPT; i++)
            shadow_space_enter(vcpu, satp_of(i, 1 + i), SHADOW_VIEW_DIRECT);
        if (round == 0)
            before = missed();
    }
    assert_int_equal(missed(), before);
    assert_int_equal(before, KEPT + 1); /* and the one that it began with */
}

static void test_the_space_not_used_for_longest_makes_room(void **state)
{
    (void)state;
    machine_make();
    for (u32 i = 0; i < 10 * SHADOW_SPACES; i++) {
        u64 before;

        shadow_space_enter(vcpu, satp_of(i, i), SHADOW_VIEW_DIRECT);
        before = missed();
        shadow_space_enter(vcpu, satp_of(1, 0xffff), SHADOW_VIEW_DIRECT);
        shadow_space_enter(vcpu, satp_of(i, i), SHADOW_VIEW_DIRECT);
        assert_int_equal(missed(), before + (i == 0 ? 1 : 0));
    }
    audit_holds();
}

/* ---- few identifiers ---- */

static u32 ids_used(void)
{
    u32 used = 0;

    for (u32 id = 1; id <= space_id_share(1); id++)
        used += space_id_used((u16)id);
    return used;
}

static void test_a_guest_with_many_spaces_takes_no_other_ones_identifiers(void **state)
{
    (void)state;
    machine_make();
    assert_true(space_id_init(2 * SMALL_SHARE + 1)); /* what it has so far stays unknown there */
    while (shadow_tables_release(vm))
        ;
    vm_count = 2;
    vms[1] = NULL;
    assert_true(shadow_tables_ready(vm));
    for (u32 i = 0; i < SHADOW_SPACES; i++)
        shadow_space_enter(vcpu, satp_of(i, i), SHADOW_VIEW_DIRECT);
    assert_int_equal(ids_used(), SMALL_SHARE);
    vm_count = 1;
}

/* root 0 -> 1 -> 2 -> one page, for the kernel to write */
static void one_page(void)
{
    const u64 rights = SV39_V | SV39_R | SV39_W | SV39_A | SV39_D;

    guest_table(0)[0] = guest_frame(1) << 10 | SV39_V;
    guest_table(1)[0] = guest_frame(2) << 10 | SV39_V;
    guest_table(2)[0] = guest_frame(20) << 10 | rights;
    shadow_space_enter(vcpu, satp_of(0, 1), SHADOW_VIEW_DIRECT);
}

/* The first page, through the hardware, with its faults. */
static mfn_t reached(struct vcpu *of)
{
    const struct guest_access access = {.right = SV39_W, .kernel = true};
    struct guest_translation found;
    u64 entry = 0;

    vm = of->vm;
    vcpu = of;
    while (!host_access(of, gva(0), SV39_W, &entry)) {
        assert_int_equal(
            guest_walk(vm, &vcpu->shadow->memo.path, satp_of(0, 1), gva(0), &access, &found),
            GUEST_WALK_OK);
        fill(gva(0), &found, true);
    }
    return mfn(sv39_frame(entry));
}

static void take_turns_from_now_on(void)
{
    static const struct virt_ops turns = {
        .name = "turns", .enter = shadow_enter, .audit = shadow_audit};

    vm->virt = &turns;
    vcpu->weight = 1;
    vcpu->timer = TIME_NEVER;
    list_init(&vcpu->link);
    sched_start(vcpu);
}

static void test_two_machines_without_an_identifier_see_their_own_memory_alone(void **state)
{
    struct vcpu *seen[2] = {NULL, NULL};

    (void)state;
    machine_make();
    machine_add();
    while (space_id_alloc() != 0)
        ;
    for (u32 i = 0; i < 2; i++) {
        vm = vms[i];
        vcpu = &vm->vcpus[0];
        one_page();
        assert_int_equal(vcpu->arch.space_id, 0);
        take_turns_from_now_on();
    }
    sched_use(&sched_round_robin);
    arch_hart()->reschedule = true;
    for (u32 turn = 0; turn < 6; turn++) {
        struct vcpu *now = sched_next(arch_hart());

        seen[turn % 2] = now;
        assert_ptr_not_equal(seen[0], seen[1]);
        assert_int_equal(reached(now).number, p2m_lookup(&now->vm->p2m, guest_frame(20)).number);
        sched_requeue(now);
    }
    sched_use(&sched_weighted);
}

static void test_identifiers_that_are_all_in_use_flush_nobody_for_one_more(void **state)
{
    (void)state;
    machine_make();
    one_page();
    while (space_id_alloc() != 0)
        ;
    (void)reached(vcpu);
    assert_int_not_equal(tlb_count(), 0);
    assert_int_equal(space_id_alloc(), 0);
    assert_int_not_equal(tlb_count(), 0);
}

/* ---- what is known of a frame ---- */

/* As if all had been given up so often that the count of it has gone round. */
static void test_what_was_known_of_a_frame_is_not_believed_when_the_count_comes_round(void **state)
{
    struct shadow_tables *shadow;
    u32 then;

    (void)state;
    machine_make();
    shadow = &vm->shadow->tables;
    one_page();
    then = shadow->generation;
    assert_int_equal(shadow_frame_of(shadow, vm, guest_frame(0))->state, SHADOW_IN_STEP);
    shadow_space_enter(vcpu, satp_of(9, 9), SHADOW_VIEW_DIRECT);
    for (u32 i = 0; i < shadow->frames_count; i++)
        shadow_drop_all(vcpu);
    shadow->generation = then - 1;
    shadow_drop_all(vcpu);
    assert_int_equal(shadow->generation, then);
    assert_int_equal(shadow_frame_of(shadow, vm, guest_frame(0))->state, SHADOW_PLAIN);
    audit_holds();
}

/* ---- no memory ---- */

/* Page n of 4 stands below tables of its own: what one instruction can need, across two ends of
 * pages, with no table left but those taken at first. */
static void test_without_memory_four_far_pages_can_be_used_at_once(void **state)
{
    enum { FAR_PAGES = 4 };
    const u64 rights = SV39_V | SV39_R | SV39_W | SV39_A | SV39_D;
    struct shadow_tables *shadow;
    u64 drops, entry;

    (void)state;
    machine_make();
    shadow = &vm->shadow->tables;
    for (u32 i = 0; i < FAR_PAGES; i++) {
        guest_table(0)[i] = guest_frame(1 + 2 * i) << 10 | SV39_V;
        guest_table(1 + 2 * i)[0] = guest_frame(2 + 2 * i) << 10 | SV39_V;
        guest_table(2 + 2 * i)[0] = guest_frame(20) << 10 | rights;
    }
    while (mfn_valid(frame_table_alloc(vm->id, 0)))
        ;
    shadow_space_enter(vcpu, satp_of(0, 1), SHADOW_VIEW_DIRECT);
    shadow_drop_all(vcpu);
    drops = shadow->counts.drops;
    for (u32 i = 0; i < FAR_PAGES; i++) {
        const struct guest_access access = {.right = SV39_W, .kernel = true};
        struct guest_translation found;

        assert_int_equal(guest_walk(vm, &vcpu->shadow->memo.path, satp_of(0, 1), gva((u64)i << 30),
                                    &access, &found),
                         GUEST_WALK_OK);
        fill(gva((u64)i << 30), &found, true);
    }
    assert_int_equal(shadow->counts.drops, drops);
    for (u32 i = 0; i < FAR_PAGES; i++)
        assert_true(host_access(vcpu, gva((u64)i << 30), SV39_W, &entry));
    while (shadow_tables_release(vm))
        ;
    while (mfn_valid(frame_table_alloc(vm->id, 0)))
        ;
    assert_false(shadow_tables_ready(vm)); /* so that it does not start */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_handful_of_processes_find_their_spaces_wherever_they_stand),
        cmocka_unit_test(test_a_kernel_in_s_mode_finds_as_many_spaces_as_are_kept),
        cmocka_unit_test(test_the_space_not_used_for_longest_makes_room),
        cmocka_unit_test(test_a_guest_with_many_spaces_takes_no_other_ones_identifiers),
        cmocka_unit_test(test_two_machines_without_an_identifier_see_their_own_memory_alone),
        cmocka_unit_test(test_identifiers_that_are_all_in_use_flush_nobody_for_one_more),
        cmocka_unit_test(test_what_was_known_of_a_frame_is_not_believed_when_the_count_comes_round),
        cmocka_unit_test(test_without_memory_four_far_pages_can_be_used_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
