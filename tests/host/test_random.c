/* SPDX-License-Identifier: MIT */
/*
 * Long random sequences of calls from three VMs over few frames and addresses, so that they
 * collide, with accesses in between that fill the TLB model. After each some, the audit is clean
 * and nothing remembered is unsafe. CANDOR_SEED=n repeats a run, CANDOR_STEPS=n makes it longer.
 */
#include "check.h"

#include <stdio.h>

#include "arch/arch.h"
#include "core/hypercall.h"
#include "host.h"
#include "sv39.h"
#include "tlb.h"
#include "virt/pv/paging.h"
#include "world.h"

enum {
    VMS = 3,
    STEPS = 20000,
    AUDIT_EVERY = 100,
    FRAMES = 24, /* pool frames that the calls name */
    REGIONS = 3,
    PAGES = 6, /* in each region */
};

static u64 seed;

static u32 pick(u32 count)
{
    seed = seed * 6364136223846793005UL + 1442695040888963407UL;
    return (u32)(seed >> 33) % count;
}

/* Usually a frame that serves as a table of that level. */
static gpa_t any_table(u32 level)
{
    static const u32 first[] = {8, 4, 0}, count[] = {FRAMES - 8, 4, 4};

    if (pick(20) == 0)
        return world_data(pick(8));
    return pick(10) == 0 ? world_pool(pick(FRAMES)) : world_pool(first[level] + pick(count[level]));
}

static gpa_t any_root(void)
{
    return any_table(2);
}

static gpa_t any_frame(void)
{
    switch (pick(12)) {
    case 0:
        return world_pool(pick(FRAMES));
    case 1:
        return gpa((u64)pick(1 << 20) << FRAME_SHIFT);
    case 2: /* a machine address, perhaps another VM's */
        return gpa(
            mfn_to_maddr(p2m_lookup(&vms[pick(VMS)]->p2m, world_data(pick(8)).value >> FRAME_SHIFT))
                .value);
    default:
        return world_data(pick(16));
    }
}

static gva_t any_page(void)
{
    static const u64 regions[REGIONS] = {0, 0x40000000, 0x40000000 + CHUNK_BYTES};
    u64 address = regions[pick(REGIONS)] + (u64)pick(PAGES) * FRAME_BYTES;

    switch (pick(60)) {
    case 0:
        return gva(address + 1);
    case 1:
        return gva(address + PV_DIRECT_MAP + VM_MEMORY_BASE);
    case 2:
        return gva(address | 1UL << 38);
    default:
        return gva(address);
    }
}

static u64 any_entry(void)
{
    u64 entry = any_frame().value >> FRAME_SHIFT << SV39_PPN_SHIFT |
                (pick(8) != 0 ? SV39_V | SV39_R : 0) | pick(1024);

    if (pick(5) == 0)
        return 0;
    return pick(30) == 0 ? entry | 1UL << (54 + pick(10)) : entry;
}

static u64 any_prot(void)
{
    return pick(10) == 0 ? pick(256)
                         : PROT_READ | (pick(2) ? PROT_WRITE : 0) | (pick(2) ? PROT_USER : 0);
}

/* An array of the guest's with something in it: addresses of frames, or updates. */
static gpa_t any_array(const struct vm *vm, bool of_updates)
{
    gpa_t array = world_data(20 + pick(4));
    u64 *words = world_bytes(vm, array);

    for (u32 i = 0; i < 16; i++) {
        if (of_updates)
            words[i] = i % 2 == 0 ? any_page().value : any_entry();
        else
            words[i] = any_frame().value;
    }
    return pick(30) == 0 ? any_frame() : array;
}

static void step(void)
{
    struct vcpu *cpu = &vms[pick(VMS)]->vcpus[0];
    u32 level = pick(3);
    u64 leaf;

    switch (pick(16)) {
    case 0:
    case 1:
        (void)hc_table_make(cpu, any_table(level), level);
        break;
    case 2:
        (void)hc_table_free(cpu, any_table(level));
        break;
    case 3:
    case 4:
        (void)hc_table_link(cpu, any_root(), any_page(), any_table(pick(2)));
        break;
    case 5:
        (void)hc_table_unlink(cpu, any_root(), any_page(), pick(3));
        break;
    case 6:
    case 7:
        (void)hc_pte_set(cpu, any_root(), any_page(), any_entry());
        break;
    case 8:
        (void)hc_pte_batch(cpu, any_root(), any_array(cpu->vm, true), pick(8));
        break;
    case 9:
        (void)hc_pte_fill(cpu, any_root(), any_page(), any_array(cpu->vm, false), pick(8),
                          any_prot());
        break;
    case 10:
        (void)hc_pte_protect(cpu, any_root(), any_page(), pick(12), any_prot());
        break;
    case 11:
        (void)hc_pte_clone(cpu, any_root(), any_root(), any_page(), pick(12),
                           any_array(cpu->vm, false));
        break;
    case 12:
        (void)hc_pte_clear(cpu, any_root(), any_page(), pick(4), any_array(cpu->vm, false));
        break;
    case 13:
        (void)hc_space_switch(cpu, any_root());
        break;
    case 14:
        (void)hc_flush(cpu, any_root(), any_page(), pick(30));
        break;
    default:
        for (u32 i = 0; i < 4; i++)
            (void)host_access(cpu, any_page(), SV39_R, &leaf);
    }
    if (pick(2000) == 0) {
        vm_end(cpu->vm, VM_EXIT_REBOOT);
        world_settle();
    }
}

static void test_no_sequence_of_calls_breaks_an_invariant(void **state)
{
    const char *seed_text = getenv("CANDOR_SEED"), *steps_text = getenv("CANDOR_STEPS");
    u64 first = seed_text != NULL ? strtoull(seed_text, NULL, 0) : 1;
    u64 steps = steps_text != NULL ? strtoull(steps_text, NULL, 0) : STEPS;
    u64 entries_seen = 0;

    (void)state;
    seed = first;
    world_start(VMS, NULL);
    for (u64 i = 0; i < steps; i++) {
        struct tlb_verdict verdict;

        step();
        if (i % AUDIT_EVERY != 0)
            continue;
        entries_seen += tlb_count();
        verdict = tlb_check();
        if (world_audit() != 0 || verdict.unsafe != 0)
            fail_msg("seed %lu, step %lu: %u unsafe translations; log: %s", first, i,
                     verdict.unsafe, world_log);
        world_log[0] = 0;
    }
    assert_true(entries_seen > 0);
}

/* The sequences do get somewhere: some calls of each kind work. */
static void test_the_sequences_reach_what_they_test(void **state)
{
    u64 worked = 0;

    (void)state;
    seed = 7;
    world_start(VMS, NULL);
    for (u32 i = 0; i < STEPS; i++) {
        u64 leaf;

        step();
        for (u32 vm = 0; vm < VMS; vm++)
            worked += host_access(&vms[vm]->vcpus[0], gva(0x40000000), SV39_R, &leaf);
    }
    assert_true(worked > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_sequence_of_calls_breaks_an_invariant),
        cmocka_unit_test(test_the_sequences_reach_what_they_test),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
