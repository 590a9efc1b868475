/* SPDX-License-Identifier: MIT */
/*
 * The walk that the monitor shows: each entry, the addresses, and the reason for each fault. Where
 * the hardware would allow an access, it says so, and nowhere else.
 */
#include "check.h"

#include "arch/arch.h"
#include "core/hypercall.h"
#include "host.h"
#include "mem/frame.h"
#include "sv39.h"
#include "virt/pv/paging.h"
#include "virt/virt.h"
#include "world.h"

static const gva_t PLACE = {0x40003123};

static struct vcpu *cpu;
static struct virt_walk walk;

static void walk_to(gva_t address)
{
    cpu->vm->virt->walk(cpu, address, &walk);
}

static int start(void **state)
{
    (void)state;
    world_start(2, NULL);
    cpu = &vms[0]->vcpus[0];
    check_value(hc_table_make(cpu, world_pool(1), 2));
    check_value(hc_table_make(cpu, world_pool(2), 1));
    check_value(hc_table_make(cpu, world_pool(3), 0));
    check_value(hc_table_link(cpu, world_pool(1), PLACE, world_pool(2)));
    check_value(hc_table_link(cpu, world_pool(1), PLACE, world_pool(3)));
    check_value(hc_space_switch(cpu, world_pool(1)));
    return 0;
}

/* The page of PLACE, whatever the calls would say of such an entry. */
static void put_leaf(mfn_t frame, u64 flags)
{
    u64 *table = world_bytes(cpu->vm, world_pool(3));

    table[sv39_index(PLACE, 0)] = (u64)frame.number << SV39_PPN_SHIFT | flags;
}

static mfn_t data_frame(void)
{
    return p2m_lookup(&cpu->vm->p2m, world_data(5).value >> FRAME_SHIFT);
}

static void check_all(const char *why)
{
    const char *const all[] = {walk.user.read,   walk.user.write,   walk.user.fetch,
                               walk.kernel.read, walk.kernel.write, walk.kernel.fetch};

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        assert_non_null(all[i]);
        assert_non_null(strstr(all[i], why));
    }
}

static void test_a_mapped_page_is_shown_with_its_addresses(void **state)
{
    (void)state;
    put_leaf(data_frame(), SV39_V | SV39_R | SV39_W | SV39_U | SV39_A | SV39_D);
    walk_to(PLACE);
    assert_int_equal(walk.count, 3);
    assert_int_equal(walk.entries[0].level, 2);
    assert_int_equal(walk.entries[2].index, 3);
    assert_string_equal(walk.entries[0].flags, "v-------");
    assert_string_equal(walk.entries[2].flags, "vrw-u-ad");
    assert_true(walk.mapped && walk.owned && !walk.pool);
    assert_true(walk.physical.value == world_data(5).value + 0x123);
    assert_true(walk.machine.value == mfn_to_maddr(data_frame()).value + 0x123);
    assert_null(walk.user.read);
    assert_null(walk.user.write);
    assert_non_null(strstr(walk.user.fetch, "no X"));
    assert_non_null(strstr(walk.kernel.read, "SUM"));
    assert_non_null(strstr(walk.kernel.fetch, "never"));
}

static void test_each_missing_level_has_its_reason(void **state)
{
    (void)state;
    walk_to(PLACE);
    assert_int_equal(walk.count, 3);
    assert_false(walk.mapped);
    check_all("not mapped");
    walk_to(gva(PLACE.value + CHUNK_BYTES));
    assert_int_equal(walk.count, 2);
    check_all("no table");
    walk_to(gva(0));
    assert_int_equal(walk.count, 1);
    check_all("no table");
    walk_to(gva(1UL << 38));
    assert_int_equal(walk.count, 0);
    check_all("bit 38");
}

static void test_the_direct_map_is_the_kernels(void **state)
{
    (void)state;
    walk_to(gva(PV_DIRECT_MAP + world_data(5).value));
    assert_true(walk.mapped && walk.owned);
    assert_true(walk.physical.value == world_data(5).value);
    assert_non_null(strstr(walk.user.read, "kernel's page"));
    assert_null(walk.kernel.read);
    assert_null(walk.kernel.write);
    walk_to(gva(PV_DIRECT_MAP + world_pool(3).value + 8));
    assert_true(walk.pool);
    assert_null(walk.kernel.read);
    assert_non_null(strstr(walk.kernel.write, "Candor alone"));
}

static void test_entries_that_no_call_makes_are_explained_not_followed(void **state)
{
    u64 *middle = world_bytes(cpu->vm, world_pool(2));

    (void)state;
    put_leaf(data_frame(), SV39_V | SV39_W);
    walk_to(PLACE);
    check_all("W without R");
    put_leaf(data_frame(), SV39_V | SV39_R | BIT(60));
    walk_to(PLACE);
    check_all("reserved bits");
    put_leaf(data_frame(), SV39_V | SV39_R | SV39_W | SV39_U);
    walk_to(PLACE);
    assert_non_null(strstr(walk.user.read, "A is clear"));
    put_leaf(data_frame(), SV39_V | SV39_R | SV39_W | SV39_U | SV39_A);
    walk_to(PLACE);
    assert_null(walk.user.read);
    assert_non_null(strstr(walk.user.write, "D is clear"));
    put_leaf(data_frame(), SV39_V);
    walk_to(PLACE);
    check_all("level 0");
    put_leaf(p2m_lookup(&vms[1]->p2m, world_data(5).value >> FRAME_SHIFT), SV39_V | SV39_R);
    walk_to(PLACE);
    assert_true(walk.mapped);
    assert_false(walk.owned);
    middle[sv39_index(PLACE, 1)] = 0x12345UL << SV39_PPN_SHIFT | SV39_V;
    walk_to(PLACE);
    check_all("outside of the memory");
    middle[sv39_index(PLACE, 1)] = 0x81UL << SV39_PPN_SHIFT | SV39_V | SV39_R | SV39_A;
    walk_to(PLACE);
    check_all("not aligned");
}

/* Compared with the model of the hardware, for every set of rights. */
static void test_it_allows_what_the_hardware_allows(void **state)
{
    static const u64 rights[] = {SV39_R, SV39_W, SV39_X};

    (void)state;
    for (u64 flags = 0; flags <= SV39_FLAGS; flags++) {
        if ((flags & SV39_G) || (flags & SV39_RSW) || (flags & (SV39_R | SV39_W)) == SV39_W)
            continue; /* the last are reserved, which the model does not look at */
        put_leaf(data_frame(), flags);
        arch_translation_drop_all();
        walk_to(PLACE);
        for (size_t i = 0; i < ARRAY_SIZE(rights); i++) {
            const char *why[] = {walk.user.read, walk.user.write, walk.user.fetch};
            u64 needed = SV39_U | rights[i] | SV39_A | (rights[i] == SV39_W ? SV39_D : 0);
            u64 leaf;

            if ((why[i] == NULL) != host_access(cpu, PLACE, needed, &leaf))
                fail_msg("flags %lx, right %lx: the walk says %s", flags, rights[i], why[i]);
            arch_translation_drop_all();
        }
    }
}

#define walked(test) cmocka_unit_test_setup(test, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        walked(test_a_mapped_page_is_shown_with_its_addresses),
        walked(test_each_missing_level_has_its_reason),
        walked(test_the_direct_map_is_the_kernels),
        walked(test_entries_that_no_call_makes_are_explained_not_followed),
        walked(test_it_allows_what_the_hardware_allows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
