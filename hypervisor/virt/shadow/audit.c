/* SPDX-License-Identifier: MIT */
/*
 * The audit of an unmodified guest's VM: the invariants at the head of tables.h.
 *
 * Links are counted as in virt/pv/audit.c: each that is found is taken from its table's count, what
 * is left is wrong, and a second pass puts everything back.
 */
#include "core/audit.h"

#include "arch/arch.h"
#include "core/vm.h"
#include "mem/frame.h"
#include "virt/shadow/shadow.h"
#include "virt/shadow/table_store.h"

/* One given up alone keeps its frame and has no level. */
static bool in_use(const struct shadow_table *table)
{
    return table->level < SV39_LEVELS;
}

static void check_leaf(const struct vm *vm, mfn_t at, u32 index, u64 entry)
{
    const u64 always = SV39_V | SV39_A | SV39_D;
    const struct shadow_tables *shadow = &vm->shadow->tables;
    const struct frame *target = frame_get(mfn(sv39_frame(entry)));
    const struct shadow_frame *known;

    audit_check((entry & always) == always && sv39_leaf_allowed(entry) && (entry & SV39_G) == 0, at,
                index, "a shadow leaf has wrong bits");
    if (target == NULL || target->type != FRAME_DATA || target->vm != vm->id) {
        audit_check(false, at, index, "a shadow leaf maps a frame that is not its VM's");
        return;
    }
    known = &shadow->frames[target->gfn - vm->p2m.base_gfn];
    if (known->generation == shadow->generation && known->state == SHADOW_IN_STEP)
        audit_check((entry & SV39_W) == 0, at, index,
                    "a guest table in step can be written without Candor");
}

static void check_link(const struct vm *vm, const struct shadow_table *table, u32 index, u64 entry,
                       bool give_back)
{
    const struct shadow_tables *shadow = &vm->shadow->tables;
    const struct frame *target = frame_get(mfn(sv39_frame(entry)));
    struct shadow_table *below;

    if (target == NULL || target->type != FRAME_SHADOW || target->vm != vm->id ||
        target->gfn >= shadow->tables_used ||
        shadow->tables[target->gfn].level + 1 != table->level) {
        if (!give_back)
            audit_check(false, mfn(table->frame), index, "a shadow link leads to no table below");
        return;
    }
    below = &shadow->tables[target->gfn];
    below->links += give_back ? 1 : ~0u;
}

static bool in_step(const struct vm *vm, const struct shadow_table *table)
{
    const struct shadow_tables *shadow = &vm->shadow->tables;
    u64 place = table->gfn - vm->p2m.base_gfn;

    if (shadow->settling.begun && shadow->settling.gfn == table->gfn)
        return false; /* not yet */
    return table->rights == 0 && place < shadow->frames_count &&
           shadow->frames[place].generation == shadow->generation &&
           shadow->frames[place].state == SHADOW_IN_STEP;
}

static void check_table(const struct vm *vm, const struct shadow_table *table, bool give_back)
{
    const u64 *entries = shadow_entries(table);
    const u64 *guest = in_step(vm, table) ? guest_table_entry(vm, table->gfn, 0) : NULL;
    mfn_t at = mfn(table->frame);
    u32 present = 0;

    for (u32 i = 0; i < SV39_ENTRIES; i++) {
        if (entries[i] == 0)
            continue;
        present++;
        if (table->level > 0)
            check_link(vm, table, i, entries[i], give_back);
        else if (!give_back)
            check_leaf(vm, at, i, entries[i]);
        if (!give_back && guest != NULL)
            audit_check(shadow_entry_holds(vm, table, entries[i], guest[i]), at, i,
                        "a shadow in step says something else than its guest's table");
    }
    if (!give_back)
        audit_count_table(present);
}

/* One that was stopped has none installed. */
static void check_root(const struct vm *vm, const struct vcpu *vcpu)
{
    const struct shadow_tables *shadow = &vm->shadow->tables;
    mfn_t root = arch_space_root(vcpu);

    if (vcpu->index != 0 && root.number == 0)
        return;
    audit_check(vcpu->shadow->root < shadow->tables_used &&
                    shadow->tables[vcpu->shadow->root].level == SV39_ROOT_LEVEL &&
                    mfn_equal(root, mfn(shadow->tables[vcpu->shadow->root].frame)),
                root, 0, "a vCPU uses a root that is none");
}

void shadow_audit(const struct vm *vm)
{
    const struct shadow_tables *shadow = &vm->shadow->tables;

    for (u32 pass = 0; pass < 2; pass++) {
        for (u32 i = 0; i < shadow->tables_used; i++) {
            if (in_use(&shadow->tables[i]))
                check_table(vm, &shadow->tables[i], pass > 0);
        }
        for (u32 i = 0; i < shadow->tables_used && pass == 0; i++)
            audit_check(!in_use(&shadow->tables[i]) || shadow->tables[i].links == 0,
                        mfn(shadow->tables[i].frame), 0, "a shadow table's links are miscounted");
    }
    for (u32 i = 0; i < SHADOW_SPACES; i++) {
        if (shadow->spaces[i].id != 0)
            audit_space_id(arch_space_root(&vm->vcpus[0]), shadow->spaces[i].id);
    }
    for (u32 i = 0; i < vm->vcpu_count; i++)
        check_root(vm, &vm->vcpus[i]);
}
