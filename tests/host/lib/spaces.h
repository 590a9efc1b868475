/* SPDX-License-Identifier: MIT */
/*
 * Two spaces of the first of two VMs, with a page table at PLACE each, for the tests of direct
 * paging; after each test the audit must agree and the TLB model must hold nothing that is stale.
 */
#pragma once

#include "check.h"

#include "arch/arch.h"
#include "core/hypercall.h"
#include "host.h"
#include "mem/frame.h"
#include "mem/space_id.h"
#include "sv39.h"
#include "tlb.h"
#include "virt/pv/paging.h"
#include "world.h"

enum {
    RW = SV39_V | SV39_R | SV39_W | SV39_U,
    RO = SV39_V | SV39_R | SV39_U,
    ROOT =
        1, /* pool frames: a root, its level-1 and level-0 tables for PLACE, another such space */
    MIDDLE = 2,
    LAST = 3,
    ROOT2 = 4,
    MIDDLE2 = 5,
    LAST2 = 6,
    SPARE = 7,
};

static const gva_t PLACE = {0x40000000};

static struct vcpu *cpu;

static inline gva_t page(u64 n)
{
    return gva(PLACE.value + n * FRAME_BYTES);
}

static inline u64 entry(gpa_t frame, u64 flags)
{
    return frame.value >> FRAME_SHIFT << SV39_PPN_SHIFT | flags;
}

static inline void make_space(u32 root, u32 middle, u32 last)
{
    check_value(hc_table_make(cpu, world_pool(root), 2));
    check_value(hc_table_make(cpu, world_pool(middle), 1));
    check_value(hc_table_make(cpu, world_pool(last), 0));
    check_value(hc_table_link(cpu, world_pool(root), PLACE, world_pool(middle)));
    check_value(hc_table_link(cpu, world_pool(root), PLACE, world_pool(last)));
}

static inline int start(void **state)
{
    (void)state;
    world_start(2, NULL);
    assert_int_equal(vm_count, 2);
    assert_int_equal(vms[0]->state, VM_RUNNING);
    cpu = &vms[0]->vcpus[0];
    make_space(ROOT, MIDDLE, LAST);
    make_space(ROOT2, MIDDLE2, LAST2);
    check_value(hc_space_switch(cpu, world_pool(ROOT)));
    return 0;
}

static inline int finish(void **state)
{
    struct tlb_verdict verdict = tlb_check();

    (void)state;
    assert_int_equal(world_audit(), 0);
    assert_int_equal(verdict.unsafe, 0);
    assert_int_equal(verdict.stale, 0);
    return 0;
}

static inline bool reads(gva_t address)
{
    u64 leaf;

    return host_access(cpu, address, SV39_R, &leaf);
}

static inline bool writes(gva_t address)
{
    u64 leaf;

    return host_access(cpu, address, SV39_W, &leaf);
}

static inline mfn_t target(gva_t address)
{
    u64 leaf = 0;

    assert_true(host_access(cpu, address, SV39_R, &leaf));
    return mfn(sv39_frame(leaf));
}

#define rule(test) cmocka_unit_test_setup_teardown(test, start, finish)
