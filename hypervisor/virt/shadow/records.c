/* SPDX-License-Identifier: MIT */
#include "virt/shadow/records.h"

#include "core/vm.h"
#include "csr.h"
#include "virt/shadow/shadow.h"

void record_fill_detail(const struct vcpu *vcpu, gva_t address,
                        const struct guest_translation *found, u64 shadow)
{
    u64 frame = found->physical.value >> FRAME_SHIFT;
    u64 leaf = ALIGN_DOWN(frame, 1UL << (SV39_INDEX_BITS * found->level));

    if ((vcpu->shadow->satp & SATP_SV39) == 0)
        trace_write(TRACE_FILL, address.value, 0);
    else
        trace_write(TRACE_FILL, address.value, leaf << SV39_PPN_SHIFT | found->leaf);
    trace_write(TRACE_FILL_MORE, frame << FRAME_SHIFT | found->level, shadow);
}
