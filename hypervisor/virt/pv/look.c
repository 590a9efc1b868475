/* SPDX-License-Identifier: MIT */
/* virt_ops.walk of a paravirtual guest, whose tables hold machine frames. */
#include "arch/arch.h"
#include "core/vm.h"
#include "mem/frame.h"
#include "virt/pv/paging.h"
#include "virt/walk.h"

static mfn_t table_at(const struct vm *vm, u64 frame)
{
    (void)vm;
    return frame == (u32)frame && frame_get(mfn(frame)) != NULL ? mfn(frame) : MFN_NONE;
}

static void name_frame(const struct vm *vm, u64 address, struct virt_walk *walk)
{
    const struct frame *frame = frame_get(maddr_to_mfn(maddr(address)));

    walk->machine = maddr(address);
    if (frame == NULL || frame->vm != vm->id ||
        (frame->type != FRAME_DATA && frame->type != FRAME_POOL && frame->type != FRAME_TABLE))
        return;
    walk->owned = true;
    walk->pool = frame->type != FRAME_DATA;
    walk->physical = gpa(gfn_to_gpa(gfn(frame->gfn)).value + address % FRAME_BYTES);
}

void paging_walk(const struct vcpu *vcpu, gva_t address, struct virt_walk *walk)
{
    static const struct walk_frames frames = {
        table_at, "the last entry names a table outside of the memory for guests", name_frame};

    walk_tables(vcpu->vm, arch_space_root(vcpu).number, address, &frames, walk);
}
