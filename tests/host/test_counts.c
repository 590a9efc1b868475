/* SPDX-License-Identifier: MIT */
/* What is told of an unmodified guest's costs: every count, once, under its own name. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "core/vm.h"
#include "virt/shadow/shadow.h"
#include "virt/virt.h"

enum { MARK = 1000, COUNTS_MAX = 256 };

static struct vm *machine_make(void)
{
    struct vm *made = calloc(1, sizeof(struct vm) + sizeof(struct vcpu));

    assert_non_null(made);
    made->shadow = calloc(1, sizeof(*made->shadow));
    assert_non_null(made->shadow);
    return made;
}

static void machine_free(struct vm *made)
{
    free(made->shadow);
    free(made);
}

static u64 told(const struct vm *vm, const char *group, const char *name)
{
    struct virt_count count;
    u64 value = 0;
    u32 times = 0;

    for (u32 i = 0; shadow_count(vm, i, &count); i++) {
        if (count.name == NULL || strcmp(count.group, group) != 0 || strcmp(count.name, name) != 0)
            continue;
        value = count.value;
        times++;
    }
    assert_int_equal(times, 1);
    return value;
}

static void test_every_count_has_its_name(void **state)
{
    struct vm *vm = machine_make();
    struct shadow_trap_counts *counts = &vm->shadow->counts;

    (void)state;
    for (u32 i = 0; i < INSTRUCTION_KINDS; i++)
        counts->emulated[i] = MARK + i;
    for (u32 i = 0; i < SHADOW_FENCE_FORMS; i++)
        counts->fences[i] = 2 * MARK + i;
    counts->csrs[CSR_SLOT(CSR_SEPC)] = 3;
    counts->faults = 4;
    vm->shadow->tables.counts.fills = 5;
    vm->shadow->tables.counts.spaces_missed = 6;
    assert_int_equal(told(vm, "emulated", "load"), MARK + INSTRUCTION_LOAD);
    assert_int_equal(told(vm, "emulated", "sfence.vma"), MARK + INSTRUCTION_SFENCE_VMA);
    assert_int_equal(told(vm, "emulated", "ebreak"), MARK + INSTRUCTION_EBREAK);
    assert_int_equal(told(vm, "fences", "all"), 2 * MARK + SHADOW_FENCE_ALL);
    assert_int_equal(told(vm, "fences", "page+asid"), 2 * MARK + SHADOW_FENCE_PAGE_ASID);
    assert_int_equal(told(vm, "csrs", "sepc"), 3);
    assert_int_equal(told(vm, "shadows", "guest-faults"), 4);
    assert_int_equal(told(vm, "shadows", "fills"), 5);
    assert_int_equal(told(vm, "shadows", "spaces-missed"), 6);
    machine_free(vm);
}

static void test_groups_stand_together_and_end(void **state)
{
    struct vm *vm = machine_make();
    struct virt_count count = {NULL, NULL, 0};
    const char *last = "";
    u32 groups = 0, number = 0;

    (void)state;
    while (number < COUNTS_MAX && shadow_count(vm, number, &count)) {
        groups += strcmp(count.group, last) != 0;
        last = count.group;
        number++;
    }
    assert_int_equal(groups, 4);
    assert_true(number < COUNTS_MAX);
    assert_false(shadow_count(vm, number + 1, &count));
    assert_false(shadow_count(vm, ~0U, &count));
    machine_free(vm);
}

static void test_a_new_start_counts_from_nothing(void **state)
{
    struct vm *vm = machine_make();
    struct virt_count count;

    (void)state;
    memset(&vm->shadow->counts, 1, sizeof(vm->shadow->counts));
    memset(&vm->shadow->tables.counts, 1, sizeof(vm->shadow->tables.counts));
    shadow_counts_reset(vm);
    for (u32 i = 0; shadow_count(vm, i, &count); i++)
        assert_int_equal(count.value, 0);
    machine_free(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_count_has_its_name),
        cmocka_unit_test(test_groups_stand_together_and_end),
        cmocka_unit_test(test_a_new_start_counts_from_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
