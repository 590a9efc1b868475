/* SPDX-License-Identifier: MIT */
/* virt_ops.walk of an unmodified guest, whose own tables hold guest frames. */
#include "core/vm.h"
#include "csr.h"
#include "string.h"
#include "virt/shadow/shadow.h"
#include "virt/walk.h"

static mfn_t table_at(const struct vm *vm, u64 frame)
{
    return p2m_lookup(&vm->p2m, frame);
}

/* What is no memory may be a device, which has no machine address. */
static void name_frame(const struct vm *vm, u64 address, struct virt_walk *walk)
{
    mfn_t frame = p2m_lookup(&vm->p2m, address >> FRAME_SHIFT);

    walk->physical = gpa(address);
    walk->owned = mfn_valid(frame);
    if (walk->owned)
        walk->machine = maddr(mfn_to_maddr(frame).value + address % FRAME_BYTES);
}

void shadow_walk(const struct vcpu *vcpu, gva_t address, struct virt_walk *walk)
{
    static const struct walk_frames frames = {
        table_at, "the last entry names a table where the machine has no memory", name_frame};
    u64 satp = vcpu->shadow->csrs.satp;

    if (satp & SATP_MODE) {
        walk_tables(vcpu->vm, satp & SATP_PPN_MASK, address, &frames, walk);
        return;
    }
    memset(walk, 0, sizeof(*walk));
    walk->mapped = true;
    name_frame(vcpu->vm, address.value, walk);
}
