/* SPDX-License-Identifier: MIT */
/*
 * The audit of a paravirtual VM: every invariant at the head of paging.c, recomputed from the
 * frame table and all tables, by code that shares nothing with the calls that keep them.
 *
 * Links are counted without memory of its own: each link found is taken from its table's count,
 * whatever is left is wrong, and a second pass puts everything back. No guest runs meanwhile.
 */
#include "core/audit.h"

#include "arch/arch.h"
#include "core/vm.h"
#include "mem/frame.h"
#include "sv39.h"
#include "virt/pv/paging.h"

/* A leaf in the lower half: what a guest may have made. */
static void check_leaf(mfn_t table, u32 index, u64 entry, u16 vm)
{
    const u64 always = SV39_V | SV39_A | SV39_D;
    const struct frame *target = frame_get(mfn(sv39_frame(entry)));

    audit_check((entry & always) == always, table, index, "a leaf lacks V, A or D");
    audit_check(sv39_is_leaf(entry) && ((entry & SV39_R) || !(entry & SV39_W)), table, index,
                "a leaf has no rights, or W alone");
    audit_check((entry & SV39_G) == 0 && entry >> 54 == 0, table, index,
                "a leaf has G or reserved bits");
    if (target == NULL || target->vm != vm || target->type == FRAME_FREE ||
        target->type == FRAME_DIRECT_MAP)
        audit_check(false, table, index, "a leaf maps a frame that is not its VM's");
    else
        audit_check(target->type == FRAME_DATA || (entry & SV39_W) == 0, table, index,
                    "a leaf maps a frame of the pool writable");
}

/* A leaf of the direct map: `span` frames of the VM in a row, not for users, and never written and
 * run at once. */
static void check_direct_leaf(mfn_t table, u32 index, u64 entry, const struct vm *vm,
                              u64 gfn_expected, u32 span)
{
    audit_check((entry & (SV39_U | SV39_G)) == 0, table, index,
                "the direct map is open to users, or global");
    audit_check((entry & (SV39_W | SV39_X)) != (SV39_W | SV39_X), table, index,
                "the direct map is writable code");
    for (u32 i = 0; i < span; i++) {
        u32 mapped = p2m_entry(&vm->p2m, gfn_expected + i);

        if ((mapped & ~P2M_POOL) != sv39_frame(entry) + i) {
            audit_check(false, table, index, "the direct map maps the wrong frame");
            return;
        }
        audit_check((mapped & P2M_POOL) == 0 || (entry & (SV39_W | SV39_X)) == 0, table, index,
                    "the direct map maps the pool writable or executable");
    }
}

/* A link; takes it from, or gives it back to, its table's count. */
static void check_link(mfn_t table, u32 index, u64 entry, u16 vm, u32 level, bool give_back)
{
    struct frame *target = frame_get(mfn(sv39_frame(entry)));
    bool good = (entry & ~(~0UL << SV39_PPN_SHIFT)) == SV39_V && entry >> 54 == 0 &&
                target != NULL && target->type == FRAME_TABLE && target->vm == vm &&
                target->level == level;

    if (!good) {
        if (!give_back)
            audit_check(false, table, index,
                        "a link leads to no table of its VM's of the right level");
        return;
    }
    target->links += give_back ? 1 : ~0u;
}

static void check_root_upper(mfn_t table, const u64 *entries, const struct vm *vm)
{
    u32 first = sv39_index(gva(PV_DIRECT_MAP + VM_MEMORY_BASE), SV39_ROOT_LEVEL);

    for (u32 i = SV39_LOWER_ENTRIES; i < SV39_ENTRIES; i++) {
        bool inside = i >= first && i - first < PV_DIRECT_MAP_GIB &&
                      mfn_valid(vm->pv.direct_map[i - first]);
        u64 expected = inside ? sv39_link(vm->pv.direct_map[i - first]) : 0;

        audit_check(entries[i] == expected, table, i,
                    "the upper half of a root is not the direct map");
    }
}

