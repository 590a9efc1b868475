/* SPDX-License-Identifier: MIT */
/*
 * What an unmodified guest costs, beside the entries that every vCPU counts (core/vcpu.h): what was
 * emulated for it, and what its faults and fences meant. Counted in the VM's turn, from when it was
 * last started on; read by anyone at any time.
 */
#pragma once

#include "virt/shadow/csr_table.h"
#include "virt/shadow/decode.h"

struct vm;
struct virt_count;

/* What an sfence.vma names: 1 an address, 2 an identifier. */
enum shadow_fence_form {
    SHADOW_FENCE_ALL = 0,
    SHADOW_FENCE_PAGE = 1,
    SHADOW_FENCE_ASID = 2,
    SHADOW_FENCE_PAGE_ASID = 3,
    SHADOW_FENCE_FORMS = 4,
};

/* An instruction that has to be executed again, because there is much to do first, counts each time
 * that it traps. A fence counts once. */
struct shadow_trap_counts {
    u64 emulated[INSTRUCTION_KINDS];
    u64 csrs[CSR_SLOTS]; /* CSR instructions, by the CSR's slot */
    u64 fences[SHADOW_FENCE_FORMS];
    u64 faults; /* page faults that were the guest's own */
};

/* Where a count stands. */
struct shadow_counted {
    const char *group;
    const char *name;
    u64 place; /* offset in struct vm_shadow */
};

extern const struct shadow_counted shadow_counted[];
extern const u64 shadow_counted_in_vm[]; /* offsets in struct vm: of `shadow`, of struct counters */

/* All is 0 again. */
void shadow_counts_reset(struct vm *vm);

/* virt_ops.count */
bool shadow_count(const struct vm *vm, u32 number, struct virt_count *count);
