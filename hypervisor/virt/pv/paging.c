/* SPDX-License-Identifier: MIT */
/*
 * Direct paging: a pv guest's own tables hold machine frames and are walked by the hardware, and
 * Candor alone writes them, by the calls below. This is the whole of what keeps VMs apart, so the
 * invariants stand here; audit.c recomputes every one of them from the tables.
 *
 *  1. A leaf maps only a frame that its VM owns.
 *  2. A leaf of a guest that maps a frame of the pool cannot be written through.
 *  3. A table is linked only at its own level, and struct frame counts its links. The direct map's
 * tables are Candor's: the calls work on the lower half alone and never name them. Bits 54 to 63 of
 * entries are 0.
 *  4. A root that a vCPU uses, or a table that is linked, is not freed.
 *  5. A pool frame changes its level, and a data frame leaves its VM, only after every hart that
 * could hold a translation through it has dropped it: unlinking drops all, an ended VM is flushed
 * on every hart, and a freed root's identifier is not used again before that (space_id.h).
 *  6. A shared page is a data frame, and data frames stay with their VM until it ends.
 *  7. Nothing but these calls writes to a pool frame: guest_copy_out refuses them.
 *  8. Below M-mode satp is never Bare: the guest starts with a root, and satp writes trap.
 *
 * In the lower half leaves are of level 0 only. An entry that was absent needs no flush when it is
 * set: a hart that remembers its absence faults once more, and the guest's kernel calls `flush`.
 *
 * The calls on tables are here, those on entries in paging_entries.c. A call checks everything,
 * then changes; arguments are checked from left to right. Of a VM's vCPUs one at a time is in such
 * a call (hypercall_handle), and before the next one is, every hart has dropped what this one made
 * stale (vm_calls_unlock); the audit runs while no guest does.
 */
#include "virt/pv/paging.h"

#include "arch/arch.h"
#include "core/hypercall.h"
#include "core/sched.h"
#include "core/vm.h"
#include "mem/frame.h"
#include "mem/space_id.h"
#include "string.h"
#include "sv39.h"
#include "virt/pv/paging_names.h"

/* ---- tables ---- */

/* A root is one no more. */
static void root_end(const struct frame *frame)
{
    space_id_free(frame->space_id);
    vms[frame->vm - 1]->pv.roots--;
}

static int table_make(struct vcpu *vcpu, gpa_t name, u64 level)
{
    struct frame *frame;
    mfn_t table;
    u16 space_id = 0;
    int error = pool_frame(vcpu->vm, name, &table);

    if (error != HC_OK)
        return error;
    if (level > SV39_ROOT_LEVEL)
        return HC_INVALID_PARAM;
    frame = frame_get(table);
    if (frame->type == FRAME_TABLE)
        return HC_EXISTS;
    if (level == SV39_ROOT_LEVEL) {
        space_id = vcpu->vm->pv.roots < space_id_share(vm_count) ? space_id_alloc() : 0;
        if (space_id == 0)
            return HC_NO_SPACE;
        vcpu->vm->pv.roots++;
    }
    memset(arch_frame_bytes(table), 0, FRAME_BYTES);
    if (level == SV39_ROOT_LEVEL) {
        const mfn_t *map = vcpu->vm->pv.direct_map;
        u64 *entry = (u64 *)arch_frame_bytes(table) +
                     sv39_index(gva(PV_DIRECT_MAP + VM_MEMORY_BASE), SV39_ROOT_LEVEL);

        while (map < &vcpu->vm->pv.direct_map[PV_DIRECT_MAP_GIB] && mfn_valid(*map))
            *entry++ = sv39_link(*map++);
    }
    frame->type = FRAME_TABLE;
    frame->level = (u8)level;
    frame->links = 0;
    frame->children = 0;
    frame->space_id = space_id;
    return HC_OK;
}

struct hc_result hc_table_make(struct vcpu *vcpu, gpa_t table, u64 level)
{
    return hc_error(table_make(vcpu, table, level));
}

int paging_make_root(struct vcpu *vcpu, gpa_t name)
{
    return table_make(vcpu, name, SV39_ROOT_LEVEL);
}

/* Takes back the links that a table's lower half holds. */
static void children_release(mfn_t table)
{
    struct frame *frame = frame_get(table);
    const u64 *entries = arch_frame_bytes(table);
    u32 count = frame->level == SV39_ROOT_LEVEL ? SV39_LOWER_ENTRIES : SV39_ENTRIES;

    for (u32 i = 0; i < count && frame->children > 0; i++) {
        if (entries[i] == 0)
            continue;
        frame_get(mfn(sv39_frame(entries[i])))->links--;
        frame->children--;
    }
}