static void check_table(mfn_t table, const struct frame *frame, const struct vm *vm, bool give_back)
{
    const u64 *entries = arch_frame_bytes(table);
    u32 lower = frame->level == SV39_ROOT_LEVEL ? SV39_LOWER_ENTRIES : SV39_ENTRIES;
    u32 children = 0;

    for (u32 i = 0; i < lower; i++) {
        if (entries[i] == 0)
            continue;
        children++;
        if (frame->level > 0)
            check_link(table, i, entries[i], frame->vm, frame->level - 1u, give_back);
        else if (!give_back)
            check_leaf(table, i, entries[i], frame->vm);
    }
    if (give_back)
        return;
    audit_count_table(children);
    audit_check(frame->level <= SV39_ROOT_LEVEL, table, 0, "a table has no such level");
    audit_check(frame->level == 0 || children == frame->children, table, 0,
                "a table's children are miscounted");
    if (frame->level != SV39_ROOT_LEVEL)
        return;
    check_root_upper(table, entries, vm);
    audit_space_id(table, frame->space_id);
}

static void check_direct_map(const struct vm *vm)
{
    for (u64 i = 0; i < vm->p2m.frames_count; i += CHUNK_FRAMES) {
        mfn_t upper = vm->pv.direct_map[i / (SV39_ENTRIES * CHUNK_FRAMES)];
        u32 index = i / CHUNK_FRAMES % SV39_ENTRIES;
        u64 first = vm->p2m.base_gfn + i;
        struct frame *frame = frame_get(upper);
        const u64 *pages;
        u64 entry;

        if (frame == NULL || frame->type != FRAME_DIRECT_MAP || frame->vm != vm->id ||
            frame->level != 1) {
            audit_check(false, upper, index, "the direct map lacks a table");
            return;
        }
        entry = ((const u64 *)arch_frame_bytes(upper))[index];
        if (sv39_is_leaf(entry)) {
            check_direct_leaf(upper, index, entry, vm, first, CHUNK_FRAMES);
            continue;
        }
        frame = frame_get(mfn(sv39_frame(entry)));
        if (frame == NULL || frame->type != FRAME_DIRECT_MAP || frame->vm != vm->id ||
            frame->level != 0) {
            audit_check(false, upper, index, "the direct map links no table of its own");
            continue;
        }
        pages = arch_frame_bytes(mfn(sv39_frame(entry)));
        for (u32 page = 0; page < SV39_ENTRIES; page++)
            check_direct_leaf(mfn(sv39_frame(entry)), page, pages[page], vm, first + page, 1);
    }
}

/* The tables in the pool of a VM. */
static void each_table(const struct vm *vm, bool give_back)
{
    for (u32 i = 0; i < vm->p2m.frames_count; i++) {
        mfn_t at = mfn(vm->p2m.entries[i] & ~P2M_POOL);
        const struct frame *frame = frame_get(at);

        if (frame != NULL && frame->type == FRAME_TABLE)
            check_table(at, frame, vm, give_back);
    }
}

static void check_counts(const struct vm *vm)
{
    for (u32 i = 0; i < vm->p2m.frames_count; i++) {
        mfn_t at = mfn(vm->p2m.entries[i] & ~P2M_POOL);
        const struct frame *frame = frame_get(at);

        if (frame != NULL && frame->type == FRAME_TABLE)
            audit_check(frame->links == 0, at, 0, "a table's links are miscounted");
    }
}

void paging_audit(const struct vm *vm)
{
    each_table(vm, false);
    check_counts(vm);
    each_table(vm, true);
    check_direct_map(vm);
    for (u32 i = 0; i < vm->vcpu_count; i++) {
        mfn_t root = arch_space_root(&vm->vcpus[i]);
        const struct frame *frame = frame_get(root);

        audit_check(vm->vcpus[i].state == VCPU_OFF ||
                        (frame != NULL && frame->type == FRAME_TABLE &&
                         frame->level == SV39_ROOT_LEVEL && frame->vm == vm->id),
                    root, 0, "a vCPU uses a root that is none");
        if (vm->vcpus[i].shared == NULL)
            continue;
        frame = frame_get(arch_frame_of(vm->vcpus[i].shared));
        audit_check(frame != NULL && frame->type == FRAME_DATA && frame->vm == vm->id, root, 0,
                    "a shared page is not its VM's data");
    }
}
