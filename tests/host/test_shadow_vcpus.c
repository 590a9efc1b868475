/* SPDX-License-Identifier: MIT */
/*
 * Shadow page tables that several vCPUs use: what one of them does between another's walk and its
 * fill, and whose roots outlast that all shadows are given up. With harts:
 * tests/system/test_vcpus.py.
 */
#include "check.h"

#include "arch/arch.h"
#include "core/vm.h"
#include "csr.h"
#include "shadow_machine.h"
#include "virt/shadow/shadow.h"
#include "virt/shadow/table_store.h"

#define PAGE_RIGHTS ((u64)(SV39_V | SV39_R | SV39_W | SV39_U | SV39_A | SV39_D))

static void walk(struct guest_translation *found)
{
    const struct guest_access access = {.right = SV39_R};

    assert_int_equal(guest_walk(vm, &vcpu->shadow->memo.path, guest_satp(), gva(0), &access, found),
                     GUEST_WALK_OK);
}

/* Of another vCPU: a table that is not in step yet is written to, and its fence compares nothing.
 */
static void test_a_walk_made_before_a_table_was_protected_fills_nothing(void **state)
{
    struct guest_translation found;
    u64 leaf;

    (void)state;
    machine_make();
    vcpu->shadow->several = true;
    windows_make(1);
    guest_table(0)[0] = guest_frame(3) << SV39_PPN_SHIFT | SV39_V;
    guest_table(3)[0] = guest_frame(4) << SV39_PPN_SHIFT | SV39_V;
    guest_table(4)[0] = guest_frame(20) << SV39_PPN_SHIFT | PAGE_RIGHTS;
    guest_enter(0, 0);
    guest_is_user = true;
    walk(&found);
    fill(gva(0), &found, false); /* table 3 is in step now */
    walk(&found);
    guest_table(4)[0] = guest_frame(21) << SV39_PPN_SHIFT | PAGE_RIGHTS;
    fill(gva(0), &found, false);
    guest_fence();
    leaf = guest_go(gva(0), SV39_R);
    assert_int_equal(sv39_frame(leaf), p2m_lookup(&vm->p2m, guest_frame(21)).number);
    audit_holds();
}

/* What a table loses by being protected has reached all before it is compared: nothing is left to
 * be told to them, for nothing in it has changed. */
static void test_a_table_is_protected_on_all_harts_before_it_is_compared(void **state)
{
    struct shadow_tables *shadow;

    (void)state;
    guest_with_one_page();
    vcpu->shadow->several = true;
    shadow = &vm->shadow->tables;
    guest_write(4, 5, 0);
    assert_int_equal(shadow->loose_count, 1);
    shadow->stale = false;
    guest_fence();
    assert_int_equal(shadow->loose_count, 0);
    assert_false(shadow->stale);
    audit_holds();
}

/* A second vCPU in the machine of guest_with_one_page, in a space of its own. */
static struct vcpu *second_vcpu(struct vcpu *other)
{
    *other = (struct vcpu){.vm = vm, .index = 1, .shadow = &vm->shadow->vcpus[1]};
    vcpu->shadow->several = other->shadow->several = true;
    return other;
}

static void test_a_root_that_another_vcpu_uses_outlasts_that_all_is_given_up(void **state)
{
    struct shadow_tables *shadow;
    struct vcpu *other;
    mfn_t root;

    (void)state;
    guest_with_one_page();
    windows_make(2);
    shadow = &vm->shadow->tables;
    other = second_vcpu(&vm->vcpus[1]);
    vm->vcpu_count = 2;
    shadow_space_enter(other, SATP_SV39 | 9UL << SATP_ASID_SHIFT | guest_frame(1),
                       SHADOW_VIEW_DIRECT);
    root = arch_space_root(other);
    assert_true(shadow_root_of_any(vm, other->shadow->root));
    for (u32 i = 0; i < 2; i++) {
        shadow_drop_all(vcpu);
        assert_true(mfn_equal(arch_space_root(other), root));
        assert_int_equal(shadow->tables[other->shadow->root].frame, root.number);
        assert_int_equal(shadow->tables[other->shadow->root].gfn, guest_frame(1));
        assert_int_equal(shadow->tables_used, 2);
        audit_holds();
    }
    assert_int_not_equal(guest_go(gva(0), SV39_W), 0);
    audit_holds();
    vm->vcpu_count = 1;
}

static void test_a_space_that_another_vcpu_is_in_keeps_its_place(void **state)
{
    struct vcpu *other;
    u32 place;

    (void)state;
    guest_with_one_page();
    windows_make(2);
    other = second_vcpu(&vm->vcpus[1]);
    vm->vcpu_count = 2;
    shadow_space_enter(other, SATP_SV39 | 9UL << SATP_ASID_SHIFT | guest_frame(1),
                       SHADOW_VIEW_DIRECT);
    place = other->shadow->space;
    for (u64 asid = 10; asid < 10 + 4 * SHADOW_SPACES; asid++) {
        shadow_space_enter(vcpu, SATP_SV39 | asid << SATP_ASID_SHIFT | guest_frame(0),
                           SHADOW_VIEW_DIRECT);
        assert_int_not_equal(vcpu->shadow->space, place);
    }
    audit_holds();
    vm->vcpu_count = 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_walk_made_before_a_table_was_protected_fills_nothing),
        cmocka_unit_test(test_a_table_is_protected_on_all_harts_before_it_is_compared),
        cmocka_unit_test(test_a_root_that_another_vcpu_uses_outlasts_that_all_is_given_up),
        cmocka_unit_test(test_a_space_that_another_vcpu_is_in_keeps_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