static bool root_used(const struct vm *vm, mfn_t root)
{
    for (u32 i = 0; i < vm->vcpu_count; i++) {
        if (mfn_equal(arch_space_root(&vm->vcpus[i]), root))
            return true;
    }
    return false;
}

struct hc_result hc_table_free(struct vcpu *vcpu, gpa_t name)
{
    struct frame *frame;
    mfn_t table;
    u32 children;
    int error = pool_frame(vcpu->vm, name, &table);

    if (error != HC_OK)
        return hc_error(error);
    frame = frame_get(table);
    if (frame->type != FRAME_TABLE)
        return hc_error(HC_BAD_LEVEL);
    if (frame->links > 0 || root_used(vcpu->vm, table))
        return hc_error(HC_IN_USE);
    arch_space_forget(vcpu, name);
    children = frame->children;
    if (children > 0)
        children_release(table);
    if (frame->level == SV39_ROOT_LEVEL)
        root_end(frame);
    frame->type = FRAME_POOL;
    frame->level = 0;
    frame->space_id = 0;
    return hc_value(children);
}

void paging_release_frame(mfn_t table)
{
    struct frame *frame = frame_get(table);

    if (frame->type == FRAME_TABLE && frame->level == SV39_ROOT_LEVEL)
        root_end(frame);
    frame->type = FRAME_POOL;
}

struct hc_result hc_table_link(struct vcpu *vcpu, gpa_t root_name, gva_t address, gpa_t name)
{
    struct frame *frame;
    mfn_t root, table;
    u64 *entry;
    int error = root_get(vcpu->vm, root_name, &root);

    if (error != HC_OK)
        return hc_error(error);
    if (address.value >= SV39_LOWER_END)
        return hc_error(HC_INVALID_ADDRESS);
    error = pool_frame(vcpu->vm, name, &table);
    if (error != HC_OK)
        return hc_error(error);
    frame = frame_get(table);
    if (frame->type != FRAME_TABLE || frame->level == SV39_ROOT_LEVEL)
        return hc_error(HC_BAD_LEVEL);
    entry = entry_find(root, address, frame->level + 1u);
    if (entry == NULL)
        return hc_error(HC_NO_TABLE);
    if (*entry != 0)
        return hc_error(HC_EXISTS);
    if (frame->links++ > 0)
        vcpu->vm->pv.shares_tables = true;
    frame_get(arch_frame_of(entry))->children++;
    *entry = sv39_link(table);
    return hc_value(0);
}

struct hc_result hc_table_unlink(struct vcpu *vcpu, gpa_t root_name, gva_t address, u64 level)
{
    struct frame *frame;
    mfn_t root;
    u64 *entry;
    int error = root_get(vcpu->vm, root_name, &root);

    if (error != HC_OK)
        return hc_error(error);
    if (address.value >= SV39_LOWER_END)
        return hc_error(HC_INVALID_ADDRESS);
    if (level >= SV39_ROOT_LEVEL)
        return hc_error(HC_INVALID_PARAM);
    entry = entry_find(root, address, (u32)level + 1);
    if (entry == NULL || *entry == 0)
        return hc_error(HC_NO_TABLE);
    frame = frame_get(mfn(sv39_frame(*entry)));
    *entry = 0;
    frame->links--;
    frame_get(arch_frame_of(entry))->children--;
    arch_space_forget(vcpu, root_name);
    vcpu->counts.flushes++;
    arch_translation_drop_all();
    vcpu->vm->stale = STALE_ALL;
    return hc_value(gfn_to_gpa(gfn(frame->gfn)).value);
}

struct hc_result hc_space_switch(struct vcpu *vcpu, gpa_t name)
{
    mfn_t root;
    u16 space_id;
    int error = root_get(vcpu->vm, name, &root);

    if (error != HC_OK)
        return hc_error(error);
    space_id = frame_get(root)->space_id;
    arch_space_install(vcpu, root, space_id);
    if (__atomic_load_n(&vcpu->stale, __ATOMIC_SEQ_CST))
        sched_drop_stale(vcpu);
    arch_space_remember_root(vcpu, name, root, space_id);
    return hc_value(0);
}
