/* SPDX-License-Identifier: MIT */
/*
 * The host port: machine memory in an array, time that stands still until it is moved, and harts of
 * which one executes at a time: the one that the test says. What tests set and look at.
 */
#pragma once

#include <setjmp.h>

#include "arch_vcpu.h"
#include "core/hart.h"

struct vcpu;

extern u64 host_time;
extern u32 host_hart; /* index of the hart that executes */
extern u64 host_timers[HARTS_MAX];
#define host_timer host_timers[host_hart] /* what arch_timer_set was last told on this hart */
extern u32 host_code_changes;
extern u32 host_dozes;       /* of any hart: arch_hart_doze() */
extern jmp_buf *host_asleep; /* where a sleep without an end goes; NULL: it aborts */
extern u32 host_space_ids;   /* what arch_space_ids says */

/* A machine with that much memory, empty, and its one hart. What was there before is gone. */
void host_start(u64 memory_bytes);

/* Another hart comes online; the one that executes stays the same. */
void host_add_hart(void);

/* That hart executes from now on, and serves its mail. */
void host_run_on(u32 index);

/*
 * An access of the vCPU at `address` by way of the TLB model (tlb.h), as its hardware would do it.
 * `wanted`: the SV39_R, W, X and U bits that the leaf must have. True, and the leaf in *entry, if
 * it is allowed.
 */
bool host_access(struct vcpu *vcpu, gva_t address, u64 wanted, u64 *entry);
