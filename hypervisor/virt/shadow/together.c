/* SPDX-License-Identifier: MIT */
/*
 * The vCPUs of an unmodified guest's VM: one at a time is in Candor (shadow_lock), and what it
 * takes away of the shadows no other hart remembers when the next one is.
 */
#include "core/hart.h"
#include "core/vm.h"
#include "virt/shadow/shadow.h"
#include "virt/shadow/table_store.h"

void shadow_flush_others(struct vcpu *vcpu)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;

    if (!shadow->stale || !vcpu->shadow->several)
        return;
    shadow->stale = false;
    vcpu->vm->stale = STALE_ALL;
    vm_calls_flush(vcpu);
}

bool shadow_lock(struct vcpu *vcpu)
{
    struct vm_shadow *shadow = vcpu->vm->shadow;
    u32 self;

    if (!vcpu->shadow->several)
        return false;
    self = arch_hart()->index + 1;
    if (READ_ONCE(shadow->owner) == self)
        return false;
    vm_calls_lock(vcpu->vm);
    WRITE_ONCE(shadow->owner, self);
    return true;
}

void shadow_unlock(struct vcpu *vcpu, bool taken)
{
    if (!taken)
        return;
    shadow_flush_others(vcpu);
    WRITE_ONCE(vcpu->vm->shadow->owner, 0);
    vm_calls_unlock(vcpu);
}

void shadow_memos_forget(const struct vcpu *vcpu)
{
    const struct vm *vm = vcpu->vm;

    for (u32 i = 0; i < vm->vcpu_count; i++)
        guest_memo_forget(&vm->vcpus[i].shadow->memo);
}

bool shadow_root_of_any(const struct vm *vm, u32 table)
{
    for (u32 i = 0; i < vm->vcpu_count; i++) {
        if (vm->vcpus[i].shadow->started && vm->vcpus[i].shadow->root == table)
            return true;
    }
    return false;
}

void shadow_fence_others(struct vcpu *vcpu)
{
    shadow_memos_forget(vcpu);
    vcpu->vm->shadow->tables.stale = true;
    shadow_flush_others(vcpu);
}
