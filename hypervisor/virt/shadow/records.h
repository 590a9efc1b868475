/* SPDX-License-Identifier: MIT */
/*
 * What the trace in detail tells of an unmodified guest (debug/trace_kinds.h), between the records
 * of an entry and of its exit.
 */
#pragma once

#include "debug/trace.h"
#include "virt/shadow/guest_walk.h"

/* An exception or interrupt (as scause has it) enters its kernel, with that stval. */
static inline void record_reflected(u64 cause, u64 value)
{
    trace_detail(TRACE_REFLECT, cause, value);
}

/* A fence is done: of an address, or all; so many of the guest's tables were compared for it by the
 * trap that ends it. */
static inline void record_fence(u64 address, u64 settled)
{
    trace_detail(TRACE_FENCE, address, settled);
}

/* The guest's entry for that address, as its tables have it (0: it does not translate), in a record
 * with the address; then the page's guest-physical address, the level of the guest's leaf in its
 * low bits, with the shadow's entry. */
void record_fill_detail(const struct vcpu *vcpu, gva_t address,
                        const struct guest_translation *found, u64 shadow);

static inline void record_fill(const struct vcpu *vcpu, gva_t address,
                               const struct guest_translation *found, u64 shadow)
{
    if (arch_hart()->trace_level == TRACE_DETAIL)
        record_fill_detail(vcpu, address, found, shadow);
}
